//! `pyuv.dns`: the c-ares channel, its messages, and the system's resolver.

use pyo3::prelude::*;

mod argument;
mod bulk;
mod channel;
mod configuration;
mod constants;
mod data;
pub mod error;
mod errorno;
mod getaddrinfo;
mod getnameinfo;
mod host;
mod lookup;
mod message;
mod name;
mod options;
mod record;
mod request;
mod resolve;
mod value;

/// Adds the submodule `_pyuv.dns`.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let dns = PyModule::new(py, "dns")?;
    data::register(&dns)?;
    dns.add_class::<record::Question>()?;
    dns.add_class::<record::Record>()?;
    dns.add_class::<message::Message>()?;
    dns.add_class::<channel::Channel>()?;
    dns.add_class::<bulk::Bulk>()?;
    dns.add_class::<bulk::Answered>()?;
    dns.add_function(wrap_pyfunction!(name::to_ascii, &dns)?)?;
    dns.add_function(wrap_pyfunction!(resolve::resolve, &dns)?)?;
    dns.add_class::<request::DNSRequest>()?;
    dns.add_function(wrap_pyfunction!(getaddrinfo::getaddrinfo, &dns)?)?;
    dns.add_function(wrap_pyfunction!(getnameinfo::getnameinfo, &dns)?)?;
    let flags = constants::register(&dns)?;
    host::register(&dns, &flags)?;
    configuration::CONFIGURATION.register(&dns)?;
    module.add_submodule(&dns)?;
    // An extension's submodule is found by `from ._pyuv.dns import` only if it is listed here.
    py.import("sys")?.getattr("modules")?.set_item("pyuv._pyuv.dns", dns)
}
