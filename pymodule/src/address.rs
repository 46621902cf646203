//! Socket addresses: the tuples of Python's `socket`, and `std::net::SocketAddr`.

use std::net::{Ipv4Addr, SocketAddr};

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::argument::text;
use crate::number::optional_number;

/// `(ip, port)`, or with `flowinfo` and `scope_id` behind them for IPv6; IPv4 ignores these two.
///
/// The IP address is in numbers; `""` is every IPv4 address, `"<broadcast>"` the broadcast one.
/// A `%` and an interface may stand in place of `scope_id`. TypeError for what is no such tuple,
/// ValueError for what is no address.
pub fn from_py(address: &Bound<'_, PyAny>) -> PyResult<SocketAddr> {
    let bad = |fault: &str| match address.repr() {
        Ok(repr) => PyValueError::new_err(format!("bad address {repr}: {fault}")),
        Err(error) => error,
    };
    let Ok(tuple) = address.cast::<PyTuple>() else {
        let repr = address.repr()?;
        return Err(PyTypeError::new_err(format!("an address is a tuple, not {repr}")));
    };
    if !(2..=4).contains(&tuple.len()) {
        return Err(bad("it must have 2 to 4 items"));
    }
    let item = |index| tuple.get_item(index).ok();
    let host = text("host", &tuple.get_item(0)?)?;
    let port: u16 = optional_number("port", item(1).as_ref())?.unwrap_or(0);
    let flowinfo: u32 = optional_number("flowinfo", item(2).as_ref())?.unwrap_or(0);
    let scope: u32 = optional_number("scope_id", item(3).as_ref())?.unwrap_or(0);
    if flowinfo > 0xf_ffff {
        return Err(bad("flowinfo is more than 20 bits"));
    }
    let mut parsed = match host.as_str() {
        "" => SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)),
        "<broadcast>" => SocketAddr::from((Ipv4Addr::BROADCAST, port)),
        host => pyuv::address::parse(host, port).map_err(|error| match error.code() {
            Some(pyuv::Code::ENXIO) => bad("there is no such interface"),
            _ => bad("the host is not an address in numbers"),
        })?,
    };
    if let SocketAddr::V6(v6) = &mut parsed {
        v6.set_flowinfo(flowinfo);
        if scope != 0 {
            v6.set_scope_id(scope);
        }
    }
    Ok(parsed)
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
