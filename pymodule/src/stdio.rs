//! `pyuv.StdIO`.

use std::os::raw::c_int;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyuv::Stdio;

use crate::poll::descriptor;
use crate::util::argument::Int;

const IGNORE: u32 = libuv_sys2::uv_stdio_flags_UV_IGNORE as _;
const INHERIT_FD: u32 = libuv_sys2::uv_stdio_flags_UV_INHERIT_FD as _;

/// One fd of a child process (`uv_stdio_container_t`).
#[pyclass(module = "pyuv", subclass, frozen)]
pub struct StdIO {
    fd: c_int,
    flags: u32,
}

#[pymethods]
impl StdIO {
    #[new]
    #[pyo3(signature = (fd=None, flags=Int(IGNORE)), text_signature = "(fd=-1, flags=0)")]
    fn new(fd: Option<&Bound<'_, PyAny>>, flags: Int<u32>) -> PyResult<StdIO> {
        let flags = flags.0;
        let fd = match fd {
            Some(fd) if fd.extract::<c_int>().is_ok_and(|fd| fd == -1) => -1,
            Some(fd) => descriptor(fd)?,
            None => -1,
        };
        let allowed = if fd == -1 { &[IGNORE][..] } else { &[IGNORE, INHERIT_FD] };
        if !allowed.contains(&flags) {
            return Err(PyValueError::new_err(format!("invalid flags for fd {fd}: {flags:#x}")));
        }
        Ok(StdIO { fd, flags })
    }

    /// The fd, or -1.
    #[getter]
    fn fd(&self) -> c_int {
        self.fd
    }

    #[getter]
    fn flags(&self) -> u32 {
        self.flags
    }
}

impl StdIO {
    pub fn core(&self) -> Stdio {
        if self.flags & INHERIT_FD != 0 { Stdio::Fd(self.fd) } else { Stdio::Ignore }
    }
}
