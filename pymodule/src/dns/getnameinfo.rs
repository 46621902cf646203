//! `pyuv.dns.getnameinfo`.

use std::net::{IpAddr, SocketAddr, SocketAddrV4, SocketAddrV6};

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::error::to_py;
use super::getaddrinfo::text;
use super::request::DNSRequest;
use crate::call::optional_callable;
use crate::r#loop::Loop;
use crate::number::optional_number;

/// Looks up the names of an address and its port (`uv_getnameinfo`), as `socket.getnameinfo` does:
/// (host, service). `address` is (host, port) or (host, port, flowinfo, scope_id), the host in
/// numbers.
///
/// With a callback the thread pool does it, a DNSRequest is returned, and the loop calls
/// `callback(result, errorno)`. Without, the result is returned, or UVError raised.
#[pyfunction]
#[pyo3(signature = (r#loop, address, flags=0, callback=None))]
pub fn getnameinfo<'py>(
    r#loop: &Bound<'py, Loop>,
    address: &Bound<'py, PyAny>,
    flags: i32,
    callback: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = r#loop.py();
    let address = socket_address(address)?;
    let Some(callback) = optional_callable(callback)? else {
        let core = r#loop.get().core()?;
        let names = py.detach(|| pyuv_dns::getnameinfo_sync(core, address, flags));
        return to_tuple(py, names.map_err(to_py)?);
    };
    let request = DNSRequest::submit(r#loop, callback, to_tuple, |core, done| {
        pyuv_dns::getnameinfo(core, address, flags, done)
    })?;
    Ok(request.into_any())
}

fn to_tuple(py: Python<'_>, names: (String, String)) -> PyResult<Bound<'_, PyAny>> {
    Ok(names.into_pyobject(py)?.into_any())
}

/// (host, port), (host, port, flowinfo) or (host, port, flowinfo, scope_id).
pub fn socket_address(address: &Bound<'_, PyAny>) -> PyResult<SocketAddr> {
    let bad = |fault: &str| match address.repr() {
        Ok(repr) => PyValueError::new_err(format!("bad address {repr}: {fault}")),
        Err(error) => error,
    };
    let Ok(tuple) = address.cast::<PyTuple>() else {
        let repr = address.repr()?;
        return Err(PyTypeError::new_err(format!("an address is a tuple, not {repr}")));
    };
    let length = tuple.len();
    if !(2..=4).contains(&length) {
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
    match host.parse() {
        Ok(IpAddr::V4(ip)) if length == 2 => Ok(SocketAddrV4::new(ip, port).into()),
        Ok(IpAddr::V4(_)) => Err(bad("an IPv4 address has 2 items")),
        Ok(IpAddr::V6(ip)) => Ok(SocketAddrV6::new(ip, port, flowinfo, scope).into()),
        Err(_) => Err(bad("the host is not an address in numbers")),
    }
}
