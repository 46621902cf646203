//! `pyuv.errno`: libuv's error codes.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyuv::Code;

/// The message for an error code (`uv_strerror`).
///
/// Raises ValueError for a number that is not an error code, that is, not negative.
#[pyfunction]
#[pyo3(signature = (errorno, /))]
fn strerror(errorno: i32) -> PyResult<String> {
    if errorno >= 0 {
        return Err(PyValueError::new_err(format!(
            "{errorno} is not a libuv error code: those are negative"
        )));
    }
    Ok(Code(errorno).message())
}

/// Adds `strerror` and `errorcode`, the dict from code to name.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(strerror, module)?)?;
    let names = PyDict::new(module.py());
    for (name, code) in Code::ALL {
        names.set_item(code.0, *name)?;
    }
    module.add("errorcode", names)
}
