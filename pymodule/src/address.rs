//! Socket addresses: the tuples of Python's `socket`, and `std::net::SocketAddr`.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV6};

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::argument::text;
use crate::number::optional_number;

mod known;

pub use known::KnownAddresses;

/// What is in the tuple.
pub struct Parts {
    pub host: String,
    pub port: u16,
    flowinfo: u32,
    scope: u32,
}

/// `(ip, port)`, or with `flowinfo` and `scope_id` behind them for IPv6; IPv4 ignores these two.
///
/// The IP address is in numbers; `""` is every IPv4 address, `"<broadcast>"` the broadcast one.
/// A `%` and an interface may stand in place of `scope_id`. TypeError for what is no such tuple,
/// ValueError for what is no address.
pub fn from_py(address: &Bound<'_, PyAny>) -> PyResult<SocketAddr> {
    Parts::from_py(address)?.address(address)
}

fn bad(address: &Bound<'_, PyAny>, fault: &str) -> PyErr {
    match address.repr() {
        Ok(repr) => PyValueError::new_err(format!("bad address {repr}: {fault}")),
        Err(error) => error,
    }
}

impl Parts {
    pub fn from_py(address: &Bound<'_, PyAny>) -> PyResult<Parts> {
        let Ok(tuple) = address.cast::<PyTuple>() else {
            let repr = address.repr()?;
            return Err(PyTypeError::new_err(format!("an address is a tuple, not {repr}")));
        };
        if !(2..=4).contains(&tuple.len()) {
            return Err(bad(address, "it must have 2 to 4 items"));
        }
        let item = |index| tuple.get_item(index).ok();
        let host = text("host", &tuple.get_item(0)?)?;
        let port = optional_number("port", item(1).as_ref())?.unwrap_or(0);
        let flowinfo = optional_number("flowinfo", item(2).as_ref())?.unwrap_or(0);
        let scope = optional_number("scope_id", item(3).as_ref())?.unwrap_or(0);
        if flowinfo > 0xf_ffff {
            return Err(bad(address, "flowinfo is more than 20 bits"));
        }
        Ok(Parts { host, port, flowinfo, scope })
    }

    /// Whether the host may be a name: it is neither empty nor in numbers.
    pub fn may_be_name(&self) -> bool {
        !self.host.is_empty()
            && !self.host.contains([':', '%', '<'])
            && pyuv::address::parse(&self.host, 0).is_err()
    }

    /// The address, of a host in numbers. `given` is what the parts are of.
    pub fn address(&self, given: &Bound<'_, PyAny>) -> PyResult<SocketAddr> {
        let port = self.port;
        let parsed = match self.host.as_str() {
            "" => SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)),
            "<broadcast>" => SocketAddr::from((Ipv4Addr::BROADCAST, port)),
            host => pyuv::address::parse(host, port).map_err(|error| match error.code() {
                Some(pyuv::Code::ENXIO) => bad(given, "there is no such interface"),
                _ => bad(given, "the host is not an address in numbers"),
            })?,
        };
        Ok(self.scoped(parsed))
    }

    /// An address with the flow and the scope that are given.
    pub fn scoped(&self, mut address: SocketAddr) -> SocketAddr {
        if let SocketAddr::V6(v6) = &mut address {
            v6.set_flowinfo(self.flowinfo);
            if self.scope != 0 {
                v6.set_scope_id(self.scope);
            }
        }
        address
    }
}

/// `(ip, port)` or `(ip, port, flowinfo, scope_id)`.
pub fn to_py(py: Python<'_>, address: SocketAddr) -> PyResult<Bound<'_, PyAny>> {
    let host = address.ip().to_string();
    let tuple = match address {
        SocketAddr::V4(v4) => (host, v4.port()).into_pyobject(py)?.into_any(),
        SocketAddr::V6(v6) => {
            (host, v6.port(), v6.flowinfo(), v6.scope_id()).into_pyobject(py)?.into_any()
        }
    };
    Ok(tuple)
}

/// The same, as the socket module has it: the name of the interface is behind the host.
#[cfg_attr(PyPy, expect(dead_code, reason = "for pyuv.asyncio"))]
pub fn with_scope(py: Python<'_>, address: SocketAddrV6) -> PyResult<Bound<'_, PyAny>> {
    let Some(name) = pyuv::address::interface_name(address.scope_id()) else {
        return to_py(py, address.into());
    };
    let host = format!("{}%{name}", address.ip());
    let tuple = (host, address.port(), address.flowinfo(), address.scope_id());
    Ok(tuple.into_pyobject(py)?.into_any())
}
