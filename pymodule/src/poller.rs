//! `Poller`: an iteration of a loop that says which descriptors were ready, and calls nobody.
//!
//! For event loops that call their own callbacks: no frame of `uv_run` is on the stack when they do, so that a
//! callback may switch greenlets, run the loop again, or take away a descriptor that was ready too.

use std::cell::RefCell;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};
use pyuv::{Async, Events, Handle as CoreHandle, Held, Owned, Poll, RunMode, Timer};
use rustc_hash::FxHashMap;

use crate::error::{UVError, to_os_error, to_py};
use crate::r#loop::Loop;

/// What the core calls the handles of a poller's own.
const PART_OF: &str = "a poller";

/// No wait is longer; whoever has nothing to do by then waits again.
const LONGEST: f64 = 24.0 * 3600.0;

/// libuv asks the kernel again at once where it had so many events to tell.
const BATCH: usize = 1024;

/// Watches descriptors, and runs its loop one iteration at a time.
#[pyclass(module = "pyuv._pyuv", frozen)]
pub struct Poller {
    event_loop: Py<Loop>,
    /// Wakes the loop, and keeps it waiting where nothing else does.
    wake: Async,
    /// Ends a wait.
    timer: Timer,
    polls: Owned<RefCell<FxHashMap<i32, Poll>>>,
    ready: Arc<Ready>,
}

/// What is ready, in the order in which the kernel told.
type Ready = Owned<RefCell<Vec<(i32, i32)>>>;

impl Poller {
    fn core<'a>(&'a self, py: Python<'a>) -> PyResult<&'a pyuv::Loop> {
        self.event_loop.bind(py).get().core()
    }

    /// Has the loop iterate, and wait so many seconds at most, or as long as it takes.
    fn turn(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<()> {
        let turns = Loop::turns(self.event_loop.bind(py), false)?;
        let waits = timeout != Some(0.0);
        if waits {
            self.set_timer(turns.held(), timeout).map_err(to_py::<UVError>)?;
        }
        self.wake.set_ref(true).map_err(to_py::<UVError>)?;
        let outcome = turns.turn(if waits { RunMode::Once } else { RunMode::NoWait });
        // Closed by a callback it keeps nobody.
        let _ = self.wake.set_ref(false);
        outcome.map(drop)
    }

    fn set_timer(&self, held: &Held, timeout: Option<f64>) -> pyuv::Result<()> {
        match timeout {
            None => self.timer.stop(),
            Some(seconds) => {
                // The core's clock is that of its last poll.
                held.event_loop().update_time()?;
                let milliseconds = (seconds.min(LONGEST) * 1e3).ceil();
                self.timer.restart(Duration::from_millis(milliseconds as u64))
            }
        }
    }
}

#[pymethods]
impl Poller {
    #[new]
    fn new(event_loop: &Bound<'_, Loop>) -> PyResult<Poller> {
        let core = event_loop.get().core()?;
        let open = || {
            let wake = Async::new(core, |_| ())?;
            wake.hide(PART_OF)?;
            wake.set_ref(false)?;
            let timer = Timer::new(core)?;
            timer.hide(PART_OF)?;
            timer.set_ref(false)?;
            pyuv::Result::Ok((wake, timer))
        };
        let (wake, timer) = open().map_err(to_py::<UVError>)?;
        Ok(Poller {
            event_loop: event_loop.clone().unbind(),
            wake,
            timer,
            polls: Owned::new(core, RefCell::default()),
            ready: Arc::new(Owned::new(core, RefCell::default())),
        })
    }

    /// Watches a descriptor for UV_READABLE, UV_WRITABLE, both, or with 0 no more, from now on.
    ///
    /// It is to be watched no more before it is closed. An OSError says why it cannot be watched: EPERM for a
    /// regular file, EEXIST for one that a handle of the loop's watches.
    fn watch(&self, py: Python<'_>, fd: i32, events: i32) -> PyResult<()> {
        let wanted = Events::from_bits(events)
            .filter(|events| (Events::READABLE | Events::WRITABLE).contains(*events))
            .ok_or_else(|| {
                PyValueError::new_err(format!(
                    "events must be UV_READABLE, UV_WRITABLE, both or 0, not {events}"
                ))
            })?;
        let core = self.core(py)?;
        let held = core.hold().map_err(to_py::<UVError>)?;
        let polls = self.polls.get(&held);
        if wanted.is_empty() {
            if let Some(poll) = polls.borrow_mut().remove(&fd) {
                close(poll);
            }
            return Ok(());
        }
        if !polls.borrow().contains_key(&fd) {
            let poll = Poll::new(core, fd).map_err(to_os_error)?;
            poll.hide(PART_OF).map_err(to_os_error)?;
            // What the loop waits for is `wake`: whether others' handles are alive is theirs to say.
            poll.set_ref(false).map_err(to_os_error)?;
            polls.borrow_mut().insert(fd, poll);
        }
        let ready = Arc::clone(&self.ready);
        let outcome = match polls.borrow().get(&fd) {
            Some(poll) => poll.start(wanted, move |poll, outcome| {
                // Of a descriptor that is gone both sides are to learn by themselves.
                let events = outcome.unwrap_or(Events::READABLE | Events::WRITABLE) & wanted;
                if let Ok(held) = poll.hold() {
                    ready.get(&held).borrow_mut().push((fd, events.bits()));
                }
            }),
            None => Ok(()),
        };
        outcome.map_err(|error| {
            // As if it had never been watched.
            if let Some(poll) = polls.borrow_mut().remove(&fd) {
                close(poll);
            }
            to_os_error(error)
        })
    }

    /// Has the loop do what there is, and wait for that `timeout` seconds at most, as long as it takes with
    /// None (`uv_run`). Gives the descriptors that are ready, as (number, events); none where the time is over,
    /// `wake` was called or a handle of the loop's has called its callback.
    ///
    /// A wait may end early; whoever has nothing to do by then waits again. A descriptor that is closed while it
    /// is watched is given as ready, once.
    #[pyo3(signature = (timeout=None))]
    fn poll(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Vec<(i32, i32)>> {
        if timeout.is_some_and(|seconds| seconds.is_nan() || seconds < 0.0) {
            return Err(PyValueError::new_err("timeout must not be negative"));
        }
        let held = self.core(py)?.hold().map_err(to_py::<UVError>)?;
        let ready = self.ready.get(&held);
        // Somebody else has run the loop since, or a callback's exception came between.
        let left = !ready.borrow().is_empty();
        self.turn(py, timeout)?;
        let ready = ready.take();
        Ok(if left || ready.len() >= BATCH { merged(ready) } else { ready })
    }

    /// Ends a wait, from any thread (`uv_async_send`); the next one, if nobody waits.
    fn wake(&self) -> PyResult<()> {
        self.wake.send().map_err(to_py::<UVError>)
    }

    /// Has `listener` called with the numbers of signals that come, as `bytes`, and waits end for them; no more
    /// with None. For the main thread.
    #[pyo3(signature = (listener))]
    fn listen_for_signals(
        &self,
        listener: Option<Bound<'_, PyAny>>,
        py: Python<'_>,
    ) -> PyResult<i32> {
        Loop::listen_for_signals(self.event_loop.bind(py), listener)
    }

    /// Watches nothing any more.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let held = self.core(py)?.hold_even_closed().map_err(to_py::<UVError>)?;
        for (_, poll) in self.polls.get(&held).take() {
            close(poll);
        }
        // Those that are closed already say so.
        let _ = self.wake.close(|_| ());
        let _ = self.timer.close(|_| ());
        Ok(())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.event_loop)
    }
}

impl Drop for Poller {
    fn drop(&mut self) {
        for poll in self.polls.get_mut().take().into_values() {
            CoreHandle::from(poll).discard();
        }
        for handle in [CoreHandle::clone(&self.wake), CoreHandle::clone(&self.timer)] {
            handle.discard();
        }
    }
}

/// Each descriptor once.
fn merged(ready: Vec<(i32, i32)>) -> Vec<(i32, i32)> {
    let mut places: FxHashMap<i32, usize> = FxHashMap::default();
    let mut merged: Vec<(i32, i32)> = Vec::with_capacity(ready.len());
    for (fd, events) in ready {
        match places.entry(fd) {
            Entry::Occupied(place) => merged[*place.get()].1 |= events,
            Entry::Vacant(place) => {
                place.insert(merged.len());
                merged.push((fd, events));
            }
        }
    }
    merged
}

/// Closes a poll; where its loop is another thread's, that one does.
fn close(poll: Poll) {
    if poll.close(|_| ()).is_err() {
        CoreHandle::from(poll).discard();
    }
}
