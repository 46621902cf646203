//! What lookups of hosts give: HostResult, AddrInfoResult, NameInfoResult.
//!
//! Names and fields are pycares 5's.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use pyuv_dns::{AddrInfoFlags, AddressInfo, Host, NIFlags, NameInfo, ServerStateFlags};

use super::getaddrinfo::socket_address_to_py;
use crate::structseq::{StructSeq, objects};

static HOST: StructSeq<3> = StructSeq::new(
    c"pyuv.dns.HostResult",
    c"What is known of a host.",
    [
        (c"name", c"its name"),
        (c"aliases", c"its other names, a tuple"),
        (c"addresses", c"its addresses, a tuple of str"),
    ],
);

static NAME_INFO: StructSeq<2> = StructSeq::new(
    c"pyuv.dns.NameInfoResult",
    c"The names of an address and its port.",
    [
        (c"node", c"the host's name, or None if it was not asked for"),
        (c"service", c"the service's name, or None if it was not asked for"),
    ],
);

static ADDR_INFO: StructSeq<2> = StructSeq::new(
    c"pyuv.dns.AddrInfoResult",
    c"The addresses of a host, and its aliases.",
    [
        (c"cnames", c"the aliases, a tuple of AddrInfoCname"),
        (c"nodes", c"the addresses, the best first: a tuple of AddrInfoNode"),
    ],
);

static ADDR_INFO_NODE: StructSeq<6> = StructSeq::new(
    c"pyuv.dns.AddrInfoNode",
    c"One address of a host.",
    [
        (c"ttl", c"how long it may be kept, in seconds"),
        (c"flags", c"ARES_AI_*"),
        (c"family", c"AF_INET or AF_INET6"),
        (c"socktype", c"SOCK_*, as asked for"),
        (c"protocol", c"IPPROTO_*, as asked for"),
        (c"addr", c"(host, port) or (host, port, flowinfo, scope_id)"),
    ],
);

static ADDR_INFO_CNAME: StructSeq<3> = StructSeq::new(
    c"pyuv.dns.AddrInfoCname",
    c"One alias of a host.",
    [
        (c"ttl", c"how long it may be kept, in seconds"),
        (c"alias", c"the alias, or None"),
        (c"name", c"the name that it stands for"),
    ],
);

pub fn host_to_py(py: Python<'_>, host: Host) -> PyResult<Py<PyAny>> {
    let addresses = host.addresses.iter().map(ToString::to_string);
    let aliases = PyTuple::new(py, host.aliases.iter().map(|alias| &**alias))?;
    let addresses = PyTuple::new(py, addresses.collect::<Vec<_>>())?;
    Ok(HOST.make(py, objects![py, &*host.name, aliases, addresses])?.unbind())
}

pub fn names_to_py(py: Python<'_>, names: NameInfo) -> PyResult<Py<PyAny>> {
    let values = objects![py, names.node.as_deref(), names.service.as_deref()];
    Ok(NAME_INFO.make(py, values)?.unbind())
}

pub fn addresses_to_py(py: Python<'_>, found: AddressInfo) -> PyResult<Py<PyAny>> {
    let cnames = found.cnames.iter().map(|cname| {
        let values = objects![py, cname.ttl, cname.alias.as_deref(), cname.name.as_deref()];
        ADDR_INFO_CNAME.make(py, values)
    });
    let nodes = found.nodes.iter().map(|node| {
        let family = if node.address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
        let address = socket_address_to_py(py, node.address)?;
        let values =
            objects![py, node.ttl, node.flags, family, node.socktype, node.protocol, address];
        ADDR_INFO_NODE.make(py, values)
    });
    let cnames = PyTuple::new(py, cnames.collect::<PyResult<Vec<_>>>()?)?;
    let nodes = PyTuple::new(py, nodes.collect::<PyResult<Vec<_>>>()?)?;
    Ok(ADDR_INFO.make(py, objects![py, cnames, nodes])?.unbind())
}

/// Adds the types, and the constants of `getaddrinfo`, `getnameinfo` and the reports of servers to
/// `flags`.
pub fn register(module: &Bound<'_, PyModule>, flags: &Bound<'_, PyDict>) -> PyResult<()> {
    HOST.register(module)?;
    NAME_INFO.register(module)?;
    ADDR_INFO.register(module)?;
    ADDR_INFO_NODE.register(module)?;
    ADDR_INFO_CNAME.register(module)?;
    for (name, flag) in AddrInfoFlags::all().iter_names() {
        flags.set_item(format!("ARES_AI_{name}"), flag.bits())?;
    }
    for (name, flag) in NIFlags::all().iter_names() {
        flags.set_item(format!("ARES_NI_{name}"), flag.bits())?;
    }
    for (name, flag) in ServerStateFlags::all().iter_names() {
        flags.set_item(format!("ARES_SERV_STATE_{name}"), flag.bits())?;
    }
    Ok(())
}
