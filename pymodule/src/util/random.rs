//! `random`.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use pyuv::util;

use super::argument::{Int, refused};

/// Between two looks for Ctrl-C: a few milliseconds' worth.
const AT_ONCE: usize = 1 << 20;

/// `n` cryptographically strong random bytes.
///
/// It waits while the system has no entropy yet, soon after the machine starts. Raises ValueError
/// for a negative `n` and for one above 2147483647, UVError when the system refuses. `uv_random`
#[pyfunction]
fn random<'py>(py: Python<'py>, n: Int<usize>) -> PyResult<Bound<'py, PyBytes>> {
    if n.0 > i32::MAX as usize {
        return Err(PyValueError::new_err(format!("{} is more than 2147483647 bytes", n.0)));
    }
    PyBytes::new_with(py, n.0, |buffer| {
        for part in buffer.chunks_mut(AT_ONCE) {
            py.detach(|| util::random(part)).map_err(refused("random"))?;
            crate::signals::check(py)?;
        }
        Ok(())
    })
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(random, module)?)
}
