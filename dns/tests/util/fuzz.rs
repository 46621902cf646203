//! What the fuzz tests share: how long they run, from which seed, and the messages they begin with.

use std::path::Path;
use std::time::{Duration, Instant};

/// A time that ends: 5 s, or the number of seconds in PYUV_FUZZ_SECONDS.
pub fn deadline() -> Instant {
    let seconds = number("PYUV_FUZZ_SECONDS").unwrap_or(5);
    Instant::now() + Duration::from_secs(seconds)
}

/// Where the mutations begin: PYUV_FUZZ_SEED, so that a run can be had again.
pub fn seed() -> u64 {
    number("PYUV_FUZZ_SEED").unwrap_or(1)
}

/// How long what should be quick may take: 20 s, or the number of seconds in PYUV_FUZZ_PATIENCE, for a
/// run that other programs go before.
pub fn patience() -> Duration {
    Duration::from_secs(number("PYUV_FUZZ_PATIENCE").unwrap_or(20))
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text:?} is no number")))
}

/// The recorded messages of fixtures/messages, as bytes.
pub fn messages() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/messages");
    let files = std::fs::read_dir(&folder).expect("the fixtures");
    let mut paths: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "hex"));
    paths.sort();
    assert!(paths.len() > 30, "{} messages in {}", paths.len(), folder.display());
    paths.iter().map(|path| bytes(&std::fs::read_to_string(path).expect("text"))).collect()
}

fn bytes(text: &str) -> Vec<u8> {
    let digits: String = text.lines().filter(|line| !line.starts_with(';')).collect();
    let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("ASCII"));
    pairs.map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal")).collect()
}
