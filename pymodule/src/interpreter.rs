//! Which interpreter this is: the module is for the main one alone.

use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;

/// ImportError in a subinterpreter: loops, pools and what is looked up once are the process's.
pub fn require_main(py: Python<'_>) -> PyResult<()> {
    if is_main(py) {
        return Ok(());
    }
    Err(PyImportError::new_err("pyuv can be used in the main interpreter alone"))
}

#[cfg(not(PyPy))]
fn is_main(_py: Python<'_>) -> bool {
    // SAFETY: this thread is attached, as the token says.
    unsafe { pyo3::ffi::PyInterpreterState_Get() == pyo3::ffi::PyInterpreterState_Main() }
}

/// PyPy has no other.
#[cfg(PyPy)]
fn is_main(_py: Python<'_>) -> bool {
    true
}
