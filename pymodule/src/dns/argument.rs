//! Options on their way from Python; the errors name the option and the value.

use std::path::PathBuf;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::argument::wrong_type;
use crate::number::type_name;

/// The strings of an iterable. One string by itself would be taken for its characters.
pub fn strings(what: &str, items: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    let wrong = |given: &Bound<'_, PyAny>| match given.repr() {
        Ok(repr) => PyTypeError::new_err(format!("{what} must be a list of str, not {repr}")),
        Err(error) => error,
    };
    if items.is_instance_of::<PyString>() {
        return Err(wrong(items));
    }
    let string = |item: Bound<'_, PyAny>| match item.cast::<PyString>() {
        Ok(text) => Ok(text.to_str()?.to_owned()),
        Err(_) => {
            let given = item.repr()?;
            Err(PyTypeError::new_err(format!("{what} must be a list of str, but one is {given}")))
        }
    };
    let given = items.try_iter();
    let given = given.map_err(|error| wrong_type(items.py(), error, || wrong(items)))?;
    given.map(|item| string(item?)).collect()
}

/// Name servers: an iterable of addresses, or one str with commas or spaces between them.
pub fn servers(items: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    match items.cast::<PyString>() {
        Ok(csv) => Ok(pyuv_dns::split_servers(csv.to_str()?)),
        Err(_) => strings("servers", items),
    }
}

/// A path: str or path-like.
pub fn path(what: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    let path = value.extract::<PathBuf>().map_err(|error| {
        wrong_type(value.py(), error, || {
            PyTypeError::new_err(format!("{what} must be a path, not {}", type_name(value)))
        })
    })?;
    match path.into_os_string().into_string() {
        Ok(path) => Ok(path),
        Err(path) => Err(PyValueError::new_err(format!("{what} {path:?} is not UTF-8"))),
    }
}
