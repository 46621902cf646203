//! Letting go of the GIL while the loop sleeps: once per iteration, not once per callback.

use std::cell::Cell;
use std::time::{Duration, Instant};

use pyo3::ffi;
use pyo3::prelude::*;
use pyuv::PollHooks;

use crate::r#loop::Loop;
use crate::signals;

/// How long a loop that never sleeps keeps the GIL: twice CPython's switch interval. A thread that
/// waits asks for the GIL when it has been kept for one interval, and CPython sees to it that the
/// thread gets it at the next release; a release that nobody has asked for is over before a waiting
/// thread has woken up, and has it wait for another interval.
const TURN: Duration = Duration::from_millis(10);

/// A thread that waits for PyPy's GIL looks so often whether it is free; nobody keeps it free for it.
const PYPY_LOOKS_EVERY: Duration = Duration::from_micros(100);

/// A clock is read only every so many iterations that do not sleep.
const READ_CLOCK_EVERY: u32 = 32;

/// Detaches this thread before the poll phase and attaches it again before the phase's first
/// callback.
///
/// PyO3 does not see this: between the two no `Py` may be made, cloned or dropped, and every
/// callback comes through the core's one test that calls `after_poll`.
pub struct GilHooks<'a, 'py> {
    event_loop: &'a Bound<'py, Loop>,
    /// Python runs its handlers of signals on this thread.
    hears_signals: bool,
    detached: Cell<*mut ffi::PyThreadState>,
    busy_iterations: Cell<u32>,
    last_detached: Cell<Instant>,
}

impl<'a, 'py> GilHooks<'a, 'py> {
    pub fn new(event_loop: &'a Bound<'py, Loop>, hears_signals: bool) -> GilHooks<'a, 'py> {
        GilHooks {
            event_loop,
            hears_signals,
            detached: Cell::new(std::ptr::null_mut()),
            busy_iterations: Cell::new(0),
            last_detached: Cell::new(Instant::now()),
        }
    }

    /// Whether other threads have waited long enough, in a loop that does not sleep.
    fn is_their_turn(&self) -> bool {
        let busy = self.busy_iterations.get() + 1;
        self.busy_iterations.set(busy % READ_CLOCK_EVERY);
        busy == READ_CLOCK_EVERY && {
            let now = Instant::now();
            let due = now.duration_since(self.last_detached.get()) >= TURN;
            if due {
                self.last_detached.set(now);
            }
            due
        }
    }
}

impl PollHooks for GilHooks<'_, '_> {
    #[inline]
    fn before_poll(&self, may_block: bool) -> bool {
        if !may_block && !self.is_their_turn() {
            return false;
        }
        self.event_loop.get().sleep.begin();
        // SAFETY: `Loop.run` is on the stack of an attached thread, and callbacks leave it so.
        self.detached.set(unsafe { ffi::PyEval_SaveThread() });
        if cfg!(PyPy) && !may_block {
            std::thread::sleep(PYPY_LOOKS_EVERY * 3);
        }
        true
    }

    #[inline]
    fn after_poll(&self) {
        // To wait for the GIL is no sleep.
        self.event_loop.get().sleep.end();
        // SAFETY: the state that `before_poll` detached on this very thread.
        unsafe { ffi::PyEval_RestoreThread(self.detached.replace(std::ptr::null_mut())) };
    }
    /// Python's wakeup fd would have told of the signal, were it the loop's still: a callback may have set another, or
    /// there was no descriptor for it.
    fn interrupted(&self) -> bool {
        self.hears_signals
    }

    fn after_interruption(&self) {
        if let Err(error) = signals::check(self.event_loop.py()) {
            Loop::handle_exception(self.event_loop, error, None);
        }
    }
}
