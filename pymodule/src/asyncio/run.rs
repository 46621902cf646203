//! The turns of an event loop: poll, timers, one round of the queue.
//!
//! While callbacks are ready the poll may be left out for a few rounds: libuv's clock and epoll cost as
//! much as several callbacks. The bound is in rounds and in time, so that whoever reschedules itself
//! for ever keeps nobody's data waiting.

use std::time::Duration;

use pyo3::prelude::*;
use pyuv::{Held, RunMode};

use super::handles::{self, Handle, Parts};
use super::ready::{Entry, call};
use super::scheduler::{Scheduler, State};
use crate::error::{UVError, to_py};
use crate::excepthook::ends_the_program;
use crate::r#loop::{Loop, Turns};
use crate::once::intern;
use crate::sleep::nanoseconds;

/// So many rounds of the queue may go by without a poll,
const ROUNDS: usize = 8;
/// and so many nanoseconds.
const SOON: u64 = 100_000;

/// Timers go off that much too early at most: asyncio's `_clock_resolution` on Linux.
const RESOLUTION: f64 = 1e-9;

/// The clock of the loop, in seconds (`time.monotonic`).
pub fn clock() -> f64 {
    seconds(nanoseconds())
}

fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}

/// The event loop runs: what it has on the core keeps that alive only meanwhile.
struct Running<'a, 'py>(&'a Scheduler, &'a State, Python<'py>);

impl<'a, 'py> Running<'a, 'py> {
    fn begin(
        scheduler: &'a Scheduler,
        state: &'a State,
        py: Python<'py>,
    ) -> PyResult<Running<'a, 'py>> {
        scheduler.wake()?.set_ref(true).map_err(to_py::<UVError>)?;
        state.running.set(true);
        Ok(Running(scheduler, state, py))
    }
}

impl Drop for Running<'_, '_> {
    fn drop(&mut self) {
        self.1.running.set(false);
        // From here on the loop may be garbage, and what is queued with it.
        self.1.ready.track(self.2);
        // A `stop` that nobody has answered.
        self.0.take_stopping();
        // Where somebody has closed them they keep nothing.
        if let (Ok(wake), Ok(timer)) = (self.0.wake(), self.0.timer()) {
            let _ = wake.set_ref(false);
            let _ = timer.stop();
        }
    }
}

/// Runs until `Scheduler.stop`.
pub fn run(slf: &Bound<'_, Scheduler>) -> PyResult<()> {
    let this = slf.get();
    let event_loop = this.event_loop(slf.py())?;
    let turns = Loop::turns(event_loop, true)?;
    let state = this.state(turns.held());
    let _running = Running::begin(this, state, slf.py())?;
    let (metrics, sleep) = (this.metrics(), &event_loop.get().sleep);
    metrics.run_begins(sleep);
    loop {
        this.take_mail(state);
        poll(slf, &turns, state)?;
        this.take_mail(state);
        let polled = nanoseconds();
        let mut now = polled;
        let mut stops = false;
        for _ in 0..ROUNDS {
            while let Some(handle) = state.timers.pop_due(slf.py(), seconds(now) + RESOLUTION) {
                state.ready.push(Entry::Handle(handle.unbind()));
            }
            round(slf, state)?;
            stops = this.take_stopping();
            this.take_mail(state);
            now = nanoseconds();
            if stops || state.ready.is_empty() || now - polled >= SOON {
                break;
            }
        }
        metrics.turn_ends(sleep, now);
        if stops {
            return Ok(());
        }
    }
}

/// One iteration of the core: it waits if there is nothing to do, as long as there is not.
fn poll(slf: &Bound<'_, Scheduler>, turns: &Turns<'_, '_>, state: &State) -> PyResult<()> {
    let this = slf.get();
    let mut waits = state.ready.is_empty() && !this.is_stopping();
    if waits && let Some(when) = state.timers.first(slf.py()) {
        let left = (when - clock()).max(0.0);
        waits = left > 0.0;
        if waits {
            wake_after(this, turns.held(), left).map_err(to_py::<UVError>)?;
        }
    }
    state.inside.set(true);
    let outcome = turns.turn(if waits { RunMode::Once } else { RunMode::NoWait });
    state.inside.set(false);
    outcome.map(drop)
}

/// No timer waits longer at once; the loop looks again then.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Has the core's wait end after so many seconds.
fn wake_after(this: &Scheduler, held: &Held, seconds: f64) -> pyuv::Result<()> {
    let milliseconds = (seconds * 1e3).ceil();
    let wait = if milliseconds < LONGEST.as_millis() as f64 {
        Duration::from_millis(milliseconds as u64)
    } else {
        LONGEST
    };
    // The core's clock is that of its last poll.
    held.event_loop().update_time()?;
    match this.timer() {
        // It was never given anything to call: that the wait ends is all.
        Ok(timer) => timer.restart(wait),
        Err(_) => Ok(()),
    }
}

/// Calls what is ready now; what that makes ready is for another round.
fn round(slf: &Bound<'_, Scheduler>, state: &State) -> PyResult<()> {
    let due = state.ready.len();
    slf.get().metrics().round(due);
    for _ in 0..due {
        let Some(entry) = state.ready.pop() else { break };
        call_entry(slf, entry)?;
    }
    Ok(())
}

#[inline]
fn call_entry(slf: &Bound<'_, Scheduler>, entry: Entry) -> PyResult<()> {
    let py = slf.py();
    slf.get().metrics().callbacks.add(1);
    match entry {
        Entry::Call { callable, argument, context } => {
            let (callable, context) = (callable.bind(py), context.bind(py));
            let argument = argument.as_ref().map(|argument| argument.bind(py));
            let Err(error) = call(callable, argument, context) else { return Ok(()) };
            let args = pyo3::types::PyTuple::new(py, argument)?;
            let event_loop = slf.as_any();
            let handle = handles::handle(event_loop, callable.clone(), args, context.clone())?;
            report(slf, &handle, error)
        }
        Entry::Handle(object) => {
            let object = object.into_bound(py);
            // SAFETY: handles alone are made such entries.
            let handle = unsafe { Handle::of(&object)? };
            if handle.is_cancelled() {
                handles::track_if_kept(&object);
                return Ok(());
            }
            if slf.get().debug() {
                return slf.call_method1(intern!(py, "_run_in_debug"), (&object,)).map(drop);
            }
            if let Some(parts) = handle.take() {
                // Its memory is the next one's, which the callback may make.
                drop(object);
                let Err(error) = parts.call() else { return Ok(()) };
                let Parts { callback, args, context } = parts;
                let handle = handles::handle(slf.as_any(), callback, args, context)?;
                return report(slf, &handle, error);
            }
            // Somebody keeps it.
            handles::track(&object);
            match handle.run() {
                Ok(()) => Ok(()),
                Err(error) => report(slf, &object, error),
            }
        }
    }
}

/// Hands an exception of a callback to the loop's handler; one that ends the program goes on.
#[cold]
fn report(slf: &Bound<'_, Scheduler>, handle: &Bound<'_, PyAny>, error: PyErr) -> PyResult<()> {
    let py = slf.py();
    handles::track(handle);
    if ends_the_program(py, &error) {
        return Err(error);
    }
    slf.call_method1(intern!(py, "_report"), (handle, error.value(py))).map(drop)
}
