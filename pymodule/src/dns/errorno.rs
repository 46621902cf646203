//! `pyuv.dns.ErrorNumber`: a c-ares code that says what was wrong.

use pyo3::prelude::*;
use pyuv_dns::{Code, Error};

use crate::once::Once;

fn class(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static CLASS: Once<Py<PyAny>> = Once::new();
    CLASS.import(py, "pyuv.dns._errorno", "ErrorNumber")
}

/// What a callback gets for an error: its code, with the reason if there is one.
pub fn errorno<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    let (code, reason) = match error {
        Error::Ares { code, what } => (*code, &**what),
        _ => (Code::EBADRESP, ""),
    };
    match reason {
        "" => Ok(code.0.into_pyobject(py)?.into_any()),
        reason => class(py)?.call1((code.0, reason)),
    }
}

/// The reason that a code has.
pub fn reason(code: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    if code.is_instance(class(code.py())?)? { code.getattr("reason")?.extract() } else { Ok(None) }
}
