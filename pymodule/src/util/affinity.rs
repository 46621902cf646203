//! `cpumask_size`, `thread_getaffinity`, `thread_setaffinity`, `getcpu`.

use std::collections::BTreeSet;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyuv::util;

use super::argument::{Int, failed, refused};

/// How many processors a mask can name: their numbers are range(cpumask_size()).
///
/// Raises UVError (UV_ENOTSUP) where the system has no thread affinity. `uv_cpumask_size`
#[pyfunction]
fn cpumask_size() -> PyResult<usize> {
    util::cpumask_size().map_err(failed("cpumask_size"))
}

/// The set of the processors that the calling thread may run on.
///
/// Raises UVError. `uv_thread_getaffinity`
#[pyfunction]
fn thread_getaffinity() -> PyResult<BTreeSet<usize>> {
    util::thread_affinity().map_err(failed("thread_getaffinity"))
}

/// Let the calling thread run on these processors only; return the set of those it could use before.
///
/// Raises ValueError for a number that no mask can hold and for a set with no existing processor,
/// UVError when the system refuses. `uv_thread_setaffinity`
#[pyfunction]
fn thread_setaffinity(cpus: &Bound<'_, PyAny>) -> PyResult<BTreeSet<usize>> {
    let size = util::cpumask_size().map_err(failed("thread_setaffinity"))?;
    let mut wanted = BTreeSet::new();
    for cpu in cpus.try_iter()? {
        let Int(cpu): Int<usize> = cpu?.extract()?;
        // Here and not only in the core: an endless iterator must end.
        if cpu >= size {
            return Err(PyValueError::new_err(format!("processor {cpu} does not fit in a mask")));
        }
        wanted.insert(cpu);
    }
    util::set_thread_affinity(&wanted).map_err(refused("thread_setaffinity"))
}

/// The number of the processor that the calling thread is running on.
///
/// Raises UVError. `uv_thread_getcpu`
#[pyfunction]
fn getcpu() -> PyResult<usize> {
    util::current_cpu().map_err(failed("getcpu"))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(cpumask_size, module)?)?;
    module.add_function(wrap_pyfunction!(thread_getaffinity, module)?)?;
    module.add_function(wrap_pyfunction!(thread_setaffinity, module)?)?;
    module.add_function(wrap_pyfunction!(getcpu, module)?)
}
