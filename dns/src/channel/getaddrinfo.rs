//! `ares_getaddrinfo`: the addresses of a host, from the hosts file and from DNS.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::net::{IpAddr, SocketAddr};
use std::ptr;

use c_ares::{AddrInfoHints, AddressFamily};
use c_ares_sys as sys;

use super::Channel;
use super::lookup::Lookup;
use super::queue::InFlight;
use crate::error::{Code, Error, Result};
use crate::getaddrinfo::{c_string, socket_address};
use crate::name;

/// What is known of a host (`struct ares_addrinfo`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AddressInfo {
    /// The addresses, the best first (RFC 6724) unless `ARES_AI_NOSORT` was asked for.
    pub nodes: Box<[AddressNode]>,
    /// The aliases on the way to them, and with `ARES_AI_CANONNAME` the name of a host that has
    /// none.
    pub cnames: Box<[Alias]>,
}

/// One address (`struct ares_addrinfo_node`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AddressNode {
    /// How long it may be kept, in seconds; 0 for one that is not from DNS.
    pub ttl: u32,
    /// `ARES_AI_*`.
    pub flags: i32,
    /// `SOCK_*`, as in the hints.
    pub socktype: i32,
    /// `IPPROTO_*`, as in the hints.
    pub protocol: i32,
    /// The address, with the service's port.
    pub address: SocketAddr,
}

/// One alias (`struct ares_addrinfo_cname`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Alias {
    /// How long it may be kept, in seconds; 0 for one that is not from DNS.
    pub ttl: u32,
    /// The alias, if the name is not the host's first.
    pub alias: Option<Box<str>>,
    /// The name that it stands for.
    pub name: Option<Box<str>>,
}

struct Addresses {
    host: Option<CString>,
    service: Option<CString>,
    hints: AddrInfoHints,
}

impl Lookup for Addresses {
    type Answer = AddressInfo;

    fn weight(&self) -> usize {
        match self.hints.family {
            None | Some(AddressFamily::UNSPEC) => 2,
            Some(_) => 1,
        }
    }

    /// Not by way of the c-ares crate, which takes every `ares_addrinfo_cname` to have an alias.
    fn ask(self, ares: &mut c_ares::Channel, query: InFlight<AddressInfo>) {
        unsafe extern "C" fn on_answer(
            query: *mut c_void,
            status: c_int,
            _timeouts: c_int,
            found: *mut sys::ares_addrinfo,
        ) {
            // SAFETY: from Box::into_raw below, and c-ares calls once.
            let query = unsafe { Box::from_raw(query.cast::<InFlight<AddressInfo>>()) };
            // SAFETY: c-ares gives a result that is the callee's, or null.
            query.answer(|| match unsafe { found.as_ref() } {
                // SAFETY: its lists are c-ares's own.
                Some(found) if status == 0 => Ok(unsafe { copy(found) }),
                _ => Err(Code(status).into()),
            });
            // SAFETY: nobody has a pointer into it any more.
            unsafe { sys::ares_freeaddrinfo(found) };
        }
        let hints = sys::ares_addrinfo_hints {
            ai_flags: self.hints.flags.bits(),
            ai_family: self.hints.family.map_or(libc::AF_UNSPEC, |family| family as c_int),
            ai_socktype: self.hints.socktype,
            ai_protocol: self.hints.protocol,
        };
        let pointer = |text: &Option<CString>| text.as_ref().map_or(ptr::null(), |s| s.as_ptr());
        // SAFETY: the channel is alive, and c-ares copies what it is given but for the last
        // argument, which its one call gives back.
        unsafe {
            sys::ares_getaddrinfo(
                ares.as_raw(),
                pointer(&self.host),
                pointer(&self.service),
                &raw const hints,
                Some(on_answer),
                Box::into_raw(Box::new(query)).cast(),
            );
        }
    }
}

/// # Safety
/// The lists are c-ares's own.
unsafe fn copy(found: &sys::ares_addrinfo) -> AddressInfo {
    let (mut nodes, mut cnames) = (Vec::new(), Vec::new());
    // SAFETY: the lists end in null.
    let mut next = unsafe { found.nodes.as_ref() };
    while let Some(node) = next {
        // SAFETY: c-ares says how long the address is.
        let address = unsafe { socket_address(node.ai_addr.cast(), node.ai_addrlen as usize) };
        if let Some(address) = address {
            nodes.push(AddressNode {
                ttl: node.ai_ttl.cast_unsigned(),
                flags: node.ai_flags,
                socktype: node.ai_socktype,
                protocol: node.ai_protocol,
                address,
            });
        }
        // SAFETY: as above.
        next = unsafe { node.ai_next.as_ref() };
    }
    // SAFETY: as above.
    let mut next = unsafe { found.cnames.as_ref() };
    while let Some(cname) = next {
        // SAFETY: the texts are null or end in a NUL.
        let (alias, name) = unsafe { (text(cname.alias), text(cname.name)) };
        cnames.push(Alias { ttl: cname.ttl.cast_unsigned(), alias, name });
        // SAFETY: as above.
        next = unsafe { cname.next.as_ref() };
    }
    AddressInfo { nodes: nodes.into(), cnames: cnames.into() }
}

/// # Safety
/// `text` is null or ends in a NUL.
unsafe fn text(text: *const c_char) -> Option<Box<str>> {
    // SAFETY: the caller says so.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_string_lossy().into())
}

impl Channel {
    /// Looks up the addresses of a host (`ares_getaddrinfo`) in the hosts file and in DNS, search
    /// domains included, as `lookups` of the options says; or those of this host for `None`.
    ///
    /// `service` is the name or the number of a port. `callback` is called as
    /// [`query`](Channel::query) does. The error names the host or the service that is wrong.
    pub fn getaddrinfo(
        &self,
        host: Option<&str>,
        service: Option<&str>,
        hints: AddrInfoHints,
        callback: impl FnOnce(Result<AddressInfo>) + Send + 'static,
    ) -> Result<()> {
        if host.is_none() && service.is_none() {
            return Err(Error::Invalid("neither a host nor a service to look up".to_owned()));
        }
        let lookup = Addresses {
            host: host.map(host_name).transpose()?,
            service: service.map(|service| c_string("service", service)).transpose()?,
            hints,
        };
        self.start(lookup, Box::new(callback))
    }
}

/// A name that can be asked for, or an address in numbers.
pub(crate) fn host_name(host: &str) -> Result<CString> {
    if host.parse::<IpAddr>().is_err() {
        name::validate(host)?;
    }
    c_string("host", host)
}
