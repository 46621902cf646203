//! `guess_handle_type`.

use pyo3::prelude::*;
use pyuv::util;

use super::argument::Int;

/// The type of handle that fits a file descriptor: one of the UV_* constants of pyuv.
///
/// UV_TTY, UV_FILE, UV_NAMED_PIPE, UV_TCP or UV_UDP; UV_UNKNOWN_HANDLE for every other file and
/// for a number that is no open file descriptor. Raises ValueError for an int too large for one.
/// `uv_guess_handle`
#[pyfunction]
fn guess_handle_type(fd: Int<i32>) -> u32 {
    util::guess_handle_type(fd.0).as_raw()
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(guess_handle_type, module)?)
}
