//! What reading a message costs, here and in c-ares, in nanoseconds.
//!
//! `cargo run --release -p pyuv-dns --example parse`

use std::hint::black_box;
use std::net::Ipv4Addr;
use std::time::Instant;

use c_ares::{DnsParseFlags, DnsRecord};
use pyuv_dns::{Flags, Message, Opcode, Question, Rcode, Record, RecordClass, RecordData};
use pyuv_dns::{RecordType, data};

/// An answer as a server sends it: `count` addresses, and OPT as every EDNS answer has it.
fn answer(count: u8) -> Message {
    let record =
        |name: &str, data| Record { name: name.into(), class: RecordClass::IN, ttl: 60, data };
    let address = |last| RecordData::A(data::A { addr: Ipv4Addr::new(192, 0, 2, last) });
    let opt = data::OPT { udp_size: 1232, version: 0, flags: 0, options: Box::default() };
    Message {
        id: 1,
        flags: Flags::QR | Flags::RD,
        opcode: Opcode::QUERY,
        rcode: Rcode::NOERROR,
        question: Box::from([Question {
            name: "www.example.com".into(),
            record_type: RecordType::A,
            class: RecordClass::IN,
        }]),
        answer: (1..=count).map(|last| record("www.example.com", address(last))).collect(),
        authority: Box::default(),
        additional: Box::from([Record { ttl: 0, ..record("", RecordData::OPT(opt)) }]),
    }
}

fn nanoseconds(mut work: impl FnMut()) -> f64 {
    const ROUNDS: u32 = 200_000;
    let best = (0..5).map(|_| {
        let start = Instant::now();
        (0..ROUNDS).for_each(|_| work());
        start.elapsed()
    });
    best.min().unwrap_or_default().as_secs_f64() * 1e9 / f64::from(ROUNDS)
}

fn main() -> pyuv_dns::Result<()> {
    for count in [1, 10, 50] {
        let wire = answer(count).to_bytes()?;
        let ours = nanoseconds(|| drop(black_box(Message::parse(black_box(&wire)))));
        let theirs = nanoseconds(|| {
            drop(black_box(DnsRecord::parse(black_box(&wire), DnsParseFlags::empty())));
        });
        println!(
            "{count:3} addresses: read and drop {ours:6.0} ns, c-ares's parse {theirs:6.0} ns"
        );
    }
    Ok(())
}
