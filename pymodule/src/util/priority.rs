//! `getpriority`, `setpriority`.

use pyo3::prelude::*;
use pyuv::util;

use super::argument::{Int, refused};

/// The priority of a process, 0 being the calling one: from -20, served first, to 19.
///
/// Raises UVError (UV_ESRCH) when there is no such process. `uv_os_getpriority`
#[pyfunction]
#[pyo3(signature = (pid = Int(0)), text_signature = "(pid=0)")]
fn getpriority(pid: Int<i32>) -> PyResult<i32> {
    util::priority(pid.0).map_err(refused("getpriority"))
}

/// Set the priority of a process, 0 being the calling one, from -20, served first, to 19.
///
/// Raises ValueError for a priority out of range, UVError when there is no such process or not the
/// right to do it. `uv_os_setpriority`
#[pyfunction]
fn setpriority(pid: Int<i32>, priority: Int<i32>) -> PyResult<()> {
    util::set_priority(pid.0, priority.0).map_err(refused("setpriority"))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(getpriority, module)?)?;
    module.add_function(wrap_pyfunction!(setpriority, module)?)
}
