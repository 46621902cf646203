//! A domain name as an argument.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::number::type_name;

/// Calls `f` with a name: a `str`, which `pyuv-dns` encodes with IDNA where it is not ASCII, or ASCII
/// `bytes`. The ValueError for anything else names it.
pub fn with_name<T>(object: &Bound<'_, PyAny>, f: impl FnOnce(&str) -> PyResult<T>) -> PyResult<T> {
    if let Ok(text) = object.cast::<PyString>() {
        return match text.to_str() {
            Ok(text) => f(text),
            Err(_) => Err(bad(object, "it holds surrogates")),
        };
    }
    let Ok(bytes) = object.cast::<PyBytes>() else {
        let given = type_name(object);
        return Err(PyTypeError::new_err(format!("a domain name is str or bytes, not {given}")));
    };
    match str::from_utf8(bytes.as_bytes()) {
        Ok(text) if text.is_ascii() => f(text),
        _ => Err(bad(object, "bytes must be ASCII")),
    }
}

/// A name as it is asked for: encoded with IDNA where it is not ASCII.
#[pyfunction]
#[pyo3(signature = (name, /))]
pub fn to_ascii(name: &str) -> PyResult<String> {
    pyuv_dns::idna::to_ascii(name).map(Into::into).map_err(super::error::to_py)
}

fn bad(object: &Bound<'_, PyAny>, fault: &str) -> PyErr {
    match object.repr() {
        Ok(repr) => PyValueError::new_err(format!("bad domain name {repr}: {fault}")),
        Err(error) => error,
    }
}
