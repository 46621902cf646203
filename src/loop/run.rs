//! `uv_run`: running the loop, and what surrounds each poll phase.

use std::mem;
use std::ptr::NonNull;

use libuv_sys2 as uv;

use super::{Held, Loop};
use crate::error::{Error, Result};
use crate::hooks::{NoHooks, PollHooks};
#[cfg(target_os = "linux")]
use crate::internals::sleep;
use crate::trampoline;

/// How long [`Loop::run`] runs (`uv_run_mode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunMode {
    /// Until nothing is active any more, or [`Loop::stop`].
    Default,
    /// One iteration, waiting for an event if none is due. It can end without one, when the loop
    /// was woken for something of its own or, on Linux, when the wait was interrupted twice:
    /// libuv 1.53 takes the time before the first interruption off twice.
    Once,
    /// One iteration, without waiting.
    NoWait,
}

impl Loop {
    /// Runs the loop (`uv_run`). Returns whether anything is still active.
    ///
    /// Fails with [`Error::AlreadyRunning`] from inside a callback, and with
    /// [`Error::Panicked`] when a callback panicked; the loop was stopped then.
    pub fn run(&self, mode: RunMode) -> Result<bool> {
        self.run_with(mode, &NoHooks)
    }

    /// [`run`](Loop::run), with `hooks` called around each poll phase.
    pub fn run_with(&self, mode: RunMode, hooks: &dyn PollHooks) -> Result<bool> {
        let entered = self.enter()?;
        entered.check_own_fds()?;
        let running = Running::begin(&entered)?;
        // SAFETY: only the lifetime changes; `running` takes the pointer back, before the borrow
        // of `hooks` ends.
        let hooks = unsafe { mem::transmute::<&dyn PollHooks, &'static dyn PollHooks>(hooks) };
        entered.hooks.set(Some(NonNull::from(hooks)));
        entered.mode.set(mode);
        trampoline::guard(&entered, || entered.empty_inbox());
        // SAFETY: the loop is open, ours and not running.
        let more = unsafe {
            entered.uv_run(match mode {
                RunMode::Default => uv::uv_run_mode_UV_RUN_DEFAULT,
                RunMode::Once => uv::uv_run_mode_UV_RUN_ONCE,
                RunMode::NoWait => uv::uv_run_mode_UV_RUN_NOWAIT,
            })
        };
        trampoline::guard(&entered, || entered.awake());
        drop(running);
        entered.stopping.set(false);
        entered.jobs.after_run(&entered);
        trampoline::guard(&entered, || entered.empty_inbox());
        if let Some(message) = entered.panic.take() {
            return Err(Error::panicked(message));
        }
        #[cfg(unix)]
        // SAFETY: the loop is ours.
        unsafe {
            entered.own_fds.check_known(entered.uv())?;
        }
        Ok(more != 0)
    }

    /// Makes [`run`](Loop::run) return after this iteration, or the next one end after one round
    /// (`uv_stop`).
    ///
    /// It works in a process that was forked in a callback, too, where the loop does nothing else: that
    /// process would run it for ever.
    pub fn stop(&self) -> Result<()> {
        match self.enter() {
            Ok(entered) => entered.stop(),
            Err(error) => match self.shared().enter_again() {
                Some(entered) if entered.running.get() => entered.stop(),
                _ => return Err(error),
            },
        }
        Ok(())
    }

    /// Whether anything is active, referenced or closing (`uv_loop_alive`).
    pub fn is_alive(&self) -> Result<bool> {
        let entered = self.enter()?;
        // SAFETY: the loop is open and ours.
        Ok(unsafe { uv::uv_loop_alive(entered.uv()) } != 0)
    }

    /// Whether [`run`](Loop::run) is on the stack, in the thread that asks.
    pub fn is_running(&self) -> bool {
        self.enter().is_ok_and(|entered| entered.running.get())
    }
}

/// `uv_run` is on the stack, until this is dropped: by whichever way that is left.
pub(super) struct Running<'a>(&'a Held);

impl<'a> Running<'a> {
    /// Fails with [`Error::AlreadyRunning`] inside another one.
    pub(super) fn begin(held: &'a Held) -> Result<Running<'a>> {
        if held.running.replace(true) { Err(Error::AlreadyRunning) } else { Ok(Running(held)) }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.hooks.set(None);
        self.0.asleep.set(false);
        self.0.interrupted.set(false);
        self.0.running.set(false);
    }
}

impl Held {
    /// `uv_run`. Returns whether anything is still active.
    ///
    /// # Safety
    /// The loop is open and not running.
    pub(super) unsafe fn uv_run(&self, mode: uv::uv_run_mode) -> i32 {
        // SAFETY: the caller says so.
        let run = || unsafe { uv::uv_run(self.uv(), mode) };
        #[cfg(target_os = "linux")]
        return sleep::running(self, run);
        #[cfg(not(target_os = "linux"))]
        run()
    }

    /// [`Loop::stop`] for who holds the loop.
    pub fn stop(&self) {
        self.stopping.set(true);
        // SAFETY: the loop is ours.
        unsafe { uv::uv_stop(self.uv()) };
    }

    /// Whether a further iteration follows this one, as far as anybody can tell.
    pub(crate) fn goes_on(&self) -> bool {
        self.mode.get() == RunMode::Default && !self.stopping.get()
    }

    /// Ends the poll phase's sleep, if it is one.
    #[inline]
    pub(crate) fn awake(&self) {
        if self.asleep.get() {
            self.wake_up();
        }
    }

    #[cold]
    fn wake_up(&self) {
        self.asleep.set(false);
        if let Some(hooks) = self.hooks.get() {
            // SAFETY: `run_with` holds the borrow behind this pointer until it clears it.
            unsafe { hooks.as_ref() }.after_poll();
        }
    }

    /// Asks the hooks whether they care about a signal that has interrupted the poll phase.
    #[cfg(target_os = "linux")]
    pub(crate) fn is_to_hear_of_interruption(&self) -> bool {
        let hooks = self.hooks.get();
        // SAFETY: `run_with` holds the borrow behind this pointer until it clears it.
        let cares = hooks.is_some_and(|hooks| unsafe { hooks.as_ref() }.interrupted());
        self.interrupted.set(cares);
        cares
    }

    /// In a callback, after the poll phase.
    #[inline]
    pub(super) fn hear_of_interruption(&self) {
        if self.interrupted.take()
            && let Some(hooks) = self.hooks.get()
        {
            // SAFETY: as above.
            unsafe { hooks.as_ref() }.after_interruption();
        }
    }

    /// Keeps the message of a panic for `run` to return.
    pub(crate) fn panicked(&self, message: String) {
        self.panic.set(Some(message));
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::panic::panic_any;
    use std::time::Duration;

    use super::*;
    use crate::{Idle, Timer};

    /// Panics when it is dropped.
    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            if !std::thread::panicking() {
                panic!("dropped");
            }
        }
    }

    fn dropped() -> Error {
        Error::panicked("dropped")
    }

    /// A handle whose closure panics when it is dropped.
    fn bomb(event_loop: &Loop) -> Timer {
        let timer = Timer::new(event_loop).unwrap();
        let bomb = Bomb;
        timer.start(Duration::ZERO, Duration::ZERO, move |_| _ = &bomb).unwrap();
        timer.stop().unwrap();
        timer
    }

    fn is_usable(event_loop: &Loop) {
        let idle = Idle::new(event_loop).unwrap();
        idle.start(|idle| idle.stop().unwrap()).unwrap();
        assert_eq!(event_loop.run(RunMode::Default), Ok(false));
    }

    #[test]
    fn a_panic_in_what_other_threads_left_does_not_leave_the_loop_running() {
        let event_loop = Loop::new().unwrap();
        let timer = bomb(&event_loop);
        let held = event_loop.hold().unwrap();
        std::thread::spawn(move || drop(timer)).join().unwrap();
        drop(held);
        assert_eq!(event_loop.run(RunMode::Default), Err(dropped()));
        assert!(!event_loop.is_running());
        is_usable(&event_loop);
    }

    #[test]
    fn a_closure_that_panics_when_its_handle_is_lost_in_a_callback_is_an_error() {
        let event_loop = Loop::new().unwrap();
        let idle = Idle::new(&event_loop).unwrap();
        let bomb = Bomb;
        idle.start(move |idle| {
            let _ = &bomb;
            idle.stop().unwrap();
        })
        .unwrap();
        drop(idle);
        assert_eq!(event_loop.run(RunMode::Default), Err(dropped()));
        is_usable(&event_loop);
    }

    #[test]
    fn a_handle_that_is_lost_closes_though_its_closure_panics() {
        let event_loop = Loop::new().unwrap();
        drop(bomb(&event_loop));
        assert_eq!(event_loop.run(RunMode::Default), Err(dropped()));
        assert_eq!(event_loop.handles(), Ok(vec![]));
        is_usable(&event_loop);
    }

    #[test]
    fn what_a_panic_brings_may_panic_too() {
        let event_loop = Loop::new().unwrap();
        let idle = Idle::new(&event_loop).unwrap();
        idle.start(|_| panic_any(Bomb)).unwrap();
        assert!(matches!(event_loop.run(RunMode::Default), Err(Error::Panicked(_))));
        idle.close(|_| ()).unwrap();
        event_loop.queue_work(|| panic_any(Bomb), |outcome| assert!(outcome.is_err())).unwrap();
        assert_eq!(event_loop.run(RunMode::Default), Ok(false));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_abandoned_loop_is_torn_down_though_closures_panic() {
        use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

        let event_loop = Loop::new().unwrap();
        let fd = event_loop.fileno().unwrap();
        // Forgets a descriptor when it is closed, whatever else gets its number by then.
        // SAFETY: gives a descriptor, or -1.
        let watcher = unsafe { OwnedFd::from_raw_fd(libc::epoll_create1(libc::EPOLL_CLOEXEC)) };
        let control = |operation| {
            let mut event = libc::epoll_event { events: 0, u64: 0 };
            // SAFETY: `event` is only read, during the call.
            unsafe { libc::epoll_ctl(watcher.as_raw_fd(), operation, fd, &raw mut event) }
        };
        assert_eq!(control(libc::EPOLL_CTL_ADD), 0);
        for _ in 0..2 {
            let (timer, bomb) = (Timer::new(&event_loop).unwrap(), Bomb);
            timer.start(Duration::from_secs(60), Duration::ZERO, move |_| _ = &bomb).unwrap();
        }
        drop(event_loop);
        assert_eq!(control(libc::EPOLL_CTL_DEL), -1);
    }

    /// Hooks whose `after_poll` panics, once.
    struct Panicking(Cell<bool>);

    impl PollHooks for Panicking {
        fn before_poll(&self, _may_block: bool) -> bool {
            true
        }

        fn after_poll(&self) {
            assert!(!self.0.replace(false), "after_poll");
        }
    }

    #[test]
    fn a_panic_of_the_hooks_is_an_error_and_they_are_not_called_again() {
        let event_loop = Loop::new().unwrap();
        let timer = Timer::new(&event_loop).unwrap();
        timer.start(Duration::ZERO, Duration::ZERO, |_| ()).unwrap();
        let hooks = Panicking(Cell::new(true));
        let outcome = event_loop.run_with(RunMode::Once, &hooks);
        assert_eq!(outcome, Err(Error::panicked("after_poll")));
        is_usable(&event_loop);
    }
}
