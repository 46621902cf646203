//! `uv_timer_t`: a callback when its time has come.

use std::time::Duration;

use libuv_sys2 as uv;

use crate::error::{Error, Result};
use crate::handle::{Handle, dispatch, handle_kind};
use crate::r#loop::Loop;

/// Runs its callback after a time, once or again and again (`uv_timer_t`).
///
/// libuv's timers count milliseconds: a duration is rounded to the nearest, one above zero to at
/// least one.
#[repr(transparent)]
pub struct Timer(Handle);

type Callback = Box<dyn FnMut(&Timer) + Send>;

// SAFETY: the struct is transparent over a Handle, made by `create` alone, with `uv_timer_init`.
handle_kind!(unsafe Timer, uv::uv_timer_t, Callback, () {});

unsafe extern "C" fn trampoline(handle: *mut uv::uv_timer_t) {
    // SAFETY: libuv gives the handle that this was started with.
    unsafe { dispatch::<Timer>(handle, |callback, handle, _| callback(handle)) };
}

/// What libuv takes for a duration.
fn milliseconds(duration: Duration) -> u64 {
    let rounded = (duration.as_micros() + 500) / 1000;
    let rounded = if duration.is_zero() { 0 } else { rounded.max(1) };
    u64::try_from(rounded).unwrap_or(u64::MAX)
}

impl Timer {
    /// A new, inactive timer (`uv_timer_init`).
    pub fn new(event_loop: &Loop) -> Result<Timer> {
        Handle::create(event_loop, (), "uv_timer_init", |event_loop, handle| {
            // SAFETY: the loop is open and ours; the handle's memory is its own.
            unsafe { uv::uv_timer_init(event_loop, handle) }
        })
    }

    /// Has `callback` called after `timeout`, and then every `repeat` unless that is zero
    /// (`uv_timer_start`). On an active timer this starts anew.
    pub fn start(
        &self,
        timeout: Duration,
        repeat: Duration,
        callback: impl FnMut(&Timer) + Send + 'static,
    ) -> Result<()> {
        let entered = self.enter()?;
        self.uv_start(timeout, repeat)?;
        // SAFETY: the handle is a timer.
        unsafe { self.set_callback::<Timer>(&entered, Box::new(callback)) };
        Ok(())
    }

    /// Has the callback that it was started with last called after `timeout`, once. It may have been
    /// stopped or have gone off since; one that was never started calls nothing.
    pub fn restart(&self, timeout: Duration) -> Result<()> {
        let _entered = self.enter()?;
        self.uv_start(timeout, Duration::ZERO)
    }

    /// For the owner.
    fn uv_start(&self, timeout: Duration, repeat: Duration) -> Result<()> {
        let (timeout, repeat) = (milliseconds(timeout), milliseconds(repeat));
        // SAFETY: the handle is open, a timer, and its loop is ours.
        let status = unsafe { uv::uv_timer_start(self.uv(), Some(trampoline), timeout, repeat) };
        Error::check(status, "uv_timer_start").map(drop)
    }

    /// Calls it no more (`uv_timer_stop`).
    pub fn stop(&self) -> Result<()> {
        let _entered = self.enter()?;
        // SAFETY: the handle is open, a timer, and its loop is ours.
        unsafe { uv::uv_timer_stop(self.uv()) };
        Ok(())
    }

    /// Starts anew with the repeat value as timeout; stops it if that is zero (`uv_timer_again`).
    /// Fails with `UV_EINVAL` on a timer that was never started.
    pub fn again(&self) -> Result<()> {
        let _entered = self.enter()?;
        // SAFETY: the handle is open, a timer, and its loop is ours.
        Error::check(unsafe { uv::uv_timer_again(self.uv()) }, "the timer was never started")?;
        Ok(())
    }

    /// The time between calls; zero for a timer that goes off once (`uv_timer_get_repeat`).
    pub fn repeat(&self) -> Result<Duration> {
        let _entered = self.enter()?;
        // SAFETY: the handle is open, a timer, and its loop is ours.
        Ok(Duration::from_millis(unsafe { uv::uv_timer_get_repeat(self.uv()) }))
    }

    /// Sets the time between calls, from the next call on (`uv_timer_set_repeat`).
    pub fn set_repeat(&self, repeat: Duration) -> Result<()> {
        let _entered = self.enter()?;
        // SAFETY: the handle is open, a timer, and its loop is ours.
        unsafe { uv::uv_timer_set_repeat(self.uv(), milliseconds(repeat)) };
        Ok(())
    }

    /// The time until the next call; zero if it is overdue or the timer inactive
    /// (`uv_timer_get_due_in`).
    pub fn due_in(&self) -> Result<Duration> {
        let entered = self.enter()?;
        if !self.header(&entered).is_active() {
            // libuv would answer from the time it was last started.
            return Ok(Duration::ZERO);
        }
        // SAFETY: the handle is open, a timer, and its loop is ours.
        Ok(Duration::from_millis(unsafe { uv::uv_timer_get_due_in(self.uv()) }))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::{Code, RunMode};

    #[test]
    fn a_restarted_timer_calls_what_it_was_started_with() {
        let event_loop = Loop::new().unwrap();
        let timer = Timer::new(&event_loop).unwrap();
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = calls.clone();
        let count = move |timer: &Timer| {
            if counted.fetch_add(1, Ordering::Relaxed) < 2 {
                timer.restart(Duration::ZERO).unwrap();
            }
        };
        timer.start(Duration::from_secs(60), Duration::ZERO, count).unwrap();
        timer.stop().unwrap();
        timer.restart(Duration::from_millis(1)).unwrap();
        assert_eq!(event_loop.run(RunMode::Default), Ok(false));
        assert_eq!(calls.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn durations_round_to_milliseconds_but_not_to_zero() {
        assert_eq!(milliseconds(Duration::ZERO), 0);
        assert_eq!(milliseconds(Duration::from_nanos(1)), 1);
        assert_eq!(milliseconds(Duration::from_micros(1499)), 1);
        assert_eq!(milliseconds(Duration::from_micros(1500)), 2);
        assert_eq!(milliseconds(Duration::MAX), u64::MAX);
    }

    #[test]
    fn repeats_until_closed() {
        let event_loop = Loop::new().unwrap();
        let timer = Timer::new(&event_loop).unwrap();
        let count = Arc::new(AtomicUsize::new(0));
        let (counted, closed) = (count.clone(), count.clone());
        let millisecond = Duration::from_millis(1);
        timer
            .start(millisecond, millisecond, move |timer| {
                if counted.fetch_add(1, Ordering::Relaxed) == 4 {
                    let closed = closed.clone();
                    timer
                        .close(move |_| {
                            closed.fetch_add(100, Ordering::Relaxed);
                        })
                        .unwrap();
                }
            })
            .unwrap();
        assert_eq!(timer.repeat(), Ok(millisecond));
        event_loop.run(RunMode::Default).unwrap();
        assert_eq!(count.load(Ordering::Relaxed), 105);
        assert!(timer.is_closing());
        assert_eq!(timer.stop(), Err(Error::HandleClosed));
    }

    #[test]
    fn again_without_start_says_so() {
        let event_loop = Loop::new().unwrap();
        let timer = Timer::new(&event_loop).unwrap();
        assert_eq!(timer.again().unwrap_err().code(), Some(Code::EINVAL));
    }

    #[test]
    fn a_dropped_active_timer_still_goes_off_and_then_closes() {
        let event_loop = Loop::new().unwrap();
        let count = Arc::new(AtomicUsize::new(0));
        let counted = count.clone();
        let timer = Timer::new(&event_loop).unwrap();
        timer
            .start(Duration::from_millis(1), Duration::ZERO, move |_| {
                counted.fetch_add(1, Ordering::Relaxed);
            })
            .unwrap();
        drop(timer);
        assert_eq!(event_loop.handles().unwrap().len(), 1);
        event_loop.run(RunMode::Default).unwrap();
        assert_eq!(count.load(Ordering::Relaxed), 1);
        assert!(event_loop.handles().unwrap().is_empty());
    }

    #[test]
    fn a_panic_stops_the_loop_and_not_the_timer() {
        let event_loop = Loop::new().unwrap();
        let timer = Timer::new(&event_loop).unwrap();
        let millisecond = Duration::from_millis(1);
        let mut calls = 0;
        timer
            .start(millisecond, millisecond, move |timer| {
                calls += 1;
                assert!(calls != 1, "the first");
                timer.close(|_| ()).unwrap();
            })
            .unwrap();
        assert!(matches!(event_loop.run(RunMode::Default), Err(Error::Panicked(_))));
        assert_eq!(event_loop.run(RunMode::Default), Ok(false));
        assert!(timer.is_closing());
    }
}
