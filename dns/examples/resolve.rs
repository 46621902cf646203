//! Asks for records of several names at once, and prints what comes.
//!
//! `cargo run -p pyuv-dns --example resolve -- [@SERVER] [TYPE] NAME...`

use pyuv::{Loop, RunMode};
use pyuv_dns::{Channel, Options, RecordType};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut options = Options::default();
    let mut record_type = RecordType::A;
    let mut names = Vec::new();
    for argument in std::env::args().skip(1) {
        if let Some(server) = argument.strip_prefix('@') {
            options.servers.get_or_insert_default().push(server.to_owned());
        } else if let Ok(named) = argument.parse() {
            record_type = named;
        } else {
            names.push(argument);
        }
    }
    if names.is_empty() {
        return Err("usage: resolve [@SERVER] [TYPE] NAME...".into());
    }
    let event_loop = Loop::new()?;
    let channel = Channel::new(&event_loop, options)?;
    for name in names {
        let label = name.clone();
        channel.query(&name, record_type, move |answer| match answer {
            Ok(message) => {
                for record in &message.answer {
                    println!("{label}: {} {:?}", record.ttl, record.data);
                }
            }
            Err(error) => println!("{label}: {error}"),
        })?;
    }
    event_loop.run(RunMode::Default)?;
    Ok(())
}
