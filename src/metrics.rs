//! What a loop has done so far.

use std::mem::MaybeUninit;
use std::time::Duration;

use libuv_sys2 as uv;

use crate::error::Result;
use crate::r#loop::Loop;

/// Counters of a loop (`uv_metrics_info`, `uv_metrics_idle_time`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metrics {
    /// Iterations of the loop.
    pub loop_count: u64,
    /// Events that callbacks have been called for.
    pub events: u64,
    /// Events that were waiting when the loop polled.
    pub events_waiting: u64,
    /// Time spent waiting for events; zero unless the loop was configured to measure it. Of a
    /// wait that the system interrupted (`EINTR`) libuv counts the last part only.
    pub idle_time: Duration,
}

impl Loop {
    /// The loop's counters (`uv_metrics_info`).
    pub fn metrics(&self) -> Result<Metrics> {
        let entered = self.enter()?;
        let mut info = MaybeUninit::<uv::uv_metrics_t>::uninit();
        // SAFETY: the loop is open and ours; uv_metrics_info fills the whole struct.
        let info = unsafe {
            uv::uv_metrics_info(entered.uv(), info.as_mut_ptr());
            info.assume_init()
        };
        // SAFETY: the loop is open and ours.
        let idle = unsafe { uv::uv_metrics_idle_time(entered.uv()) };
        Ok(Metrics {
            loop_count: info.loop_count,
            events: info.events,
            events_waiting: info.events_waiting,
            idle_time: Duration::from_nanos(idle),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::{Configure, Loop, RunMode, Timer};
    use std::time::Duration;

    #[test]
    fn iterations_events_and_idle_time_are_counted() {
        let event_loop = Loop::new().unwrap();
        event_loop.configure(Configure::MetricsIdleTime).unwrap();
        let timer = Timer::new(&event_loop).unwrap();
        // On a busy machine a timer can be due by the time the loop runs.
        while event_loop.metrics().unwrap().idle_time.is_zero() {
            timer.start(Duration::from_millis(5), Duration::ZERO, |_| ()).unwrap();
            event_loop.run(RunMode::Default).unwrap();
        }
        assert!(event_loop.metrics().unwrap().loop_count >= 1);
    }
}
