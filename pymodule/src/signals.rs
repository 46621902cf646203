//! Running Python's handlers of signals that have come, from Rust that takes its time.

use pyo3::prelude::*;

/// Runs the handlers, on the main thread; gives what one of them raises.
#[cfg(not(PyPy))]
#[inline]
pub fn check(py: Python<'_>) -> PyResult<()> {
    py.check_signals()
}

/// PyPy's `PyErr_CheckSignals` does nothing. Python code that goes on looks for signals only after PyPy's ticker has
/// run out, and another thread that came first may have set that anew and not have looked yet. What changes
/// the mask of signals looks for itself, and here changes nothing.
#[cfg(PyPy)]
pub fn check(py: Python<'_>) -> PyResult<()> {
    use pyo3::types::PyTuple;

    use crate::once::Once;

    static MASK: Once<Py<PyAny>> = Once::new();
    let mask = MASK.import(py, "_signal", "pthread_sigmask")?;
    mask.call1((libc::SIG_BLOCK, PyTuple::empty(py))).map(drop)
}
