//! `getpid`, `getppid`, `kill`, `exepath`, `get_process_title`, `set_process_title`.

use std::ffi::OsString;
use std::path::PathBuf;

use pyo3::prelude::*;
use pyuv::util;

use super::argument::{Int, failed, refused};

/// This process's number. `uv_os_getpid`
#[pyfunction]
fn getpid() -> i32 {
    util::pid()
}

/// The number of this process's parent. `uv_os_getppid`
#[pyfunction]
fn getppid() -> i32 {
    util::parent_pid()
}

/// Send signal `signum` to process `pid`; signal 0 only asks whether it is there.
///
/// As for os.kill, 0 is every process of the own group, -1 every process there is, another
/// negative number the group `-pid`. Raises UVError with UV_ESRCH where there is none, UV_EPERM
/// where it is another user's; ValueError for a number that is no signal. `uv_kill`
#[pyfunction]
fn kill(pid: Int<i32>, signum: Int<i32>) -> PyResult<()> {
    util::kill(pid.0, signum.0).map_err(refused("kill"))
}

/// The absolute path of the program that runs in this process, a str: the Python interpreter's.
///
/// Raises UVError. `uv_exepath`
#[pyfunction]
fn exepath() -> PyResult<OsString> {
    util::exepath().map(PathBuf::into_os_string).map_err(failed("exepath"))
}

/// The title of this process, a str: what ps shows.
///
/// On Linux the first string of its command line, so the program's name until a title is set.
///
/// Raises UVError. `uv_get_process_title`
#[pyfunction]
fn get_process_title() -> PyResult<OsString> {
    util::process_title().map_err(failed("get_process_title"))
}

/// Set the title of this process, which ps shows.
///
/// On Linux it overwrites the command line in /proc, arguments included, and is cut to that
/// line's length; the process's short name becomes its first 15 bytes. sys.argv stays.
///
/// Raises ValueError for a title with a NUL, UVError where the system does not let it be set.
/// `uv_set_process_title`
#[pyfunction]
fn set_process_title(title: OsString) -> PyResult<()> {
    util::set_process_title(&title).map_err(refused("set_process_title"))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(getpid, module)?)?;
    module.add_function(wrap_pyfunction!(getppid, module)?)?;
    module.add_function(wrap_pyfunction!(kill, module)?)?;
    module.add_function(wrap_pyfunction!(exepath, module)?)?;
    module.add_function(wrap_pyfunction!(get_process_title, module)?)?;
    module.add_function(wrap_pyfunction!(set_process_title, module)?)
}
