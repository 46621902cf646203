//! `thread_getname`, `thread_setname`, `thread_getpriority`, `thread_setpriority`.

use std::ffi::OsString;

use pyo3::prelude::*;
use pyuv::util;

use super::argument::{Int, failed, refused};

/// The name that the system has for the calling thread, a str.
///
/// Raises UVError. `uv_thread_getname`
#[pyfunction]
fn thread_getname() -> PyResult<OsString> {
    util::thread_name().map_err(failed("thread_getname"))
}

/// Name the calling thread, for top, gdb and their like; a long name is cut, on Linux to 15 bytes.
///
/// Raises ValueError for a name with a NUL, UVError. `uv_thread_setname`
#[pyfunction]
fn thread_setname(name: OsString) -> PyResult<()> {
    util::set_thread_name(&name).map_err(refused("thread_setname"))
}

/// The priority of the calling thread as the system counts: on Linux usually its nice value.
///
/// Raises UVError. `uv_thread_getpriority`
#[pyfunction]
fn thread_getpriority() -> PyResult<i32> {
    util::thread_priority().map_err(failed("thread_getpriority"))
}

/// Give the calling thread one of five priorities, from -2, the lowest, to 2.
///
/// Raises ValueError for another number, UVError without the right to do it.
/// `uv_thread_setpriority`
#[pyfunction]
fn thread_setpriority(priority: Int<i32>) -> PyResult<()> {
    util::set_thread_priority(priority.0).map_err(refused("thread_setpriority"))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(thread_getname, module)?)?;
    module.add_function(wrap_pyfunction!(thread_setname, module)?)?;
    module.add_function(wrap_pyfunction!(thread_getpriority, module)?)?;
    module.add_function(wrap_pyfunction!(thread_setpriority, module)?)
}
