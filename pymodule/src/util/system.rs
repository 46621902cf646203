//! `os_uname`, `hostname`.

use std::ffi::OsString;

use pyo3::prelude::*;
use pyuv::util;

use super::argument::failed;
use crate::structseq::{StructSeq, objects};

static UNAME: StructSeq<4> = StructSeq::new(
    c"pyuv.util.uname_result",
    c"The operating system's name and version.",
    [
        (c"sysname", c"the operating system"),
        (c"release", c"its release"),
        (c"version", c"its version"),
        (c"machine", c"the hardware"),
    ],
);

/// The operating system's name, release and version, and the hardware's, as a uname_result.
///
/// Raises UVError. `uv_os_uname`
#[pyfunction]
fn os_uname(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let name = util::uname().map_err(failed("os_uname"))?;
    UNAME.make(py, objects![py, name.sysname, name.release, name.version, name.machine])
}

/// The machine's name on its network.
///
/// Raises UVError. `uv_os_gethostname`
#[pyfunction]
fn hostname() -> PyResult<OsString> {
    util::hostname().map_err(failed("hostname"))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    UNAME.register(module)?;
    module.add_function(wrap_pyfunction!(os_uname, module)?)?;
    module.add_function(wrap_pyfunction!(hostname, module)?)
}
