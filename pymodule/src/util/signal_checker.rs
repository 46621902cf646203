//! `pyuv.util.SignalChecker`.

use pyo3::prelude::*;
use pyuv::Events;

use crate::error::{SignalError, in_call};
use crate::handle::{Handle, handle_class};
use crate::r#loop::Loop;
use crate::poll;

handle_class! {
    /// Runs Python's signal handlers when the wakeup fd says that a signal has come.
    ///
    /// For programs that call `signal.set_wakeup_fd` themselves and give the other end of that
    /// socket here, whose bytes are read and dropped. `Loop.run` on the main thread needs none:
    /// it watches for signals by itself.
    SignalChecker: "(loop, fd)" in "pyuv.util"
}

#[pymethods]
impl SignalChecker {
    /// `fd` is the readable end, a number or an object with `fileno()`. Raises SignalError with
    /// UV_EBADF, UV_EPERM or UV_EEXIST as `Poll` does.
    fn __init__(
        slf: &Bound<'_, Self>,
        r#loop: &Bound<'_, Loop>,
        fd: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        poll::init::<SignalError>(slf.as_super(), r#loop, fd)
    }

    /// Watches the descriptor (`uv_poll_start`).
    fn start(slf: &Bound<'_, Self>) -> PyResult<()> {
        let base = slf.as_super();
        let held = Handle::hold(base)?;
        base.get()
            .core_as::<pyuv::Poll>()?
            .start(Events::READABLE, on_signals)
            .map_err(in_call::<SignalError>("start"))?;
        Handle::started(base, held, slf.py().None().into_bound(slf.py()));
        Ok(())
    }

    /// Watches it no more (`uv_poll_stop`).
    fn stop(slf: &Bound<'_, Self>) -> PyResult<()> {
        poll::stop::<SignalError>(slf.as_super())
    }
}

fn on_signals(poll: &pyuv::Poll, _outcome: pyuv::Result<Events>) {
    Handle::dispatch(poll, "signal", |slf, _callback| {
        if let Ok(fd) = poll.fileno() {
            drain(fd);
        }
        crate::signals::check(slf.py())
    });
}

/// Reads what there is, without waiting: libuv has made the descriptor non-blocking, but anybody can make it
/// block again, or have put something else in its place. What is left the loop tells of again.
fn drain(fd: i32) {
    const AT_MOST: usize = 32;
    let mut ready = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    let mut bytes = [0u8; 256];
    for _ in 0..AT_MOST {
        // SAFETY: the struct and the buffer are ours, and as long as is said.
        let read = unsafe {
            if libc::poll(&raw mut ready, 1, 0) != 1 || ready.revents & libc::POLLIN == 0 {
                return;
            }
            libc::read(fd, bytes.as_mut_ptr().cast(), bytes.len())
        };
        if read <= 0 {
            return;
        }
    }
}
