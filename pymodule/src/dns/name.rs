//! A domain name as an argument.

use pyo3::exceptions::{PyTypeError, PyUnicodeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::number::type_name;

/// Calls `f` with the ASCII form of a name: a `str`, encoded with IDNA where it is not ASCII, or
/// ASCII `bytes`. The ValueError for anything else names it.
pub fn with_name<T>(object: &Bound<'_, PyAny>, f: impl FnOnce(&str) -> PyResult<T>) -> PyResult<T> {
    let encoded;
    let bytes = if let Ok(text) = object.cast::<PyString>() {
        match text.to_str() {
            Ok(text) if text.is_ascii() => return f(text),
            _ => {}
        }
        encoded = idna(text)?;
        &encoded
    } else if let Ok(bytes) = object.cast::<PyBytes>() {
        bytes
    } else {
        let given = type_name(object);
        return Err(PyTypeError::new_err(format!("a domain name is str or bytes, not {given}")));
    };
    match str::from_utf8(bytes.as_bytes()) {
        Ok(text) if text.is_ascii() => f(text),
        _ => Err(bad(object, "bytes must be ASCII")),
    }
}

/// A name encoded with IDNA. The ValueError for one that cannot be names it.
pub fn idna<'py>(text: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyBytes>> {
    match text.call_method1("encode", ("idna",)) {
        Err(error) if error.is_instance_of::<PyUnicodeError>(text.py()) => {
            Err(bad(text, &error.value(text.py()).to_string()))
        }
        encoded => Ok(encoded?.cast_into()?),
    }
}

fn bad(object: &Bound<'_, PyAny>, fault: &str) -> PyErr {
    match object.repr() {
        Ok(repr) => PyValueError::new_err(format!("bad domain name {repr}: {fault}")),
        Err(error) => error,
    }
}
