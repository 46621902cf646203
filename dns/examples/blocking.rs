//! Asks without a loop, and waits for the answer.
//!
//! `cargo run -p pyuv-dns --example blocking -- NAME [TYPE] [SERVERS]`

use pyuv_dns::{Options, RecordType, resolve, split_servers};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().ok_or("usage: blocking NAME [TYPE] [SERVERS]")?;
    let record_type = arguments.next().map_or(Ok(RecordType::A), |text| text.parse())?;
    let servers = arguments.next().map(|csv| split_servers(&csv));
    let message = resolve(&name, record_type, &Options { servers, ..Options::default() })?;
    for record in &message.answer {
        println!("{} {} {:?}", record.name, record.ttl, record.data);
    }
    Ok(())
}
