//! Arguments on their way from Python; the errors name the argument and the value.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::number::type_name;

/// A `str`, or `bytes` that are UTF-8.
pub fn text(what: &str, object: &Bound<'_, PyAny>) -> PyResult<String> {
    let decoded = if let Ok(text) = object.cast::<PyString>() {
        text.to_str().ok()
    } else if let Ok(bytes) = object.cast::<PyBytes>() {
        str::from_utf8(bytes.as_bytes()).ok()
    } else {
        let given = type_name(object);
        return Err(PyTypeError::new_err(format!("{what} must be str or bytes, not {given}")));
    };
    match decoded {
        Some(text) => Ok(text.to_owned()),
        None => {
            let repr = object.repr()?;
            Err(PyValueError::new_err(format!("bad {what} {repr}: it is not UTF-8")))
        }
    }
}

/// What to raise for `error`, met on the way to a value: `say`, if it does but tell that the type is
/// wrong; otherwise the error itself, which Python code of the value's may have raised.
pub fn wrong_type(py: Python<'_>, error: PyErr, say: impl FnOnce() -> PyErr) -> PyErr {
    if error.is_instance_of::<PyTypeError>(py) { say() } else { error }
}
