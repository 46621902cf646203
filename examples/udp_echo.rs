//! A UDP echo server: `cargo run --example udp_echo [ADDRESS]`, 127.0.0.1:7007 unless told.
//!
//! Ends when it gets the datagram `quit`.

use std::error::Error;
use std::net::SocketAddr;

use pyuv::{Loop, RunMode, UDP, UDPBindFlags};

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:7007".to_owned());
    let address: SocketAddr = address.parse()?;

    let event_loop = Loop::new()?;
    let server = UDP::new(&event_loop, None, true)?;
    server.bind(address, UDPBindFlags::empty())?;
    println!("listening on {}", server.getsockname()?);
    server.start_recv(|server, received| match (received.from, received.outcome) {
        (Some(_), Ok(b"quit")) => server.close(|_| println!("bye")).unwrap_or_default(),
        (Some(from), Ok(data)) => {
            // Where the socket has no room, the loop sends a copy when it has.
            if server.try_send(Some(from), data).is_err() {
                let sent = server.send(Some(from), data.to_vec(), |_, _| ());
                sent.unwrap_or_else(|error| eprintln!("{error}"));
            }
        }
        (_, Err(code)) => eprintln!("{code}"),
        (None, Ok(_)) => {}
    })?;
    event_loop.run(RunMode::Default)?;
    Ok(())
}
