//! `getrusage`, `getrusage_thread`.

use pyo3::prelude::*;
use pyuv::util::{self, Rusage};

use super::argument::failed;
use crate::structseq::{StructSeq, objects};

static RUSAGE: StructSeq<16> = StructSeq::new(
    c"pyuv.util.rusage_result",
    c"Resources used; what the system does not count is 0.",
    [
        (c"ru_utime", c"seconds of processor time in user mode"),
        (c"ru_stime", c"seconds of processor time in the kernel"),
        (c"ru_maxrss", c"the largest resident set so far, in KiB"),
        (c"ru_ixrss", c"integral shared memory size"),
        (c"ru_idrss", c"integral unshared data size"),
        (c"ru_isrss", c"integral unshared stack size"),
        (c"ru_minflt", c"page faults served without I/O"),
        (c"ru_majflt", c"page faults that needed I/O"),
        (c"ru_nswap", c"times swapped out"),
        (c"ru_inblock", c"blocks read"),
        (c"ru_oublock", c"blocks written"),
        (c"ru_msgsnd", c"messages sent"),
        (c"ru_msgrcv", c"messages received"),
        (c"ru_nsignals", c"signals received"),
        (c"ru_nvcsw", c"context switches because it waited"),
        (c"ru_nivcsw", c"context switches because its time was up"),
    ],
);

/// What this process has used, as a rusage_result.
///
/// Raises UVError. `uv_getrusage`
#[pyfunction]
fn getrusage(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    row(py, util::rusage().map_err(failed("getrusage"))?)
}

/// What the calling thread has used, as a rusage_result.
///
/// Raises UVError, UV_ENOTSUP where the system does not count by thread. `uv_getrusage_thread`
#[pyfunction]
fn getrusage_thread(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    row(py, util::thread_rusage().map_err(failed("getrusage_thread"))?)
}

fn row<'py>(py: Python<'py>, used: Rusage) -> PyResult<Bound<'py, PyAny>> {
    let values = objects![
        py,
        used.utime,
        used.stime,
        used.maxrss,
        used.ixrss,
        used.idrss,
        used.isrss,
        used.minflt,
        used.majflt,
        used.nswap,
        used.inblock,
        used.oublock,
        used.msgsnd,
        used.msgrcv,
        used.nsignals,
        used.nvcsw,
        used.nivcsw,
    ];
    RUSAGE.make(py, values)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    RUSAGE.register(module)?;
    module.add_function(wrap_pyfunction!(getrusage, module)?)?;
    module.add_function(wrap_pyfunction!(getrusage_thread, module)?)
}
