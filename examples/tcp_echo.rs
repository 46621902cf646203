//! A TCP echo server: `cargo run --example tcp_echo -- 127.0.0.1:7777`.
//!
//! Without an address it talks to itself once.

use bytes::Bytes;
use pyuv::{BindFlags, Code, Loop, Result, RunMode, Stream, TCP};

/// Writes back what comes, and reads no more while much is waiting to go out.
fn echo(stream: &Stream, data: Result<&[u8]>) {
    const HIGH_WATER: usize = 1 << 20;
    let Ok(data) = data else {
        // At its end, or broken: either way nothing more can be done for it.
        let _ = stream.close(|_| ());
        return;
    };
    if stream.send(Bytes::copy_from_slice(data), on_sent) == Ok(false)
        && stream.write_queue_size().is_ok_and(|size| size > HIGH_WATER)
    {
        let _ = stream.stop_read();
    }
}

fn on_sent(stream: &Stream, outcome: Result<()>) {
    if outcome.is_ok() && !stream.is_closing() {
        let _ = stream.start_read(echo);
    }
}

fn serve(event_loop: &Loop, address: &str) -> Result<TCP> {
    let server = TCP::new(event_loop)?;
    server.bind(address.parse().map_err(|_| Code::EINVAL)?, BindFlags::empty())?;
    server.listen(511, |server, outcome| {
        let accept = || {
            outcome?;
            let connection = TCP::new(&server.event_loop())?;
            server.accept(&connection)?;
            connection.start_read(echo)
        };
        if let Err(error) = accept() {
            eprintln!("a connection was lost: {error}");
        }
    })?;
    Ok(server)
}

fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    if let Some(address) = std::env::args().nth(1) {
        let server = serve(&event_loop, &address)?;
        println!("listening on {}", server.getsockname()?);
        event_loop.run(RunMode::Default)?;
        return Ok(());
    }
    let server = serve(&event_loop, "127.0.0.1:0")?;
    let client = TCP::new(&event_loop)?;
    let address = server.getsockname()?;
    client.connect(address, move |client, outcome| {
        let talk = || {
            outcome?;
            client.write(Bytes::from_static(b"hello"), |_, _| ())?;
            client.start_read(move |client, data| {
                println!("{}", String::from_utf8_lossy(data.unwrap_or_default()));
                let _ = client.close(|_| ());
                let _ = server.close(|_| ());
            })
        };
        talk().expect("the server listens");
    })?;
    event_loop.run(RunMode::Default)?;
    Ok(())
}
