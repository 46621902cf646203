//! `getenv`, `setenv`, `unsetenv`, `environ`.

use std::ffi::OsString;
use std::sync::Mutex;

use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::PyDict;
use pyuv::util;

use super::argument::{failed, refused};

/// Keeps the calls of this package apart where no GIL does.
static ENVIRONMENT: Mutex<()> = Mutex::new(());

/// Runs `call`, which reads or writes the environment, while no other call of this package does.
pub fn locked<T>(py: Python<'_>, call: impl FnOnce() -> T) -> T {
    let guard = ENVIRONMENT.lock_py_attached(py);
    // A panic inside another call left nothing half done: the lock guards no Rust data.
    let _guard = guard.unwrap_or_else(std::sync::PoisonError::into_inner);
    call()
}

/// The value of an environment variable, or `default` when it is not set.
///
/// It reads the process's environment, not the copy in os.environ. Raises ValueError for a name
/// that is empty or holds "=" or NUL. `uv_os_getenv`
#[pyfunction]
#[pyo3(signature = (name, default = None))]
fn getenv<'py>(
    py: Python<'py>,
    name: OsString,
    default: Option<Bound<'py, PyAny>>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    match locked(py, || util::getenv(&name)).map_err(refused("getenv"))? {
        Some(value) => Ok(Some(value.into_pyobject(py)?.into_any())),
        None => Ok(default),
    }
}

/// Set an environment variable, for this process and the ones it starts.
///
/// os.environ, a copy made when Python started, does not follow. As with os.putenv, no thread of C
/// code may be reading the environment meanwhile. Raises ValueError for a name that is empty or
/// holds "=", and for a NUL in either. `uv_os_setenv`
#[pyfunction]
fn setenv(py: Python<'_>, name: OsString, value: OsString) -> PyResult<()> {
    // SAFETY: this package's other calls wait for the lock and Python's for the GIL; what threads
    // of C code do is for the caller to see to, as it is with os.putenv.
    locked(py, || unsafe { util::setenv(&name, &value) }).map_err(refused("setenv"))
}

/// Remove an environment variable; one that is not set is no error.
///
/// What setenv says about os.environ and threads holds here too. Raises ValueError for a name that
/// is empty or holds "=" or NUL. `uv_os_unsetenv`
#[pyfunction]
fn unsetenv(py: Python<'_>, name: OsString) -> PyResult<()> {
    // SAFETY: as in `setenv`.
    locked(py, || unsafe { util::unsetenv(&name) }).map_err(refused("unsetenv"))
}

/// The process's environment as a new dict of str.
///
/// Raises UVError. `uv_os_environ`
#[pyfunction]
fn environ(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let variables = PyDict::new(py);
    for (name, value) in locked(py, util::environ).map_err(failed("environ"))? {
        variables.set_item(name, value)?;
    }
    Ok(variables)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(getenv, module)?)?;
    module.add_function(wrap_pyfunction!(setenv, module)?)?;
    module.add_function(wrap_pyfunction!(unsetenv, module)?)?;
    module.add_function(wrap_pyfunction!(environ, module)?)
}
