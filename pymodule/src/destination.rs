//! Where a TCP is to connect to: an address, several, or a host's name.

use std::net::SocketAddr;

use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};
use pyuv::{ConnectOptions, Found, Stream, TCP};
use pyuv_dns::Hints;

use crate::address::{self, Parts};
use crate::dns::error::to_py;

/// What `TCP.connect` is given.
pub enum Destination {
    Address(SocketAddr),
    Addresses(Vec<SocketAddr>),
    Host(Parts),
}

impl Destination {
    /// An address in numbers; the name of a host in its place; or a list of addresses in numbers.
    pub fn from_py(destination: &Bound<'_, PyAny>) -> PyResult<Destination> {
        if is_list(destination) {
            let addresses = destination.try_iter()?.map(|address| address::from_py(&address?));
            return Ok(Destination::Addresses(addresses.collect::<PyResult<_>>()?));
        }
        let parts = Parts::from_py(destination)?;
        if parts.may_be_name() {
            return Ok(Destination::Host(parts));
        }
        Ok(Destination::Address(parts.address(destination)?))
    }

    /// Begins to connect. A host that cannot be one is an exception, which goes to `refused`.
    pub fn connect(
        self,
        stream: &TCP,
        options: ConnectOptions,
        done: fn(&Stream, pyuv::Result<()>),
        refused: &mut Option<PyErr>,
    ) -> pyuv::Result<()> {
        match self {
            Destination::Address(address) if options.timeout.is_none() => {
                stream.connect(address, done)
            }
            Destination::Address(address) => stream.connect_any(vec![address], options, done),
            Destination::Addresses(addresses) => stream.connect_any(addresses, options, done),
            Destination::Host(parts) => {
                stream.connect_found(options, |found| look_up(stream, parts, found, refused), done)
            }
        }
    }
}

/// Whether it is a list, or a tuple of tuples, and no address.
fn is_list(destination: &Bound<'_, PyAny>) -> bool {
    let is_tuple = |item: Bound<'_, PyAny>| item.is_instance_of::<PyTuple>();
    match destination.cast::<PyTuple>() {
        Ok(tuple) => tuple.get_item(0).is_ok_and(is_tuple),
        Err(_) => destination.is_instance_of::<PyList>(),
    }
}

/// Has the system look the host up, on the thread pool.
fn look_up(
    stream: &TCP,
    parts: Parts,
    found: Found,
    refused: &mut Option<PyErr>,
) -> pyuv::Result<()> {
    let family = match stream.getsockname() {
        Ok(SocketAddr::V4(_)) => libc::AF_INET,
        Ok(SocketAddr::V6(_)) => libc::AF_INET6,
        Err(_) => libc::AF_UNSPEC,
    };
    let hints = Hints { family, socktype: libc::SOCK_STREAM, ..Hints::default() };
    let (host, port) = (parts.host.clone(), parts.port.to_string());
    let event_loop = stream.event_loop();
    let submitted =
        pyuv_dns::getaddrinfo(&event_loop, Some(&host), Some(&port), hints, move |answer| {
            found.tell(match answer {
                Ok(list) => Ok(list.into_iter().map(|info| parts.scoped(info.address)).collect()),
                Err(error) => Err(of_loop(error)),
            });
        });
    submitted.map(drop).map_err(|error| match error {
        pyuv_dns::Error::Loop(error) => error,
        invalid => {
            let text = invalid.to_string();
            *refused = Some(to_py(invalid));
            pyuv::Error::new(pyuv::Code::EINVAL, text)
        }
    })
}

/// The loop's error in one of the resolver's.
fn of_loop(error: pyuv_dns::Error) -> pyuv::Error {
    match error {
        pyuv_dns::Error::Loop(error) => error,
        other => pyuv::Error::new(pyuv::Code::EAI_FAIL, other.to_string()),
    }
}

/// What `connect_failures` tells: `(address, code)` each.
pub fn failures_to_py<'py>(
    py: Python<'py>,
    failures: Vec<(SocketAddr, pyuv::Code)>,
) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for (address, code) in failures {
        list.append((address::to_py(py, address)?, code.0))?;
    }
    Ok(list)
}
