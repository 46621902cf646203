//! Asks for every name on standard input, and prints a line of JSON for each.
//!
//! `cargo run --release -p pyuv-dns --example bulk -- [@SERVER] [TYPE] [CONCURRENCY] < names.txt`

use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex};

use pyuv::{Check, Loop, RunMode, Timer};
use pyuv_dns::{Bulk, BulkOptions, Channel, Options};

/// How much is read at a time, and how much is written.
const PIECE: usize = 1 << 16;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut options = Options::default();
    let mut how = BulkOptions::default();
    for argument in std::env::args().skip(1) {
        if let Some(server) = argument.strip_prefix('@') {
            options.servers.get_or_insert_default().push(server.to_owned());
        } else if let Ok(concurrency) = argument.parse() {
            how.concurrency = concurrency;
        } else {
            how.record_type = argument.parse()?;
        }
    }
    options.max_in_flight = Some(how.concurrency);
    options.socket_receive_buffer_size = Some(4 << 20);
    let event_loop = Loop::new()?;
    let channel = Channel::new(&event_loop, options)?;
    let bulk = Arc::new(Bulk::new(&channel, how)?);
    let outcome = Arc::new(Mutex::new(Ok(())));

    // Reading a file does not wait. Once in each turn of the loop is enough for that.
    let check = Check::new(&event_loop)?;
    let (run, failed) = (bulk.clone(), outcome.clone());
    check.start(move |check| {
        if let Err(error) = turn(&run) {
            *failed.lock().unwrap() = Err(error);
        } else if !run.is_done() {
            return;
        }
        check.close(|_| ()).unwrap();
    })?;
    // The first turn comes without an answer.
    let first = Timer::new(&event_loop)?;
    first.start(Default::default(), Default::default(), |_| ())?;
    event_loop.run(RunMode::Default)?;
    for (status, count) in bulk.counts() {
        eprintln!("{status} {count}");
    }
    let mut outcome = outcome.lock().unwrap();
    Ok(std::mem::replace(&mut *outcome, Ok(()))?)
}

/// Reads names and writes results, as far as it is time for that.
fn turn(bulk: &Bulk) -> io::Result<()> {
    let mut piece = [0; PIECE];
    while bulk.wants_names() {
        let length = io::stdin().read(&mut piece)?;
        let taken = if length == 0 { bulk.end() } else { bulk.push(&piece[..length]) };
        taken.map_err(io::Error::other)?;
    }
    if bulk.ready() >= PIECE || bulk.is_done() {
        io::stdout().write_all(bulk.take().as_bytes())?;
    }
    Ok(())
}
