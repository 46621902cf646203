//! `pyuv._pyuv`: the Python face of the crates `pyuv`, `pyuv-dns` and `pyuv-fs`.

use pyo3::prelude::*;

mod dns;
mod errno;
mod error;

/// Everything that the package `pyuv` re-exports under its public names.
#[pymodule(gil_used = false)]
fn _pyuv(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    error::register(module)?;
    errno::register(module)?;
    dns::register(module)?;
    Ok(())
}
