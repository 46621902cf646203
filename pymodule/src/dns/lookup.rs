//! What a `pyuv.dns.Channel` can be asked.

use std::net::IpAddr;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use pyuv_dns::{AddrInfoFlags, AddrInfoHints, AddressFamily, NIFlags, RecordClass};

use super::channel::Channel;
use super::constants::{RecordClassArg, RecordTypeArg};
use super::getaddrinfo::service;
use super::getnameinfo::socket_address;
use super::host::{addresses_to_py, host_to_py, names_to_py};
use super::message::{Message, message_to_py};
use super::name::with_name;
use crate::number::type_name;

#[pymethods]
impl Channel {
    /// Asks for the records of `name` that are of one type: `"MX"`, `pyuv.dns.RecordType.MX`, 15
    /// (`ares_query_dnsrec`).
    ///
    /// `callback(result, errorno)` is called by the loop: with a Message and None or, when there
    /// is no answer, with None and a c-ares code of pyuv.dns, ARES_ENOTFOUND for instance. `name`
    /// is str, encoded with IDNA if it is not ASCII, or bytes. `record_class` is `"IN"`,
    /// `"CHAOS"`, `"HS"`, `"NONE"` or `"ANY"`.
    #[pyo3(
        signature = (name, r#type, callback, record_class = RecordClassArg(RecordClass::IN)),
        text_signature = "($self, name, type, callback, record_class=1)"
    )]
    fn query<'py>(
        slf: &Bound<'py, Channel>,
        name: &Bound<'py, PyAny>,
        r#type: RecordTypeArg,
        callback: Bound<'py, PyAny>,
        record_class: RecordClassArg,
    ) -> PyResult<()> {
        let core = slf.get().core()?;
        with_name(name, |name| {
            let begun = Channel::begin(slf, callback)?;
            let done = begun.done(message_to_py);
            let asked = core.query_class(name, r#type.0, record_class.0, done);
            begun.asked(asked)
        })
    }

    /// Like `query`, but asks for `name` in each of the search domains too, until one has an answer
    /// (`ares_search_dnsrec`). A name with at least `ndots` dots is asked for as it is first, one
    /// with fewer last, and one that ends in a dot alone.
    #[pyo3(
        signature = (name, r#type, callback, record_class = RecordClassArg(RecordClass::IN)),
        text_signature = "($self, name, type, callback, record_class=1)"
    )]
    fn search<'py>(
        slf: &Bound<'py, Channel>,
        name: &Bound<'py, PyAny>,
        r#type: RecordTypeArg,
        callback: Bound<'py, PyAny>,
        record_class: RecordClassArg,
    ) -> PyResult<()> {
        let core = slf.get().core()?;
        with_name(name, |name| {
            let begun = Channel::begin(slf, callback)?;
            let done = begun.done(message_to_py);
            let asked = core.search(name, r#type.0, record_class.0, done);
            begun.asked(asked)
        })
    }

    /// Sends a Message of your own, with one question (`ares_send_dnsrec`). Its id is replaced, and
    /// if it has an OPT record c-ares adds a cookie (RFC 7873).
    ///
    /// `callback(result, errorno)` gets whatever Message comes back: one that says NXDOMAIN, or
    /// that has no records, is no error here. SERVFAIL, NOTIMP and REFUSED are, after every server
    /// said so, unless the channel has ARES_FLAG_NOCHECKRESP.
    fn send<'py>(
        slf: &Bound<'py, Channel>,
        message: &Bound<'py, Message>,
        callback: Bound<'py, PyAny>,
    ) -> PyResult<()> {
        let core = slf.get().core()?;
        let begun = Channel::begin(slf, callback)?;
        let asked = core.send(&message.get().message, begun.done(message_to_py));
        begun.asked(asked)
    }

    /// Looks up the addresses of a host in the hosts file and in DNS, search domains included
    /// (`ares_getaddrinfo`). `callback(result, errorno)` gets an AddrInfoResult.
    ///
    /// `host` and `port` are as in `pyuv.dns.getaddrinfo`, and one of them may be None. `family` is
    /// AF_UNSPEC, AF_INET or AF_INET6, `flags` are ARES_AI_*.
    #[pyo3(signature = (host, port, callback, family=0, socktype=0, proto=0, flags=0))]
    #[expect(clippy::too_many_arguments, reason = "getaddrinfo has that many")]
    fn getaddrinfo<'py>(
        slf: &Bound<'py, Channel>,
        host: &Bound<'py, PyAny>,
        port: &Bound<'py, PyAny>,
        callback: Bound<'py, PyAny>,
        family: i32,
        socktype: i32,
        proto: i32,
        flags: i32,
    ) -> PyResult<()> {
        let core = slf.get().core()?;
        let service = if port.is_none() { None } else { Some(service(port)?) };
        let flags = AddrInfoFlags::from_bits(flags).ok_or_else(|| no_flags(flags, "ARES_AI"))?;
        let family = Some(address_family(family)?);
        let hints = AddrInfoHints { flags, family, socktype, protocol: proto };
        let ask = |host: Option<&str>| {
            let begun = Channel::begin(slf, callback)?;
            let done = begun.done(addresses_to_py);
            let asked = core.getaddrinfo(host, service.as_deref(), hints, done);
            begun.asked(asked)
        };
        if host.is_none() { ask(None) } else { with_name(host, |host| ask(Some(host))) }
    }

    /// Looks up the names of an address and of its port (`ares_getnameinfo`).
    /// `callback(result, errorno)` gets a NameInfoResult.
    ///
    /// `address` is as in `pyuv.dns.getnameinfo`. `flags` are ARES_NI_*; without
    /// ARES_NI_LOOKUPHOST and ARES_NI_LOOKUPSERVICE, the host alone is looked up.
    fn getnameinfo<'py>(
        slf: &Bound<'py, Channel>,
        address: &Bound<'py, PyAny>,
        flags: i32,
        callback: Bound<'py, PyAny>,
    ) -> PyResult<()> {
        let core = slf.get().core()?;
        let address = socket_address(address)?;
        let flags = NIFlags::from_bits(flags).ok_or_else(|| no_flags(flags, "ARES_NI"))?;
        let begun = Channel::begin(slf, callback)?;
        let asked = core.getnameinfo(address, flags, begun.done(names_to_py));
        begun.asked(asked)
    }

    /// Looks up the addresses of a host that are of one family, or of the first that it has any of
    /// for AF_UNSPEC (`ares_gethostbyname`). `callback(result, errorno)` gets a HostResult.
    fn gethostbyname<'py>(
        slf: &Bound<'py, Channel>,
        name: &Bound<'py, PyAny>,
        family: i32,
        callback: Bound<'py, PyAny>,
    ) -> PyResult<()> {
        let core = slf.get().core()?;
        let family = address_family(family)?;
        with_name(name, |name| {
            let begun = Channel::begin(slf, callback)?;
            let asked = core.gethostbyname(name, family, begun.done(host_to_py));
            begun.asked(asked)
        })
    }

    /// Looks up the names of an address: str, bytes or of `ipaddress` (`ares_gethostbyaddr`).
    /// `callback(result, errorno)` gets a HostResult.
    fn gethostbyaddr<'py>(
        slf: &Bound<'py, Channel>,
        address: &Bound<'py, PyAny>,
        callback: Bound<'py, PyAny>,
    ) -> PyResult<()> {
        let core = slf.get().core()?;
        let address = ip_address(address)?;
        let begun = Channel::begin(slf, callback)?;
        let asked = core.gethostbyaddr(address, begun.done(host_to_py));
        begun.asked(asked)
    }
}

fn address_family(family: i32) -> PyResult<AddressFamily> {
    match family {
        libc::AF_UNSPEC => Ok(AddressFamily::UNSPEC),
        libc::AF_INET => Ok(AddressFamily::INET),
        libc::AF_INET6 => Ok(AddressFamily::INET6),
        other => {
            let rule = "is not AF_UNSPEC, AF_INET or AF_INET6";
            Err(PyValueError::new_err(format!("family {other} {rule}")))
        }
    }
}

fn no_flags(bits: i32, kind: &str) -> PyErr {
    PyValueError::new_err(format!("flags {bits:#x} holds bits that are no {kind}"))
}

fn ip_address(object: &Bound<'_, PyAny>) -> PyResult<IpAddr> {
    if object.is_instance_of::<pyo3::types::PyInt>() || object.is_none() {
        let given = type_name(object);
        return Err(PyTypeError::new_err(format!("an address is str or bytes, not {given}")));
    }
    let parsed = match object.cast::<PyBytes>() {
        Ok(bytes) => str::from_utf8(bytes.as_bytes()).ok().and_then(|text| text.parse().ok()),
        Err(_) => object.str()?.cast::<PyString>()?.to_str()?.parse().ok(),
    };
    match parsed {
        Some(address) => Ok(address),
        None => {
            let repr = object.repr()?;
            Err(PyValueError::new_err(format!("{repr} is not an address in numbers")))
        }
    }
}
