//! TLS by CPython's own objects: an SSL object of the module `_ssl` between two memory BIOs.
//!
//! They are the user's: the context, its certificates, its callbacks, the version of OpenSSL. Here they are called
//! from Rust, without a frame of Python in between; where CPython's version and OpenSSL's are known, what is called
//! most is OpenSSL itself (`direct.rs`), on memory of ours in the place of the BIOs.

use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use crate::buffer::{Buffers, writable_pieces};
use crate::once::{Once, intern};

mod direct;
mod openssl;

use direct::{Direct, Lent};

/// The most that one record holds (RFC 8446, 5.1).
pub const RECORD: usize = 1 << 14;

/// From so many bytes on the memory that they are in is shown to Python, instead of a copy.
const LARGE: usize = 1 << 12;

/// One end of a TLS connection.
pub struct Session {
    /// The `_ssl._SSLSocket` inside of an `ssl.SSLObject`.
    ssl: Py<PyAny>,
    incoming: Py<PyAny>,
    outgoing: Py<PyAny>,
    direct: Option<Direct>,
}

/// How far a session came with what it has of the peer's.
pub enum Step<T> {
    Done(T),
    /// It goes on when the peer has sent more.
    Waits,
}

impl Session {
    /// The session of an `ssl.SSLObject` that was made by `wrap_bio(incoming, outgoing)`. With `short` it
    /// takes the short way where there is one.
    pub fn new(
        object: &Bound<'_, PyAny>,
        incoming: Bound<'_, PyAny>,
        outgoing: Bound<'_, PyAny>,
        short: bool,
    ) -> PyResult<Session> {
        let ssl = object.getattr("_sslobj")?;
        let direct = if short { Direct::take_over(&ssl, &incoming) } else { None };
        let (incoming, outgoing) = (incoming.unbind(), outgoing.unbind());
        Ok(Session { ssl: ssl.unbind(), incoming, outgoing, direct })
    }

    /// Whether it takes the short way.
    pub fn is_direct(&self) -> bool {
        self.direct.is_some()
    }

    /// What the collector has to see.
    pub fn objects(&self) -> [&Py<PyAny>; 3] {
        [&self.ssl, &self.incoming, &self.outgoing]
    }

    /// Takes bytes of the peer's (`BIO_write`). They are lent until what is returned is dropped.
    pub fn feed<'a>(&'a self, py: Python<'_>, bytes: &'a [u8]) -> PyResult<Option<Lent<'a>>> {
        match &self.direct {
            Some(direct) => Ok(Some(direct.lend(bytes))),
            None => self.copy_in(py, bytes).map(|()| None),
        }
    }

    fn copy_in(&self, py: Python<'_>, bytes: &[u8]) -> PyResult<()> {
        let (incoming, name) = (self.incoming.bind(py), intern!(py, "write"));
        if bytes.len() < LARGE {
            return incoming.call_method1(name, (PyBytes::new(py, bytes),)).map(drop);
        }
        // SAFETY: the bytes stay until the view is released, and nobody writes through it.
        let view = unsafe {
            let (start, length) =
                (bytes.as_ptr().cast_mut().cast(), bytes.len() as ffi::Py_ssize_t);
            let view = ffi::PyMemoryView_FromMemory(start, length, ffi::PyBUF_READ);
            Bound::from_owned_ptr_or_err(py, view)?
        };
        let outcome = incoming.call_method1(name, (&view,)).map(drop);
        view.call_method0(intern!(py, "release"))?;
        outcome
    }

    /// Goes on with the handshake (`SSL_do_handshake`).
    pub fn handshake(&self, py: Python<'_>) -> PyResult<Step<()>> {
        step(py, self.ssl.bind(py).call_method0(intern!(py, "do_handshake")).map(drop))
    }

    /// Says that no more comes, and waits for the peer to say so (`SSL_shutdown`).
    pub fn shutdown(&self, py: Python<'_>) -> PyResult<Step<()>> {
        step(py, self.ssl.bind(py).call_method0(intern!(py, "shutdown")).map(drop))
    }

    /// How many bytes the next read may give at most, none where there is nothing for it to look at.
    pub fn readable(&self, py: Python<'_>) -> PyResult<usize> {
        let pending = self.unread(py)?;
        if pending > 0 {
            return Ok(pending.min(RECORD));
        }
        // Of a record that was read in part.
        if let Some(direct) = &self.direct {
            return Ok(direct.pending());
        }
        self.ssl.bind(py).call_method0(intern!(py, "pending"))?.extract()
    }

    /// How many encrypted bytes were not looked at yet.
    pub fn unread(&self, py: Python<'_>) -> PyResult<usize> {
        if let Some(direct) = &self.direct {
            return Ok(direct.unread());
        }
        self.incoming.bind(py).getattr(intern!(py, "pending"))?.extract()
    }

    /// At most `most` bytes of the peer's, none at their end (`SSL_read`).
    pub fn read<'py>(&self, py: Python<'py>, most: usize) -> PyResult<Step<Bound<'py, PyBytes>>> {
        if let Some(direct) = &self.direct {
            return direct.read(py, most)?.ok_or_else(|| self.fault(py));
        }
        let read = self.ssl.bind(py).call_method1(intern!(py, "read"), (most,));
        step(py, read.and_then(|read| Ok(read.cast_into::<PyBytes>()?)))
    }

    /// The same into a writable buffer; gives how many bytes there are in it now.
    pub fn read_into(&self, buffer: &Bound<'_, PyAny>, most: usize) -> PyResult<Step<usize>> {
        let py = buffer.py();
        if let Some(direct) = &self.direct {
            let pieces = writable_pieces(buffer)?;
            let Buffers::One([memory]) = pieces.memory() else {
                return Err(PyTypeError::new_err("get_buffer() returned several buffers"));
            };
            let length = most.min(memory.length());
            // SAFETY: the buffer is lent for as long as there are the pieces of it, and only this thread runs.
            let step = unsafe { direct.read_to(memory.address(), length) };
            return step.ok_or_else(|| self.fault(py));
        }
        let read = self.ssl.bind(py).call_method1(intern!(py, "read"), (most, buffer));
        step(py, read.and_then(|read| read.extract()))
    }

    /// Makes records of bytes; gives how many it took (`SSL_write`).
    pub fn write(&self, data: &Bound<'_, PyAny>) -> PyResult<Step<usize>> {
        let py = data.py();
        if let Some(direct) = &self.direct {
            return direct.write(bytes_of(data)?.as_bytes()).ok_or_else(|| self.fault(py));
        }
        let written = self.ssl.bind(py).call_method1(intern!(py, "write"), (data,));
        step(py, written.and_then(|written| written.extract()))
    }

    /// Has `send` called with all that is to be sent to the peer, if anything (`BIO_read`).
    pub fn output(&self, py: Python<'_>, send: impl FnOnce(&[u8]) -> PyResult<()>) -> PyResult<()> {
        if let Some(direct) = &self.direct {
            return direct.output(send).unwrap_or(Ok(()));
        }
        let output = self.outgoing.bind(py).call_method0(intern!(py, "read"))?;
        let output = output.cast_into::<PyBytes>()?;
        if output.as_bytes().is_empty() { Ok(()) } else { send(output.as_bytes()) }
    }

    /// How many bytes that is.
    pub fn unsent(&self, py: Python<'_>) -> PyResult<usize> {
        if let Some(direct) = &self.direct {
            return Ok(direct.unsent());
        }
        self.outgoing.bind(py).getattr(intern!(py, "pending"))?.extract()
    }

    /// The exception for an error of OpenSSL's, as CPython makes it: a session that has failed fails again, and
    /// the reason is still there.
    #[cold]
    fn fault(&self, py: Python<'_>) -> PyErr {
        let again = self.ssl.bind(py).call_method1(intern!(py, "read"), (1,));
        let unknown =
            |_| py.import("ssl")?.getattr("SSLError")?.call1(("the TLS connection failed",));
        again.and_then(unknown).map_or_else(|error| error, PyErr::from_value)
    }
}

/// The bytes of a bytes-like object: itself, if it is one.
pub fn bytes_of<'py>(data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    if let Ok(bytes) = data.cast_exact::<PyBytes>() {
        return Ok(bytes.clone());
    }
    Ok(data.py().get_type::<PyBytes>().call1((data,))?.cast_into()?)
}

/// Tells want of the peer's bytes from other errors.
fn step<T>(py: Python<'_>, outcome: PyResult<T>) -> PyResult<Step<T>> {
    static AGAIN: Once<Py<PyTuple>> = Once::new();
    match outcome {
        Ok(done) => Ok(Step::Done(done)),
        Err(error) => {
            let again = AGAIN.get_or_try_init(py, || {
                let module = py.import("ssl")?;
                let classes =
                    (module.getattr("SSLWantReadError")?, module.getattr("SSLSyscallError")?);
                Ok(classes.into_pyobject(py)?.unbind())
            })?;
            if error.matches(py, again)? { Ok(Step::Waits) } else { Err(error) }
        }
    }
}

/// Whether this is the peer's data behind our end: nobody reads it any more.
pub fn is_data_after_end(py: Python<'_>, error: &PyErr) -> bool {
    let reason = error.value(py).getattr(intern!(py, "reason"));
    reason.is_ok_and(|reason| {
        reason.extract::<&str>().is_ok_and(|it| it == "APPLICATION_DATA_AFTER_CLOSE_NOTIFY")
    })
}
