//! `pyuv.StdIO`.

use std::os::raw::c_int;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};
use pyuv::{PipeFlags, Stdio};

use crate::handle::Handle;
use crate::life::slot::PySlot;
use crate::pipe::Pipe;
use crate::poll::descriptor;
use crate::stream::Stream;
use crate::util::argument::Int;

const IGNORE: u32 = libuv_sys2::uv_stdio_flags_UV_IGNORE as _;
const CREATE_PIPE: u32 = libuv_sys2::uv_stdio_flags_UV_CREATE_PIPE as _;
const INHERIT_FD: u32 = libuv_sys2::uv_stdio_flags_UV_INHERIT_FD as _;
const INHERIT_STREAM: u32 = libuv_sys2::uv_stdio_flags_UV_INHERIT_STREAM as _;

/// One fd of a child process (`uv_stdio_container_t`).
///
/// With UV_IGNORE nothing, or /dev/null as one of the fds 0 to 2. With UV_INHERIT_FD `fd`, a number
/// or an object with `fileno()`. With UV_INHERIT_STREAM the fd of the stream. With UV_CREATE_PIPE
/// the other end of the new Pipe `stream`: UV_READABLE_PIPE for one that the child reads,
/// UV_WRITABLE_PIPE for one that it writes, or both. Raises ValueError for flags that do not go
/// with what is given.
#[pyclass(module = "pyuv", subclass, frozen)]
pub struct StdIO {
    stream: PySlot,
    fd: c_int,
    flags: u32,
}

#[pymethods]
impl StdIO {
    #[new]
    #[pyo3(
        signature = (stream=None, fd=None, flags=Int(IGNORE)),
        text_signature = "(stream=None, fd=-1, flags=0)"
    )]
    fn new(
        stream: Option<Bound<'_, Stream>>,
        fd: Option<&Bound<'_, PyAny>>,
        flags: Int<u32>,
    ) -> PyResult<StdIO> {
        let flags = flags.0;
        let fd = match fd {
            Some(fd) if fd.extract::<c_int>().is_ok_and(|fd| fd == -1) => -1,
            Some(fd) => descriptor(fd)?,
            None => -1,
        };
        if stream.is_some() && fd != -1 {
            return Err(PyValueError::new_err("stream or fd can be given, not both"));
        }
        let goes_with_what_is_given = match flags {
            IGNORE => true,
            INHERIT_FD => fd != -1,
            INHERIT_STREAM => stream.is_some(),
            _ => stream.is_some() && pipe_flags(flags).is_some(),
        };
        if !goes_with_what_is_given {
            let given = match (&stream, fd) {
                (Some(_), _) => "a stream",
                (None, -1) => "neither stream nor fd",
                _ => "an fd",
            };
            return Err(PyValueError::new_err(format!("invalid flags for {given}: {flags:#x}")));
        }
        if flags & CREATE_PIPE != 0
            && let Some(other) = stream.as_ref().filter(|stream| stream.cast::<Pipe>().is_err())
        {
            let other = other.get_type().qualname()?;
            return Err(PyTypeError::new_err(format!("UV_CREATE_PIPE takes a Pipe, not {other}")));
        }
        let slot = PySlot::new();
        slot.set(stream.map(Bound::into_any));
        Ok(StdIO { stream: slot, fd, flags })
    }

    /// The stream, or None.
    #[getter]
    fn stream<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.stream.get(py)
    }

    /// The fd, or -1.
    #[getter]
    fn fd(&self) -> c_int {
        self.fd
    }

    /// What becomes of it.
    #[getter]
    fn flags(&self) -> u32 {
        self.flags
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.stream.visit(&visit)
    }

    fn __clear__(&self, py: Python<'_>) {
        self.stream.clear(py);
    }
}

impl StdIO {
    /// Runs `f` with what the core takes for these containers.
    pub fn with_core<T>(
        containers: &[Bound<'_, StdIO>],
        f: impl FnOnce(Vec<Stdio<'_>>) -> PyResult<T>,
    ) -> PyResult<T> {
        let held: Vec<_> = containers.iter().map(|it| it.get().stream.get(it.py())).collect();
        let core = containers.iter().zip(&held).map(|(it, stream)| it.get().core(stream.as_ref()));
        f(core.collect::<PyResult<_>>()?)
    }

    fn core<'a>(&self, stream: Option<&'a Bound<'_, PyAny>>) -> PyResult<Stdio<'a>> {
        let handle = stream.map(|stream| Ok::<_, PyErr>(stream.cast::<Handle>()?.get()));
        Ok(match (self.flags, handle.transpose()?) {
            (IGNORE, _) => Stdio::Ignore,
            (INHERIT_FD, _) => Stdio::Fd(self.fd),
            (flags, Some(handle)) => match (pipe_flags(flags), handle.core()?.as_stream()) {
                (Some(flags), _) => Stdio::Pipe(handle.core_as()?, flags),
                (None, Some(stream)) => Stdio::Stream(stream),
                (None, None) => Stdio::Ignore,
            },
            // The collector has taken the stream away.
            (_, None) => Stdio::Ignore,
        })
    }
}

/// The directions that go with UV_CREATE_PIPE.
fn pipe_flags(flags: u32) -> Option<PipeFlags> {
    if flags & CREATE_PIPE == 0 {
        return None;
    }
    PipeFlags::from_bits(flags & !CREATE_PIPE)
}
