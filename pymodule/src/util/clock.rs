//! `hrtime`, `clock_gettime`, `gettimeofday`, `uptime`, `loadavg`.

use pyo3::prelude::*;
use pyuv::util::{self, Clock};

use super::argument::{Int, failed, refused};
use crate::structseq::{StructSeq, objects};

static TIMESPEC: StructSeq<2> = StructSeq::new(
    c"pyuv.util.timespec_result",
    c"A time in seconds and nanoseconds.",
    [(c"tv_sec", c"whole seconds"), (c"tv_nsec", c"nanoseconds beyond them")],
);

static TIMEVAL: StructSeq<2> = StructSeq::new(
    c"pyuv.util.timeval_result",
    c"A time in seconds and microseconds.",
    [(c"tv_sec", c"whole seconds"), (c"tv_usec", c"microseconds beyond them")],
);

/// Nanoseconds since an arbitrary moment, never set back. `uv_hrtime`
#[pyfunction]
fn hrtime() -> u64 {
    util::hrtime()
}

/// The time on a clock, UV_CLOCK_MONOTONIC or UV_CLOCK_REALTIME, as a timespec_result.
///
/// Raises ValueError for any other clock, UVError when the system refuses. `uv_clock_gettime`
#[pyfunction]
fn clock_gettime<'py>(py: Python<'py>, clock_id: Int<i64>) -> PyResult<Bound<'py, PyAny>> {
    let clock = Clock::try_from(clock_id.0).map_err(refused("clock_gettime"))?;
    let time = util::clock_gettime(clock).map_err(failed("clock_gettime"))?;
    TIMESPEC.make(py, objects![py, time.sec, time.nsec])
}

/// The time since the Epoch, as a timeval_result.
///
/// Raises UVError. `uv_gettimeofday`
#[pyfunction]
fn gettimeofday(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let time = util::gettimeofday().map_err(failed("gettimeofday"))?;
    TIMEVAL.make(py, objects![py, time.sec, time.usec])
}

/// Seconds since the machine started, a float.
///
/// Raises UVError. `uv_uptime`
#[pyfunction]
fn uptime() -> PyResult<f64> {
    util::uptime().map_err(failed("uptime"))
}

/// How many tasks wanted to run, on average over 1, 5 and 15 minutes: a tuple of three floats.
///
/// Zeros on Windows. `uv_loadavg`
#[pyfunction]
fn loadavg() -> (f64, f64, f64) {
    util::loadavg().into()
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    TIMESPEC.register(module)?;
    TIMEVAL.register(module)?;
    module.add_function(wrap_pyfunction!(hrtime, module)?)?;
    module.add_function(wrap_pyfunction!(clock_gettime, module)?)?;
    module.add_function(wrap_pyfunction!(gettimeofday, module)?)?;
    module.add_function(wrap_pyfunction!(uptime, module)?)?;
    module.add_function(wrap_pyfunction!(loadavg, module)?)
}
