//! Which interpreter this is: the module is for the main one alone.

use pyo3::exceptions::PyImportError;
use pyo3::ffi;
use pyo3::prelude::*;

/// ImportError in a subinterpreter: loops, pools and what is looked up once are the process's.
pub fn require_main(_py: Python<'_>) -> PyResult<()> {
    // SAFETY: this thread is attached, as the token says.
    if unsafe { ffi::PyInterpreterState_Get() == ffi::PyInterpreterState_Main() } {
        return Ok(());
    }
    Err(PyImportError::new_err("pyuv can be used in the main interpreter alone"))
}
