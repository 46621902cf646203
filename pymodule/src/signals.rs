//! Running Python's handlers of signals that have come, from Rust that takes its time.

use pyo3::prelude::*;

/// Runs the handlers, on the main thread; gives what one of them raises.
#[cfg(not(PyPy))]
#[inline]
pub fn check(py: Python<'_>) -> PyResult<()> {
    py.check_signals()
}

/// PyPy's `PyErr_CheckSignals` does nothing. PyPy looks for signals when it goes on in Python code; in
/// what it has compiled, as it soon has this, at the end of a loop's turn alone.
#[cfg(PyPy)]
pub fn check(py: Python<'_>) -> PyResult<()> {
    static TURN: crate::once::Once<Py<PyAny>> = crate::once::Once::new();
    let turn = TURN.get_or_try_init(py, || {
        PyResult::Ok(py.eval(c"lambda: [_ for _ in (None,)]", None, None)?.unbind())
    })?;
    turn.bind(py).call0().map(|_| ())
}
