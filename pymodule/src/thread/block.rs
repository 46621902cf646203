//! Waiting with the GIL released, and with an ear for Ctrl-C.

use std::time::{Duration, Instant};

use pyo3::prelude::*;
use pyuv::thread::{Attempt, Ticket};

use crate::error::{ThreadError, to_py};
use crate::main_thread::on_main_thread;

/// How long the main thread sleeps before it looks for signals: a signal alone wakes no lock.
const SLICE: Duration = Duration::from_millis(50);

/// Attempts until it is done. What a signal handler raises ends the wait.
pub fn block<'a, T>(
    py: Python<'_>,
    mut attempt: impl FnMut() -> pyuv::Result<Attempt<'a, T>>,
) -> PyResult<T> {
    loop {
        match attempt().map_err(to_py::<ThreadError>)? {
            Attempt::Done(value) => return Ok(value),
            Attempt::Wait(ticket) => {
                // A call is answered by the next attempt, before anything else.
                sleep(py, ticket, None)?;
            }
        }
    }
}

/// Sleeps on `ticket`, to the deadline at most; says whether the thread was called. What a signal
/// handler raises ends the sleep.
pub fn sleep(py: Python<'_>, ticket: Ticket<'_>, deadline: Option<Instant>) -> PyResult<bool> {
    let main_thread = on_main_thread();
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let slice = match left {
            Some(left) if main_thread => Some(left.min(SLICE)),
            None if main_thread => Some(SLICE),
            left => left,
        };
        if py.detach(|| ticket.wait(slice)) {
            return Ok(true);
        }
        if main_thread {
            crate::signals::check(py)?;
        }
        if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            return Ok(ticket.give_up());
        }
    }
}
