//! `uv_getaddrinfo`: the system's resolver, on the thread pool.

use std::ffi::{CStr, CString};
use std::mem;
use std::net::SocketAddr;
use std::os::raw::c_int;
use std::ptr;

use libuv_sys2 as uv;
use pyuv::address;
use pyuv::request::{self, RawRequest};
use pyuv::{Loop, Request};

use crate::error::{Error, Result};
use crate::idna;

/// What addresses are wanted (`struct addrinfo`); 0 is any.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hints {
    /// `AF_*`
    pub family: i32,
    /// `SOCK_*`
    pub socktype: i32,
    /// `IPPROTO_*`
    pub protocol: i32,
    /// `AI_*`
    pub flags: i32,
}

/// One address of a host, and the kind of socket to use it with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddrInfo {
    /// `AF_INET` or `AF_INET6`
    pub family: i32,
    /// `SOCK_*`
    pub socktype: i32,
    /// `IPPROTO_*`
    pub protocol: i32,
    /// The host's name, in the first address, if `AI_CANONNAME` asked for it.
    pub canonname: Option<String>,
    /// Address and port.
    pub address: SocketAddr,
}

#[repr(transparent)]
struct GetAddrInfo(uv::uv_getaddrinfo_t);

// SAFETY: it is the struct of libuv's, whose fields may all be zero, and `addrinfo` is what libuv
// hangs on it.
unsafe impl RawRequest for GetAddrInfo {
    unsafe fn cleanup(request: *mut Self) {
        // SAFETY: `start` sets the field to null, libuv to the list or null.
        unsafe { uv::uv_freeaddrinfo((*request).0.addrinfo) };
    }
}

/// Host, service and hints as C has them.
struct Query {
    host: Option<CString>,
    service: Option<CString>,
    hints: uv::addrinfo,
}

impl Query {
    fn new(host: Option<&str>, service: Option<&str>, hints: Hints) -> Result<Query> {
        if host.is_none() && service.is_none() {
            return Err(Error::Invalid("neither a host nor a service to look up".to_owned()));
        }
        // SAFETY: all-zero is a valid value of a C struct of integers and pointers.
        let mut raw: uv::addrinfo = unsafe { mem::zeroed() };
        raw.ai_family = hints.family;
        raw.ai_socktype = hints.socktype;
        raw.ai_protocol = hints.protocol;
        raw.ai_flags = hints.flags;
        // libuv's own encoder maps nothing, `BÜCHER` for instance.
        let host = host.map(idna::to_ascii).transpose()?;
        let host = host.map(|host| c_string("host", &host)).transpose()?;
        let service = service.map(|service| c_string("service", service)).transpose()?;
        Ok(Query { host, service, hints: raw })
    }

    /// # Safety
    /// The loop is open and this thread's; the request is valid memory, until `callback` was
    /// called or, without one, this has returned.
    unsafe fn start(
        &self,
        event_loop: *mut uv::uv_loop_t,
        request: *mut GetAddrInfo,
        callback: uv::uv_getaddrinfo_cb,
    ) -> c_int {
        let pointer = |text: &Option<CString>| text.as_ref().map_or(ptr::null(), |c| c.as_ptr());
        // SAFETY: the caller vouches for loop and request; libuv copies the texts and the hints.
        unsafe {
            (&raw mut (*request).0.addrinfo).write(ptr::null_mut());
            uv::uv_getaddrinfo(
                event_loop,
                request.cast(),
                callback,
                pointer(&self.host),
                pointer(&self.service),
                &raw const self.hints,
            )
        }
    }

    fn what(&self) -> String {
        let text = |text: &Option<CString>| text.as_ref().map(|c| c.to_string_lossy().into_owned());
        match (text(&self.host), text(&self.service)) {
            (Some(host), Some(service)) => format!("{host:?}, service {service:?}"),
            (host, service) => format!("{:?}", host.or(service).unwrap_or_default()),
        }
    }
}

/// Looks up the addresses of a host (`uv_getaddrinfo`), on the thread pool; `callback` gets them on
/// the loop's thread. `service` is a service's name or a port.
///
/// It gets one of the `UV_EAI_*` codes when there are none, `UV_EAI_CANCELED` after
/// [`Request::cancel`]. A host that cannot be one is an error at once.
pub fn getaddrinfo(
    event_loop: &Loop,
    host: Option<&str>,
    service: Option<&str>,
    hints: Hints,
    callback: impl FnOnce(Result<Vec<AddrInfo>>) + Send + 'static,
) -> Result<Request> {
    unsafe extern "C" fn on_done(
        request: *mut uv::uv_getaddrinfo_t,
        status: c_int,
        _list: *mut uv::addrinfo,
    ) {
        // SAFETY: libuv's callback for a request that was submitted below.
        unsafe { request::complete(request.cast::<GetAddrInfo>(), status) };
    }
    let query = Query::new(host, service, hints)?;
    let what = query.what();
    // SAFETY: uv_getaddrinfo gets the request and a callback that completes it, and copies
    // everything else.
    let submitted = unsafe {
        request::submit::<GetAddrInfo>(
            event_loop,
            || query.what(),
            |event_loop, request| query.start(event_loop, request, Some(on_done)),
            // SAFETY: submit gives the finished request.
            move |_, request, status| callback(read(status, what, request)),
        )
    };
    Ok(submitted?)
}

/// [`getaddrinfo`], waiting for the answer. This thread has the loop meanwhile.
pub fn getaddrinfo_sync(
    event_loop: &Loop,
    host: Option<&str>,
    service: Option<&str>,
    hints: Hints,
) -> Result<Vec<AddrInfo>> {
    let query = Query::new(host, service, hints)?;
    let held = event_loop.hold()?;
    // SAFETY: all-zero is a valid value of a C struct of integers and pointers.
    let mut request: GetAddrInfo = unsafe { mem::zeroed() };
    // SAFETY: the loop is held; without a callback libuv is done with the request on return.
    let status = unsafe { query.start(held.as_raw(), &raw mut request, None) };
    // SAFETY: the request is finished.
    let result = unsafe { read(status, query.what(), &raw mut request) };
    // SAFETY: as above, and nobody looks at the list any more.
    unsafe { GetAddrInfo::cleanup(&raw mut request) };
    result
}

/// # Safety
/// The request is finished, with this status.
unsafe fn read(status: c_int, what: String, request: *mut GetAddrInfo) -> Result<Vec<AddrInfo>> {
    pyuv::Error::check(status, what)?;
    let mut list = Vec::new();
    // SAFETY: libuv's list, or null.
    let mut next = unsafe { (*request).0.addrinfo };
    // SAFETY: an element is valid until the list is freed.
    while let Some(info) = unsafe { next.as_ref() } {
        next = info.ai_next;
        // SAFETY: the address is null or one of the length given.
        let address = unsafe { address::read(info.ai_addr.cast(), info.ai_addrlen as usize) };
        let Some(address) = address else { continue };
        // SAFETY: the name is null or ends with a NUL.
        let canonname = (!info.ai_canonname.is_null())
            .then(|| unsafe { CStr::from_ptr(info.ai_canonname) }.to_string_lossy().into_owned());
        list.push(AddrInfo {
            family: info.ai_family,
            socktype: info.ai_socktype,
            protocol: info.ai_protocol,
            canonname,
            address,
        });
    }
    Ok(list)
}

pub(crate) fn c_string(what: &str, text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Error::Invalid(format!("{what} {text:?} holds a NUL byte")))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use pyuv::{Code, RunMode};

    use super::*;

    const NUMERIC: Hints =
        Hints { family: 0, socktype: libc::SOCK_STREAM, protocol: 0, flags: libc::AI_NUMERICHOST };

    fn code<T>(result: Result<T>) -> Option<Code> {
        match result {
            Err(Error::Loop(error)) => error.code(),
            _ => None,
        }
    }

    #[test]
    fn both_ways_give_the_same_addresses() {
        let event_loop = Loop::new().unwrap();
        for (host, expected) in [("127.0.0.1", "127.0.0.1:80"), ("::1", "[::1]:80")] {
            let (sender, receiver) = mpsc::channel();
            getaddrinfo(&event_loop, Some(host), Some("80"), NUMERIC, move |result| {
                sender.send(result).unwrap();
            })
            .unwrap();
            event_loop.run(RunMode::Default).unwrap();
            let result = receiver.try_recv().unwrap();
            assert_eq!(result, getaddrinfo_sync(&event_loop, Some(host), Some("80"), NUMERIC));
            let list = result.unwrap();
            assert_eq!(list.len(), 1);
            assert_eq!(list[0].address, expected.parse().unwrap());
            assert_eq!(list[0].socktype, libc::SOCK_STREAM);
        }
    }

    #[test]
    fn what_cannot_be_found_is_an_error_that_names_it() {
        let event_loop = Loop::new().unwrap();
        let result = getaddrinfo_sync(&event_loop, Some("no.number"), None, NUMERIC);
        assert_eq!(code(result.clone()), Some(Code::EAI_NONAME));
        assert!(result.unwrap_err().to_string().contains("\"no.number\""));
        let (sender, receiver) = mpsc::channel();
        getaddrinfo(&event_loop, Some("no.number"), None, NUMERIC, move |result| {
            sender.send(result).unwrap();
        })
        .unwrap();
        event_loop.run(RunMode::Default).unwrap();
        assert_eq!(code(receiver.try_recv().unwrap()), Some(Code::EAI_NONAME));
    }

    #[test]
    fn what_cannot_be_a_host_is_an_error_at_once() {
        let event_loop = Loop::new().unwrap();
        let long = "a".repeat(300);
        for host in ["", "a\0b", &long, "\u{fffd}.\u{10ffff}"] {
            let error = getaddrinfo_sync(&event_loop, Some(host), None, NUMERIC).unwrap_err();
            assert!(error.to_string().contains(&format!("{host:?}")), "{error}");
        }
        for host in ["", "a\0b", &long] {
            let refused = getaddrinfo(&event_loop, Some(host), None, NUMERIC, |_| panic!("called"));
            assert!(refused.unwrap_err().to_string().contains(&format!("{host:?}")));
        }
        assert!(getaddrinfo_sync(&event_loop, None, None, NUMERIC).is_err());
        assert_eq!(event_loop.run(RunMode::Default), Ok(false));
    }

    #[test]
    fn wrong_hints_are_errors() {
        let event_loop = Loop::new().unwrap();
        for (hints, expected) in [
            (Hints { family: 12345, ..NUMERIC }, Code::EAI_FAMILY),
            (Hints { flags: -1, ..NUMERIC }, Code::EAI_BADFLAGS),
        ] {
            let result = getaddrinfo_sync(&event_loop, Some("127.0.0.1"), None, hints);
            assert_eq!(code(result), Some(expected));
        }
    }
}
