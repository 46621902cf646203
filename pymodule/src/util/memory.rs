//! `get_free_memory`, `get_total_memory`, `get_constrained_memory`, `get_available_memory`,
//! `resident_set_memory`.

use pyo3::prelude::*;
use pyuv::util;

use super::argument::failed;

/// Memory that programs could still get, in bytes; 0 when unknown. `uv_get_free_memory`
#[pyfunction]
fn get_free_memory() -> u64 {
    util::free_memory()
}

/// The machine's physical memory, in bytes; 0 when unknown. `uv_get_total_memory`
#[pyfunction]
fn get_total_memory() -> u64 {
    util::total_memory()
}

/// The limit that the system puts on this process, in bytes.
///
/// 0: no mechanism for it, or unknown. 2**64 - 1: a mechanism with no limit set. It can be larger
/// than get_total_memory(). `uv_get_constrained_memory`
#[pyfunction]
fn get_constrained_memory() -> u64 {
    util::constrained_memory()
}

/// Memory that this process could still get, its limits counted, in bytes.
///
/// `uv_get_available_memory`
#[pyfunction]
fn get_available_memory() -> u64 {
    util::available_memory()
}

/// This process's resident set, in bytes.
///
/// Raises UVError. `uv_resident_set_memory`
#[pyfunction]
fn resident_set_memory() -> PyResult<usize> {
    util::resident_set_memory().map_err(failed("resident_set_memory"))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(get_free_memory, module)?)?;
    module.add_function(wrap_pyfunction!(get_total_memory, module)?)?;
    module.add_function(wrap_pyfunction!(get_constrained_memory, module)?)?;
    module.add_function(wrap_pyfunction!(get_available_memory, module)?)?;
    module.add_function(wrap_pyfunction!(resident_set_memory, module)?)
}
