//! `Message::parse` and what reads a message, on mutated messages: no crash, no hang, no leak.

mod util;

use std::time::Instant;

use mutatis::check::Check;
use mutatis::mutators as m;
use pyuv_dns::Message;

use util::fuzz;

/// How many mutations are made of the recorded messages before it begins with them again: they
/// are kept on top of each other, and would end as noise.
const ROUND: usize = 20_000;

/// Everything that can be done with bytes that came from a server.
fn use_message(wire: &[u8]) -> Result<(), String> {
    let Ok(message) = Message::parse(wire) else { return Ok(()) };
    let shown: usize = message.answer.iter().map(|record| record.to_string().len()).sum();
    if shown < message.answer.len() {
        return Err("a record without text".to_owned());
    }
    let json = message.to_json();
    if json.chars().any(char::is_control) {
        return Err(format!("control characters in {json}"));
    }
    let Ok(written) = message.to_bytes() else { return Ok(()) };
    let again = Message::parse(&written).map_err(|error| format!("what was written: {error}"))?;
    if again.question != message.question || again.answer.len() != message.answer.len() {
        return Err(format!("{message:?}\nhas become\n{again:?}"));
    }
    Ok(())
}

/// How many bytes are allocated now.
fn allocated() -> usize {
    // SAFETY: it takes nothing and returns numbers.
    unsafe { libc::mallinfo2() }.uordblks
}

#[test]
fn mutated_messages_are_parsed_or_refused_without_a_leak() {
    let deadline = fuzz::deadline();
    let mut before = None;
    for round in fuzz::seed().. {
        let checked = Check::new().seed(round).iters(ROUND).run_with(
            m::default::<Vec<u8>>(),
            fuzz::messages(),
            |wire| use_message(wire),
        );
        if let Err(error) = checked {
            panic!("PYUV_FUZZ_SEED={round}: {error}");
        }
        // The first round allocates what is kept for good.
        let now = allocated();
        let first = *before.get_or_insert(now);
        assert!(now < first + (1 << 20), "round {round}: {first} bytes have become {now}");
        if Instant::now() >= deadline {
            break;
        }
    }
}

#[test]
fn the_recorded_messages_are_parsed_themselves() {
    let parsed = fuzz::messages().iter().filter(|wire| Message::parse(wire).is_ok()).count();
    assert_eq!(parsed, fuzz::messages().len());
}
