//! How fast `stat` is on a loop, with some in flight, next to plain calls in one thread.
//!
//! `cargo run --release -p pyuv-fs --example stat_bench [PATH [IN_FLIGHT]]`

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use pyuv::{Loop, RunMode};
use pyuv_fs::{Operation, stat};

const ROUND: u64 = 200_000;

struct Bench {
    event_loop: Loop,
    path: std::ffi::CString,
    left: AtomicU64,
}

fn next(bench: &Arc<Bench>) {
    if bench.left.load(Ordering::Relaxed) == 0 {
        return;
    }
    bench.left.fetch_sub(1, Ordering::Relaxed);
    let again = Arc::clone(bench);
    stat(bench.path.as_c_str())
        .submit(&bench.event_loop, move |outcome| {
            outcome.expect("the file is there");
            next(&again);
        })
        .expect("the loop takes requests");
}

fn per_second(started: Instant) -> f64 {
    ROUND as f64 / started.elapsed().as_secs_f64()
}

fn main() -> pyuv::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap_or_else(|| "Cargo.toml".to_owned());
    let in_flight = arguments.next().map_or(16, |number| number.parse().expect("a number"));

    println!("{:>12} {:>12} {:>12} {:>7}", "direct/s", "run/s", "submit/s", "ratio");
    for _ in 0..5 {
        let started = Instant::now();
        for _ in 0..ROUND {
            std::fs::metadata(&path).expect("the file is there");
        }
        let direct = per_second(started);

        let c_path = std::ffi::CString::new(path.as_str()).expect("no NUL");
        let started = Instant::now();
        for _ in 0..ROUND {
            stat(c_path.as_c_str()).run()?;
        }
        let run = per_second(started);

        let bench =
            Arc::new(Bench { event_loop: Loop::new()?, path: c_path, left: AtomicU64::new(ROUND) });
        let started = Instant::now();
        for _ in 0..in_flight {
            next(&bench);
        }
        bench.event_loop.run(RunMode::Default)?;
        let submit = per_second(started);
        println!("{direct:>12.0} {run:>12.0} {submit:>12.0} {:>7.2}", submit / direct);
    }
    Ok(())
}
