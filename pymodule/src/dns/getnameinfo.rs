//! `pyuv.dns.getnameinfo`.

use std::net::SocketAddr;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::error::to_py;
use super::request::DNSRequest;
use crate::address;
use crate::call::optional_callable;
use crate::r#loop::Loop;

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
        return to_tuple(py, names.map_err(|error| to_py(error.in_call("getnameinfo")))?);
    };
    let request = DNSRequest::submit(r#loop, callback, to_tuple, |core, done| {
        pyuv_dns::getnameinfo(core, address, flags, done)
    })?;
    Ok(request.into_any())
}

fn to_tuple(py: Python<'_>, names: (String, String)) -> PyResult<Bound<'_, PyAny>> {
    Ok(names.into_pyobject(py)?.into_any())
}

/// As the address of a socket, but an IPv4 address has 2 items, as in `socket.getnameinfo`.
pub fn socket_address(address: &Bound<'_, PyAny>) -> PyResult<SocketAddr> {
    let parsed = address::from_py(address)?;
    if parsed.is_ipv4() && address.len()? > 2 {
        let repr = address.repr()?;
        return Err(PyValueError::new_err(format!(
            "bad address {repr}: an IPv4 address has 2 items"
        )));
    }
    Ok(parsed)
}
