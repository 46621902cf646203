//! Arguments on their way from Python; the errors name the argument and the value.

use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

/// The name of an object's type, for messages.
pub fn type_name(object: &Bound<'_, PyAny>) -> String {
    object.get_type().name().map_or_else(|_| "that".to_owned(), |name| name.to_string())
}

/// A number, unless it does not fit.
pub fn number<T: TryFrom<i64>>(
    what: &str,
    value: Option<&Bound<'_, PyAny>>,
) -> PyResult<Option<T>> {
    let Some(value) = value else { return Ok(None) };
    let number = match value.extract::<i64>() {
        Err(error) if !error.is_instance_of::<PyOverflowError>(value.py()) => {
            let given = type_name(value);
            return Err(PyTypeError::new_err(format!("{what} must be an int, not {given}")));
        }
        number => number.ok().and_then(|number| number.try_into().ok()),
    };
    match number {
        Some(number) => Ok(Some(number)),
        None => Err(PyValueError::new_err(format!("{what} {} is out of range", value.str()?))),
    }
}

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
