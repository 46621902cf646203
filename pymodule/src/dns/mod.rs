//! `pyuv.dns`: the c-ares channel, its messages, and the system's resolver.

use pyo3::prelude::*;

mod argument;
mod channel;
mod constants;
mod data;
mod error;
mod getaddrinfo;
mod getnameinfo;
mod message;
mod name;
mod record;
mod request;
mod value;

/// Adds the submodule `_pyuv.dns`.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let dns = PyModule::new(py, "dns")?;
    data::register(&dns)?;
    dns.add_class::<record::Question>()?;
    dns.add_class::<record::Record>()?;
    dns.add_class::<message::Message>()?;
    channel::register(&dns)?;
    dns.add_class::<request::DNSRequest>()?;
    dns.add_function(wrap_pyfunction!(getaddrinfo::getaddrinfo, &dns)?)?;
    dns.add_function(wrap_pyfunction!(getnameinfo::getnameinfo, &dns)?)?;
    constants::register(&dns)?;
    module.add_submodule(&dns)?;
    // An extension's submodule is found by `from ._pyuv.dns import` only if it is listed here.
    py.import("sys")?.getattr("modules")?.set_item("pyuv._pyuv.dns", dns)
}
