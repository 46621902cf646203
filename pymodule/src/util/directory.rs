//! `cwd`, `chdir`, `homedir`, `tmpdir`.

use std::ffi::OsString;
use std::path::PathBuf;

use pyo3::prelude::*;
use pyuv::util;

use super::argument::{AnyPath, failed, refused};
use super::env::locked;
use crate::error::with_filename;

/// The current working directory, a str without a trailing slash.
///
/// Raises UVError, UV_ENOENT when it was deleted. `uv_cwd`
#[pyfunction]
fn cwd() -> PyResult<OsString> {
    util::cwd().map(PathBuf::into_os_string).map_err(failed("cwd"))
}

/// Make `path` (str, bytes or path-like) the working directory of the whole process.
///
/// Raises ValueError for a path with a NUL, UVError when it cannot be entered. `uv_chdir`
#[pyfunction]
fn chdir(path: &Bound<'_, PyAny>) -> PyResult<()> {
    let AnyPath(folder) = path.extract()?;
    util::chdir(&folder).map_err(refused("chdir")).map_err(|error| with_filename(error, path))
}

/// The user's home, a str: $HOME where set, else what the user database says.
///
/// Raises UVError. `uv_os_homedir`
#[pyfunction]
fn homedir(py: Python<'_>) -> PyResult<OsString> {
    locked(py, util::homedir).map(PathBuf::into_os_string).map_err(failed("homedir"))
}

/// The directory for temporary files, a str without a trailing slash.
///
/// $TMPDIR, $TMP, $TEMP or $TEMPDIR, the first that is set, else the system's usual one.
///
/// Raises UVError. `uv_os_tmpdir`
#[pyfunction]
fn tmpdir(py: Python<'_>) -> PyResult<OsString> {
    locked(py, util::tmpdir).map(PathBuf::into_os_string).map_err(failed("tmpdir"))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(cwd, module)?)?;
    module.add_function(wrap_pyfunction!(chdir, module)?)?;
    module.add_function(wrap_pyfunction!(homedir, module)?)?;
    module.add_function(wrap_pyfunction!(tmpdir, module)?)
}
