//! `pipe` and `socketpair`.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyuv::util;

use super::argument::{Int, failed};

const NONBLOCK: i32 = libuv_sys2::uv_stdio_flags_UV_NONBLOCK_PIPE as i32;

/// Whether the flags of one end say that it is not to block.
fn nonblocking(name: &str, flags: i32) -> PyResult<bool> {
    match flags {
        0 => Ok(false),
        NONBLOCK => Ok(true),
        _ => {
            Err(PyValueError::new_err(format!("{name} must be UV_NONBLOCK_PIPE or 0, not {flags}")))
        }
    }
}

/// A new pipe: (read_fd, write_fd). Whoever asked closes them.
///
/// The flags are UV_NONBLOCK_PIPE or 0. Neither end is inherited by child processes. Raises
/// ValueError for other flags, UVError when no descriptor is left. `uv_pipe`
#[pyfunction]
#[pyo3(signature = (read_flags=Int(0), write_flags=Int(0)))]
#[pyo3(text_signature = "(read_flags=0, write_flags=0)")]
fn pipe(read_flags: Int<i32>, write_flags: Int<i32>) -> PyResult<(i32, i32)> {
    let read = nonblocking("read_flags", read_flags.0)?;
    let write = nonblocking("write_flags", write_flags.0)?;
    util::pipe(read, write).map_err(failed("pipe"))
}

/// Two connected sockets: (fd, fd). Whoever asked closes them.
///
/// `type` and `protocol` are as in `socket.socketpair`; the flags, one for each, are
/// UV_NONBLOCK_PIPE or 0. Neither is inherited by child processes. Raises ValueError for other
/// flags, UVError for what the system does not have. `uv_socketpair`
#[pyfunction]
#[pyo3(signature = (r#type=Int(libc::SOCK_STREAM), protocol=Int(0), flags0=Int(0), flags1=Int(0)))]
#[pyo3(text_signature = "(type=1, protocol=0, flags0=0, flags1=0)")]
fn socketpair(
    r#type: Int<i32>,
    protocol: Int<i32>,
    flags0: Int<i32>,
    flags1: Int<i32>,
) -> PyResult<(i32, i32)> {
    let first = nonblocking("flags0", flags0.0)?;
    let second = nonblocking("flags1", flags1.0)?;
    util::socketpair(r#type.0, protocol.0, first, second).map_err(failed("socketpair"))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(pipe, module)?)?;
    module.add_function(wrap_pyfunction!(socketpair, module)?)
}
