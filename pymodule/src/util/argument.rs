//! How arguments of `pyuv.util` come in, and how what libuv says about them goes out.

use std::path::PathBuf;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyuv::{Code, Error};

use crate::error::{UVError, in_call, to_py};
pub use crate::number::Int;

/// Anything, for whether it is true.
pub struct Truth(pub bool);

impl<'a, 'py> FromPyObject<'a, 'py> for Truth {
    type Error = PyErr;

    #[inline]
    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Truth> {
        object.is_truthy().map(Truth)
    }
}

/// A path: str, bytes or path-like.
pub struct AnyPath(pub PathBuf);

impl<'a, 'py> FromPyObject<'a, 'py> for AnyPath {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<AnyPath> {
        let path = object.py().import("os")?.call_method1("fsdecode", (object,))?;
        path.extract().map(AnyPath)
    }
}

/// The exception for a call that failed: ValueError where libuv refused the value of an argument,
/// UVError for everything else.
pub fn refused(call: &'static str) -> impl FnOnce(Error) -> PyErr {
    move |error: Error| match error.code() {
        Some(Code::EINVAL | Code::E2BIG) => PyValueError::new_err(error.to_string()),
        _ => to_py::<UVError>(error.in_call(call)),
    }
}

/// The exception for a call without arguments that failed.
pub fn failed(call: &'static str) -> impl FnOnce(Error) -> PyErr {
    in_call::<UVError>(call)
}
