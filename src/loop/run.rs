//! `uv_run`: running the loop, and what surrounds each poll phase.

use std::mem;
use std::ptr::NonNull;

use libuv_sys2 as uv;

use super::{Loop, LoopInner};
use crate::error::{Error, Result};
use crate::hooks::{NoHooks, PollHooks};
#[cfg(target_os = "linux")]
use crate::internals::sleep;

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
        if entered.running.replace(true) {
            return Err(Error::AlreadyRunning);
        }
        // SAFETY: only the lifetime changes; the pointer is taken back below, before the borrow
        // of `hooks` ends.
        let hooks = unsafe { mem::transmute::<&dyn PollHooks, &'static dyn PollHooks>(hooks) };
        entered.hooks.set(Some(NonNull::from(hooks)));
        entered.mode.set(mode);
        entered.empty_inbox();
        // SAFETY: the loop is open, ours and not running.
        let more = unsafe {
            entered.uv_run(match mode {
                RunMode::Default => uv::uv_run_mode_UV_RUN_DEFAULT,
                RunMode::Once => uv::uv_run_mode_UV_RUN_ONCE,
                RunMode::NoWait => uv::uv_run_mode_UV_RUN_NOWAIT,
            })
        };
        entered.awake();
        entered.hooks.set(None);
        entered.stopping.set(false);
        entered.running.set(false);
        entered.jobs.after_run(&entered);
        entered.empty_inbox();
        if let Some(message) = entered.panic.take() {
            return Err(Error::Panicked(message));
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
    pub fn stop(&self) -> Result<()> {
        self.enter()?.stop();
        Ok(())
    }

    /// [`stop`](Loop::stop) for a callback that ends it all: also in a process that was forked in the
    /// callback, where the loop does nothing else.
    pub fn stop_from_callback(&self) {
        if let Some(entered) = self.shared().enter_again()
            && entered.running.get()
        {
            entered.stop();
        }
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

impl LoopInner {
    /// `uv_run`. Returns whether anything is still active.
    ///
    /// # Safety
    /// The loop is open, the caller's, and not running.
    pub(super) unsafe fn uv_run(&self, mode: uv::uv_run_mode) -> i32 {
        // SAFETY: the caller says so.
        let run = || unsafe { uv::uv_run(self.uv(), mode) };
        #[cfg(target_os = "linux")]
        return sleep::running(self, run);
        #[cfg(not(target_os = "linux"))]
        run()
    }

    pub(crate) fn stop(&self) {
        self.stopping.set(true);
        // SAFETY: the caller owns the loop.
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

    pub(crate) fn panicked(&self, message: String) {
        self.panic.set(Some(message));
        self.stop();
    }
}
