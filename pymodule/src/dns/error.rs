//! How `pyuv-dns`'s errors become Python's.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyuv_dns::Error;

use crate::error::{DNSError, UVError};

/// c-ares's refusals become `DNSError(code, message)`, values that never reached it ValueError.
pub fn to_py(error: Error) -> PyErr {
    match error {
        Error::Ares { code, .. } => DNSError::new_err((code.0, error.to_string())),
        Error::Invalid(message) => PyValueError::new_err(message),
        Error::Loop(error) => crate::error::to_py::<UVError>(error),
    }
}
