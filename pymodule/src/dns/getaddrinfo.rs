//! `pyuv.dns.getaddrinfo`.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString};
use pyuv_dns::{AddrInfo, Hints};

use super::error::to_py;
use super::request::DNSRequest;
use crate::address;
use crate::argument::text;
use crate::call::optional_callable;
use crate::r#loop::Loop;
use crate::number::number;
use crate::once::Once;

/// Looks up the addresses of a host (`uv_getaddrinfo`), as `socket.getaddrinfo` does: a list of
/// (family, type, proto, canonname, address).
///
/// With a callback the thread pool does it, a DNSRequest is returned, and the loop calls
/// `callback(result, errorno)`. Without, the result is returned, or UVError raised. `host` and
/// `port` are str or bytes, `port` may be a number, and either None.
#[pyfunction]
#[pyo3(signature = (r#loop, host, port=None, family=0, socktype=0, proto=0, flags=0, callback=None),
    text_signature = "(loop, host, port=0, family=0, socktype=0, proto=0, flags=0, callback=None)")]
#[expect(clippy::too_many_arguments, reason = "getaddrinfo has that many")]
pub fn getaddrinfo<'py>(
    r#loop: &Bound<'py, Loop>,
    host: &Bound<'py, PyAny>,
    port: Option<&Bound<'py, PyAny>>,
    family: i32,
    socktype: i32,
    proto: i32,
    flags: i32,
    callback: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = r#loop.py();
    // Now, where it can be told: the program may be in a chroot, or out of fds, when the result comes.
    enums(py)?;
    let host = if host.is_none() { None } else { Some(text("host", host)?) };
    let service = match port {
        Some(port) => Some(service(port)?),
        None if host.is_none() => Some("0".to_owned()),
        None => None,
    };
    let hints = Hints { family, socktype, protocol: proto, flags };
    let Some(callback) = optional_callable(callback)? else {
        let core = r#loop.get().core()?;
        let found = py.detach(|| {
            pyuv_dns::getaddrinfo_sync(core, host.as_deref(), service.as_deref(), hints)
        });
        return to_list(py, found.map_err(|error| to_py(error.in_call("getaddrinfo")))?);
    };
    let request = DNSRequest::submit(r#loop, callback, to_list, |core, done| {
        pyuv_dns::getaddrinfo(core, host.as_deref(), service.as_deref(), hints, done)
    })?;
    Ok(request.into_any())
}

/// A service's name, or a port's number.
pub fn service(port: &Bound<'_, PyAny>) -> PyResult<String> {
    if port.is_instance_of::<PyString>() || port.is_instance_of::<PyBytes>() {
        return text("port", port);
    }
    number::<u16>("port", port).map(|number| number.to_string())
}

/// The list that `socket.getaddrinfo` would give.
fn to_list(py: Python<'_>, found: Vec<AddrInfo>) -> PyResult<Bound<'_, PyAny>> {
    let (family, kind) = enums(py)?;
    let list = PyList::empty(py);
    for info in found {
        list.append((
            member(family, info.family)?,
            member(kind, info.socktype)?,
            info.protocol,
            info.canonname.unwrap_or_default(),
            address::to_py(py, info.address)?,
        ))?;
    }
    Ok(list.into_any())
}

/// The standard library's names of families and of kinds of sockets.
fn enums(py: Python<'_>) -> PyResult<(&Bound<'_, PyAny>, &Bound<'_, PyAny>)> {
    static FAMILY: Once<Py<PyAny>> = Once::new();
    static KIND: Once<Py<PyAny>> = Once::new();
    let family = FAMILY.import(py, "socket", "AddressFamily")?;
    Ok((family, KIND.import(py, "socket", "SocketKind")?))
}

/// The enum's member, or the number where it has none.
fn member<'py>(class: &Bound<'py, PyAny>, number: i32) -> PyResult<Bound<'py, PyAny>> {
    match class.call1((number,)) {
        Err(error) if error.is_instance_of::<PyValueError>(class.py()) => {
            Ok(number.into_pyobject(class.py())?.into_any())
        }
        member => member,
    }
}
