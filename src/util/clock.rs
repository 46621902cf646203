//! What time it is, for how long the machine has run, and how busy it has been.

use libuv_sys2 as uv;

use crate::{Code, Error, Result};

/// A clock that [`clock_gettime`] can read (`uv_clock_id`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// Since an arbitrary moment; never set back.
    Monotonic,
    /// Since the Epoch; follows the system's date.
    Realtime,
}

impl Clock {
    fn id(self) -> uv::uv_clock_id {
        match self {
            Clock::Monotonic => uv::uv_clock_id_UV_CLOCK_MONOTONIC,
            Clock::Realtime => uv::uv_clock_id_UV_CLOCK_REALTIME,
        }
    }
}

impl TryFrom<i64> for Clock {
    type Error = Error;

    /// The clock with libuv's number `id`; `UV_EINVAL` for any other number.
    fn try_from(id: i64) -> Result<Clock> {
        [Clock::Monotonic, Clock::Realtime]
            .into_iter()
            .find(|clock| i64::from(clock.id()) == id)
            .ok_or_else(|| Error::new(Code::EINVAL, format!("there is no clock {id}")))
    }
}

/// A time in seconds and nanoseconds (`uv_timespec64_t`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeSpec {
    /// Whole seconds.
    pub sec: i64,
    /// Nanoseconds beyond them, below 1,000,000,000.
    pub nsec: i32,
}

/// A time in seconds and microseconds (`uv_timeval64_t`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeVal {
    /// Whole seconds.
    pub sec: i64,
    /// Microseconds beyond them, below 1,000,000.
    pub usec: i32,
}

/// Nanoseconds since an arbitrary moment, never set back (`uv_hrtime`).
pub fn hrtime() -> u64 {
    // SAFETY: no arguments; libuv's own state here is behind a once.
    unsafe { uv::uv_hrtime() }
}

/// The time on `clock` (`uv_clock_gettime`).
pub fn clock_gettime(clock: Clock) -> Result<TimeSpec> {
    let mut time = uv::uv_timespec64_t { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: libuv writes one timespec.
    Error::check(unsafe { uv::uv_clock_gettime(clock.id(), &raw mut time) }, "the clock")?;
    Ok(TimeSpec { sec: time.tv_sec, nsec: time.tv_nsec })
}

/// The time since the Epoch (`uv_gettimeofday`).
pub fn gettimeofday() -> Result<TimeVal> {
    let mut time = uv::uv_timeval64_t { tv_sec: 0, tv_usec: 0 };
    // SAFETY: libuv writes one timeval.
    Error::check(unsafe { uv::uv_gettimeofday(&raw mut time) }, "the time of day")?;
    Ok(TimeVal { sec: time.tv_sec, usec: time.tv_usec })
}

/// Seconds since the machine started (`uv_uptime`).
pub fn uptime() -> Result<f64> {
    let mut seconds = 0.0;
    // SAFETY: libuv writes one double.
    Error::check(unsafe { uv::uv_uptime(&raw mut seconds) }, "the uptime")?;
    Ok(seconds)
}

/// How many tasks wanted to run, on average over the last 1, 5 and 15 minutes (`uv_loadavg`);
/// zeros where the system does not say (Windows).
pub fn loadavg() -> [f64; 3] {
    let mut averages = [0.0; 3];
    // SAFETY: libuv writes at most three doubles.
    unsafe { uv::uv_loadavg(averages.as_mut_ptr()) };
    averages
}

#[cfg(test)]
mod tests {
    use std::time::{SystemTime, UNIX_EPOCH};

    use super::*;

    #[test]
    fn monotonic_time_does_not_go_back() {
        let times: Vec<u64> = (0..1000).map(|_| hrtime()).collect();
        assert!(times.is_sorted());
        let [first, second] = [(); 2].map(|()| clock_gettime(Clock::Monotonic).unwrap());
        assert!(first <= second);
    }

    #[test]
    fn real_time_is_the_time_the_standard_library_sees() {
        let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let spec = clock_gettime(Clock::Realtime).unwrap();
        let val = gettimeofday().unwrap();
        assert!((spec.sec - before.as_secs() as i64).abs() <= 60);
        assert!((val.sec - spec.sec).abs() <= 60);
        assert!((0..1_000_000_000).contains(&spec.nsec) && (0..1_000_000).contains(&val.usec));
    }

    #[test]
    fn an_unknown_clock_is_refused() {
        assert_eq!(Clock::try_from(0), Ok(Clock::Monotonic));
        assert_eq!(Clock::try_from(1), Ok(Clock::Realtime));
        assert_eq!(Clock::try_from(2).unwrap_err().code(), Some(Code::EINVAL));
    }

    #[test]
    fn the_machine_has_been_up_and_its_load_is_not_negative() {
        assert!(uptime().unwrap() > 0.0);
        assert!(loadavg().iter().all(|average| *average >= 0.0));
    }
}
