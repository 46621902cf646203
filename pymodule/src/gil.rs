//! Letting go of the GIL while the loop sleeps: once per iteration, not once per callback.

use std::cell::Cell;
use std::time::{Duration, Instant};

use pyo3::ffi;
use pyo3::prelude::*;
use pyuv::PollHooks;

use crate::exit;

/// How long a loop that never sleeps keeps the GIL: twice CPython's switch interval. A thread that
/// waits asks for the GIL when it has been kept for one interval, and CPython sees to it that the
/// thread gets it at the next release; a release that nobody has asked for is over before a waiting
/// thread has woken up, and has it wait for another interval.
const TURN: Duration = Duration::from_millis(10);

/// A clock is read only every so many iterations that do not sleep.
const READ_CLOCK_EVERY: u32 = 32;

/// Detaches this thread before the poll phase and attaches it again before the phase's first
/// callback.
///
/// PyO3 does not see this: between the two no `Py` may be made, cloned or dropped, and every
/// callback comes through the core's one test that calls `after_poll`.
pub struct GilHooks {
    detached: Cell<*mut ffi::PyThreadState>,
    main_thread: bool,
    busy_iterations: Cell<u32>,
    last_detached: Cell<Instant>,
}

impl GilHooks {
    pub fn new(_py: Python<'_>, main_thread: bool) -> GilHooks {
        GilHooks {
            detached: Cell::new(std::ptr::null_mut()),
            main_thread,
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

impl PollHooks for GilHooks {
    #[inline]
    fn before_poll(&self, may_block: bool) -> bool {
        if !may_block && !self.is_their_turn() {
            return false;
        }
        // SAFETY: `Loop.run` is on the stack of an attached thread, and callbacks leave it so.
        self.detached.set(unsafe { ffi::PyEval_SaveThread() });
        true
    }

    #[inline]
    fn after_poll(&self) {
        if exit::is_finalizing() && !self.main_thread {
            exit::hang();
        }
        // SAFETY: the state that `before_poll` detached on this very thread.
        unsafe { ffi::PyEval_RestoreThread(self.detached.replace(std::ptr::null_mut())) };
    }
}

/// In a callback of the core: the Python object that the callback is about, by its address.
///
/// # Safety
/// The caller is such a callback, of a loop that `Loop.run` or `Loop.close` runs, so that the hooks
/// have attached the thread. `address` is that of a living `T`.
#[inline]
pub unsafe fn object_in_callback<'py, T>(address: usize) -> Bound<'py, T> {
    // SAFETY: may be asked on any thread.
    debug_assert!(unsafe { ffi::PyGILState_Check() } == 1, "a callback ran detached");
    // SAFETY: the caller says so.
    unsafe {
        let py = Python::assume_attached();
        Bound::from_borrowed_ptr(py, address as *mut ffi::PyObject).cast_into_unchecked::<T>()
    }
}
