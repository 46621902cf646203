//! `ares_getaddrinfo`: the addresses of a host, from the hosts file and from DNS.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::net::SocketAddr;
use std::ptr;
use std::sync::Mutex;

use c_ares::{AddrInfoFlags, AddrInfoHints, AddressFamily};
use c_ares_sys as sys;
use pyuv::{Held, address};

use super::Channel;
use super::core::Core;
use super::host::{LOOPBACK, is_of, numeric, steps};
use super::lookup::{Asked, Callback, Lookup, callback as user};
use super::queue::InFlight;
use crate::engine::Engine;
use crate::error::{Code, Error, Result};
use crate::getaddrinfo::c_string;
use crate::hosts::Table;
use crate::{idna, name, search, sort};

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

#[derive(Clone)]
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
    fn ask(self, ares: &mut Engine, query: InFlight<AddressInfo>) {
        unsafe extern "C" fn on_answer(
            query: *mut c_void,
            status: c_int,
            _timeouts: c_int,
            found: *mut sys::ares_addrinfo,
        ) {
            // SAFETY: from Box::into_raw below, and c-ares calls once.
            let query = unsafe { Box::from_raw(query.cast::<InFlight<AddressInfo>>()) };
            // SAFETY: c-ares gives a result that is the callee's, or null.
            query.answer(|_| match unsafe { found.as_ref() } {
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
        let address = unsafe { address::read(node.ai_addr.cast(), node.ai_addrlen as usize) };
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
    /// An address in numbers is what the system takes it for: `010.0.0.1` is 8.0.0.1, and `fe80::1%eth0`
    /// has an interface. `localhost` and what is within it is this host, whatever `lookups` says, and no
    /// server is asked for it (RFC 6761). `service` is the name or the number of a port. `callback` is
    /// called as [`query`](Channel::query) does. The error names the host or the service that is wrong.
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
        let service = service.map(|service| c_string("service", service)).transpose()?;
        let Some(host) = host else {
            return self.start(Addresses { host: None, service, hints }, user(callback));
        };
        let host = host_name(host)?;
        let held = self.event_loop.hold()?;
        self.core.addresses(&held, host, service, hints, user(callback))
    }
}

impl Core {
    fn addresses(
        &self,
        held: &Held,
        host: String,
        service: Option<CString>,
        hints: AddrInfoHints,
        callback: Callback<AddressInfo>,
    ) -> Result<()> {
        let port = match self.open(held, |ares| port(&mut ares.current, service.as_ref()))? {
            Ok(port) => port,
            Err(error) => return self.end_at_once(held, callback, Err(error)),
        };
        let wanted = Wanted { port, hints };
        if let Some(address) = numeric(&host, port) {
            let found = address.and_then(|address| wanted.numeric(address, &host));
            return self.end_at_once(held, callback, found);
        }
        if hints.flags.contains(AddrInfoFlags::NUMERICHOST) {
            return self.end_at_once(held, callback, Err(Code::ENOTFOUND.into()));
        }
        let environment = hints.flags.contains(AddrInfoFlags::ENVHOSTS);
        if search::is_localhost(&host) {
            let found = self.open(held, |ares| {
                wanted.localhost(&host, ares.current.hosts.table(environment))
            })?;
            return self.end_at_once(held, callback, found);
        }
        let steps = self.open(held, |ares| steps(&host, &ares.current))?;
        let lookup = Addresses { host: None, service, hints };
        self.look_up(
            held,
            steps,
            environment,
            move |table| wanted.in_file(&host, table),
            move |core, held, name, callback| {
                // It was checked, and has no NUL.
                let host = CString::new(name).ok();
                core.start(held, Asked { lookup: Addresses { host, ..lookup.clone() }, callback })
            },
            callback,
        )
    }
}

/// What is to become of addresses that c-ares was not asked for.
#[derive(Clone, Copy)]
struct Wanted {
    port: u16,
    hints: AddrInfoHints,
}

impl Wanted {
    fn family(&self) -> AddressFamily {
        self.hints.family.unwrap_or(AddressFamily::UNSPEC)
    }

    fn numeric(&self, address: SocketAddr, text: &str) -> Result<AddressInfo> {
        if !is_of(&address, self.family()) {
            return Err(Code::ENOTFOUND.into());
        }
        Ok(self.info(vec![address], text, &[]))
    }

    /// What the file has of a host, if that is anything.
    fn in_file(&self, host: &str, table: &Table) -> Option<AddressInfo> {
        let entry = table.by_name(host)?;
        let addresses =
            entry.addresses.into_iter().map(|address| SocketAddr::new(address, self.port));
        let mut addresses: Vec<_> =
            addresses.filter(|address| is_of(address, self.family())).collect();
        if !self.hints.flags.contains(AddrInfoFlags::NOSORT) {
            sort::sort(&mut addresses);
        }
        (!addresses.is_empty()).then(|| self.info(addresses, entry.name, &entry.aliases))
    }

    /// This host: what the file says it is, and its loopback address of each family that the file has
    /// nothing of.
    fn localhost(&self, host: &str, table: &Table) -> Result<AddressInfo> {
        let in_file = self.in_file(host, table);
        let mut info = in_file.unwrap_or_else(|| self.info(Vec::new(), host, &[]));
        let mut addresses: Vec<_> = info.nodes.iter().map(|node| node.address).collect();
        for mut address in LOOPBACK {
            let known = |known: &SocketAddr| known.is_ipv4() == address.is_ipv4();
            if is_of(&address, self.family()) && !addresses.iter().any(known) {
                address.set_port(self.port);
                addresses.push(address);
            }
        }
        if !self.hints.flags.contains(AddrInfoFlags::NOSORT) {
            sort::sort(&mut addresses);
        }
        info.nodes = self.nodes(addresses);
        Ok(info)
    }

    fn info(&self, addresses: Vec<SocketAddr>, name: &str, aliases: &[&str]) -> AddressInfo {
        let alias = |alias: Option<&str>| Alias {
            ttl: 0,
            alias: alias.map(Box::from),
            name: Some(name.into()),
        };
        let cnames = match (self.hints.flags.contains(AddrInfoFlags::CANONNAME), aliases) {
            (false, _) => Box::default(),
            (true, []) => Box::from([alias(None)]),
            (true, aliases) => aliases.iter().map(|name| alias(Some(name))).collect(),
        };
        AddressInfo { nodes: self.nodes(addresses), cnames }
    }

    fn nodes(&self, addresses: Vec<SocketAddr>) -> Box<[AddressNode]> {
        let node = |address| AddressNode {
            ttl: 0,
            flags: 0,
            socktype: self.hints.socktype,
            protocol: self.hints.protocol,
            address,
        };
        addresses.into_iter().map(node).collect()
    }
}

/// The number of a service's port, as c-ares finds it; 0 without one.
fn port(engine: &mut Engine, service: Option<&CString>) -> Result<u16> {
    let Some(service) = service else { return Ok(0) };
    /// For this host c-ares answers from inside the call.
    unsafe extern "C" fn on_answer(
        slot: *mut c_void,
        status: c_int,
        _timeouts: c_int,
        found: *mut sys::ares_addrinfo,
    ) {
        // SAFETY: from `port`, which waits for this.
        let slot = unsafe { &*slot.cast::<Mutex<Option<Result<u16>>>>() };
        // SAFETY: c-ares gives a result that is the callee's, or null.
        let found_here = unsafe { found.as_ref() }.filter(|_| status == 0);
        // SAFETY: its lists are c-ares's own.
        let found_here = found_here.map(|found| unsafe { copy(found) });
        let port = found_here.and_then(|info| info.nodes.first().map(|node| node.address.port()));
        *slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner) =
            Some(port.ok_or_else(|| Code(status).into()));
        // SAFETY: nobody has a pointer into it any more.
        unsafe { sys::ares_freeaddrinfo(found) };
    }
    let slot: Mutex<Option<Result<u16>>> = Mutex::default();
    let hints = sys::ares_addrinfo_hints {
        ai_flags: AddrInfoFlags::NOSORT.bits(),
        ai_family: libc::AF_INET,
        ai_socktype: 0,
        ai_protocol: 0,
    };
    // SAFETY: the channel is alive, and the call is over when the slot goes.
    unsafe {
        let argument = (&raw const slot).cast_mut().cast();
        let (service, hints) = (service.as_ptr(), &raw const hints);
        sys::ares_getaddrinfo(
            engine.as_raw(),
            ptr::null(),
            service,
            hints,
            Some(on_answer),
            argument,
        );
    }
    let found = slot.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    found.unwrap_or(Err(Code::ESERVICE.into()))
}

/// A host's name in ASCII that can be asked for, or an address in numbers.
pub(crate) fn host_name(host: &str) -> Result<String> {
    let host = idna::to_ascii(host)?;
    if numeric(&host, 0).is_none() {
        name::validate_host(&host)?;
    }
    Ok(host.into_owned())
}
