//! `pyuv.dns`: c-ares's messages as Python objects.

use pyo3::prelude::*;

mod constants;
mod data;
mod error;
mod message;
mod record;
mod value;

/// Adds the submodule `_pyuv.dns`.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let dns = PyModule::new(py, "dns")?;
    data::register(&dns)?;
    dns.add_class::<record::Question>()?;
    dns.add_class::<record::Record>()?;
    dns.add_class::<message::Message>()?;
    constants::register(&dns)?;
    module.add_submodule(&dns)?;
    // An extension's submodule is found by `from ._pyuv.dns import` only if it is listed here.
    py.import("sys")?.getattr("modules")?.set_item("pyuv._pyuv.dns", dns)
}
