//! `pyuv.error`: the exception classes, and how the crates' errors become them.

use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyRuntimeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyuv::Error;

macro_rules! exceptions {
    ($($name:ident($base:ty): $doc:literal;)*) => {
        $(create_exception!(pyuv.error, $name, $base, $doc);)*

        /// Adds every exception class to the extension module.
        pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
            let py = module.py();
            $(module.add(stringify!($name), py.get_type::<$name>())?;)*
            py.get_type::<FSError>().setattr(intern!(py, "bytes_written"), py.None())
        }
    };
}

exceptions! {
    UVError(PyException): "An error of libuv; args are (code, message).";
    ThreadError(UVError): "A thread primitive was misused.";
    FSError(UVError): "A filesystem operation failed.";
    DNSError(UVError): "A c-ares call failed; args are (code, message) with a c-ares code.";
    HandleError(UVError): "An error of a handle.";
    HandleClosedError(HandleError): "The handle was closed before this call.";
    AsyncError(HandleError): "An error of an Async handle.";
    TimerError(HandleError): "An error of a Timer handle.";
    PrepareError(HandleError): "An error of a Prepare handle.";
    IdleError(HandleError): "An error of an Idle handle.";
    CheckError(HandleError): "An error of a Check handle.";
    SignalError(HandleError): "An error of a Signal handle.";
    PollError(HandleError): "An error of a Poll handle.";
    StreamError(HandleError): "An error of a stream.";
    TCPError(StreamError): "An error of a TCP handle.";
    PipeError(StreamError): "An error of a Pipe handle.";
    TTYError(StreamError): "An error of a TTY handle.";
    UDPError(HandleError): "An error of a UDP handle.";
    ProcessError(HandleError): "An error of a Process handle.";
    FSEventError(HandleError): "An error of an FSEvent handle.";
    FSPollError(HandleError): "An error of an FSPoll handle.";
}

/// Makes the Python exception for `error`: libuv's refusals become `E(code, message)`.
pub fn to_py<E: pyo3::PyTypeInfo>(error: Error) -> PyErr {
    match error {
        Error::Uv { code, .. } | Error::Unfinished { code, .. } => {
            PyErr::new::<E, _>((code.0, error.to_string()))
        }
        Error::HandleClosed => HandleClosedError::new_err(error.to_string()),
        misuse => PyRuntimeError::new_err(misuse.to_string()),
    }
}

/// The exception for an error of a filesystem operation; one of a write that knows has
/// `bytes_written`.
pub fn fs_error(py: Python<'_>, error: Error) -> PyErr {
    let written = error.written();
    let raised = to_py::<FSError>(error);
    if let Some(written) = written
        && let Err(failed) = raised.value(py).setattr(intern!(py, "bytes_written"), written)
    {
        return failed;
    }
    raised
}
