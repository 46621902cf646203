//! Adds up what a tree takes, as the program of that name does, on the loop's thread pool.
//!
//! `cargo run --release -p pyuv-fs --example du [PATH]`

use std::time::{Duration, Instant};

use pyuv::{Loop, RunMode};
use pyuv_fs::tree::{OnError, Told, du};

fn main() -> pyuv::Result<()> {
    let path = std::env::args_os().nth(1).unwrap_or_else(|| ".".into());
    let event_loop = Loop::new()?;
    let begin = Instant::now();
    let tree = du(path).on_error(OnError::Continue).progress_every(Duration::from_secs(1));
    let told = |told| {
        if let Told::Progress(progress) = told {
            eprintln!("{} entries so far", progress.files + progress.folders);
        }
    };
    tree.submit(&event_loop, told, move |ended| {
        for failed in &ended.errors {
            eprintln!("{}", pyuv::Error::from(failed));
        }
        match ended.result {
            Ok(usage) => println!("{usage:?}\nin {:?}", begin.elapsed()),
            Err(error) => println!("{error}"),
        }
    })?;
    event_loop.run(RunMode::Default)?;
    Ok(())
}
