//! Runs a program and ends it if it takes too long.
//!
//! `cargo run --example timeout 1.5 sleep 60`

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use pyuv::{Loop, Process, ProcessOptions, RunMode, Stdio, Timer};

/// What the program timeout of the GNU coreutils returns.
const TIMED_OUT: u8 = 124;

fn run(seconds: Duration, options: &ProcessOptions<'_>) -> pyuv::Result<u8> {
    let event_loop = Loop::new()?;
    let timer = Arc::new(Timer::new(&event_loop)?);
    let status = Arc::new(AtomicU8::new(0));

    let (seen, limit) = (status.clone(), timer.clone());
    let process = Process::spawn(&event_loop, options, move |_, exit| {
        if exit.term_signal == 0 {
            seen.store(exit.status as u8, Ordering::Relaxed);
        }
        if let Err(error) = limit.stop() {
            eprintln!("{error}");
        }
    })?;
    let late = status.clone();
    timer.start(seconds, Duration::ZERO, move |_| {
        late.store(TIMED_OUT, Ordering::Relaxed);
        if let Err(error) = process.kill(libc::SIGTERM) {
            eprintln!("{error}");
        }
    })?;
    event_loop.run(RunMode::Default)?;
    Ok(status.load(Ordering::Relaxed))
}

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let seconds = arguments.next().and_then(|seconds| seconds.to_str()?.parse().ok());
    let (Some(seconds), Some(program)) = (seconds, arguments.next()) else {
        eprintln!("timeout SECONDS PROGRAM [ARGUMENT ...]");
        return ExitCode::FAILURE;
    };
    let options = ProcessOptions::new(program).args(arguments).stdio((0..3).map(Stdio::Fd));
    match run(Duration::from_secs_f64(seconds), &options) {
        Ok(status) => status.into(),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
