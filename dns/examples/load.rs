//! Asks a server again and again, so many queries in flight, and says how fast that was.
//!
//! `cargo run --release -p pyuv-dns --example load -- SERVER ZONE NAMES IN_FLIGHT QUERIES [MAX]`
//!
//! The names are `n0.ZONE`, `n1.ZONE` and so on. Every answer asks the next; `MAX` is the
//! channel's `max_in_flight`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use pyuv::{Loop, RunMode};
use pyuv_dns::{Channel, Options, RecordType};

struct Run {
    channel: Channel,
    names: Vec<String>,
    asked: AtomicUsize,
    wanted: usize,
    failed: AtomicUsize,
}

fn ask(run: &Arc<Run>) {
    let number = run.asked.fetch_add(1, Ordering::Relaxed);
    if number >= run.wanted {
        return;
    }
    let next = run.clone();
    let name = &run.names[number % run.names.len()];
    let asked = run.channel.query(name, RecordType::A, move |answer| {
        if !answer.is_ok_and(|message| !message.answer.is_empty()) {
            next.failed.fetch_add(1, Ordering::Relaxed);
        }
        ask(&next);
    });
    asked.expect("the channel is open");
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [server, zone, names, in_flight, queries, rest @ ..] = &arguments[..] else {
        return Err("usage: load SERVER ZONE NAMES IN_FLIGHT QUERIES [MAX]".into());
    };
    let names = (0..names.parse()?).map(|number: usize| format!("n{number}.{zone}")).collect();
    let event_loop = Loop::new()?;
    let options = Options {
        servers: Some(vec![server.clone()]),
        max_in_flight: rest.first().map(|count| count.parse()).transpose()?,
        socket_receive_buffer_size: Some(4 << 20),
        ..Options::default()
    };
    let run = Arc::new(Run {
        channel: Channel::new(&event_loop, options)?,
        names,
        asked: AtomicUsize::new(0),
        wanted: queries.parse()?,
        failed: AtomicUsize::new(0),
    });
    let started = Instant::now();
    for _ in 0..in_flight.parse()? {
        ask(&run);
    }
    event_loop.run(RunMode::Default)?;
    let seconds = started.elapsed().as_secs_f64();
    let failed = run.failed.load(Ordering::Relaxed);
    println!("{:.0} queries a second, {failed} failed", run.wanted as f64 / seconds);
    Ok(())
}
