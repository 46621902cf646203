//! `pyuv.error`: the exception classes, and how the crates' errors become them.

use pyo3::exceptions::{PyOSError, PyRuntimeError};
use pyo3::prelude::*;
use pyuv::Error;

use crate::fs::About;
use crate::once::intern;

macro_rules! exceptions {
    ($($name:ident)*) => {
        $(pyo3::import_exception!(pyuv.error, $name);)*

        /// Imports all of them: when the interpreter ends, nothing can be imported.
        pub fn import_all(py: Python<'_>) {
            $(<$name as pyo3::PyTypeInfo>::type_object(py);)*
        }
    };
}

exceptions! {
    UVError ThreadError FSError DNSError HandleError HandleClosedError AsyncError TimerError
    PrepareError IdleError CheckError SignalError PollError StreamError TCPError PipeError TTYError
    UDPError ProcessError FSEventError FSPollError
}

/// Makes the Python exception for `error`: libuv's refusals become `E(code, message)`.
pub fn to_py<E: pyo3::PyTypeInfo>(error: Error) -> PyErr {
    match error {
        Error::Uv(failure) => PyErr::new::<E, _>((failure.code.0, failure.to_string())),
        Error::HandleClosed => HandleClosedError::new_err(error.to_string()),
        misuse => PyRuntimeError::new_err(misuse.to_string()),
    }
}

/// [`to_py`] for the errors of `call`, whose name the exception tells.
pub fn in_call<E: pyo3::PyTypeInfo>(call: &'static str) -> impl FnOnce(Error) -> PyErr {
    move |error| to_py::<E>(error.in_call(call))
}

/// The exception with the path that the call was about.
pub fn with_filename(error: PyErr, path: &Bound<'_, PyAny>) -> PyErr {
    let value = error.value(path.py());
    if !value.is_instance_of::<UVError>() || value.is_instance_of::<HandleClosedError>() {
        return error;
    }
    match value.setattr(intern!(path.py(), "filename"), path) {
        Ok(()) => error,
        Err(failed) => failed,
    }
}

/// Makes the OSError for `error` that Python has for its number, as `pyuv.asyncio` raises it.
pub fn to_os_error(error: Error) -> PyErr {
    match error.code() {
        Some(code) => {
            let number = -code.0;
            let text = std::io::Error::from_raw_os_error(number).to_string();
            let text = text.split(" (os error").next().unwrap_or_default().to_owned();
            PyOSError::new_err((number, text))
        }
        None => PyRuntimeError::new_err(error.to_string()),
    }
}

/// The exception for an error of a filesystem operation, with the paths that it was about; one of
/// a write that knows has `bytes_written`.
pub fn fs_error(py: Python<'_>, error: Error, about: About) -> PyErr {
    let written = error.written();
    let raised = to_py::<FSError>(error.in_call(about.call));
    let set = || {
        let value = raised.value(py);
        if !value.is_instance_of::<FSError>() {
            return Ok(());
        }
        if let Some(path) = about.path {
            value.setattr(intern!(py, "filename"), path)?;
        }
        if let Some(path) = about.path2 {
            value.setattr(intern!(py, "filename2"), path)?;
        }
        if let Some(written) = written {
            value.setattr(intern!(py, "bytes_written"), written)?;
        }
        PyResult::Ok(())
    };
    match set() {
        Ok(()) => raised,
        Err(failed) => failed,
    }
}
