//! `cpu_info`, `available_parallelism`.

use pyo3::prelude::*;
use pyuv::util;

use super::argument::failed;
use crate::structseq::{StructSeq, objects};

static CPU_INFO: StructSeq<3> = StructSeq::new(
    c"pyuv.util.cpu_info_result",
    c"One logical processor.",
    [
        (c"model", c"the model's name"),
        (c"speed", c"the clock in MHz, 0 when unknown"),
        (c"times", c"what it spent its time on, a cpu_info_times_result"),
    ],
);

static TIMES: StructSeq<5> = StructSeq::new(
    c"pyuv.util.cpu_info_times_result",
    c"Milliseconds that a processor spent in each state since the machine started.",
    [
        (c"sys", c"in the kernel"),
        (c"user", c"in user mode"),
        (c"idle", c"idle"),
        (c"irq", c"serving interrupts"),
        (c"nice", c"in user mode at low priority"),
    ],
);

/// Every logical processor of the machine: a list of cpu_info_result.
///
/// Raises UVError where the system's own files cannot be read. `uv_cpu_info`
#[pyfunction]
fn cpu_info(py: Python<'_>) -> PyResult<Vec<Bound<'_, PyAny>>> {
    let processors = py.detach(util::cpu_info).map_err(failed("cpu_info"))?;
    let row = |info: util::CpuInfo| {
        let times = info.times;
        let times = TIMES
            .make(py, objects![py, times.sys, times.user, times.idle, times.irq, times.nice])?;
        CPU_INFO.make(py, objects![py, info.model, info.speed, times])
    };
    processors.into_iter().map(row).collect()
}

/// How many threads can usefully run at once, affinity and container limits counted: at least 1.
///
/// `uv_available_parallelism`
#[pyfunction]
fn available_parallelism() -> u32 {
    util::available_parallelism()
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    CPU_INFO.register(module)?;
    TIMES.register(module)?;
    module.add_function(wrap_pyfunction!(cpu_info, module)?)?;
    module.add_function(wrap_pyfunction!(available_parallelism, module)?)
}
