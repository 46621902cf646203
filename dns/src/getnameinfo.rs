//! `uv_getnameinfo`: the name of an address, by the system's resolver on the thread pool.

use std::ffi::CStr;
use std::mem;
use std::net::SocketAddr;
use std::os::raw::{c_char, c_int};

use libuv_sys2 as uv;
use pyuv::address::RawAddress;
use pyuv::request::{self, RawRequest};
use pyuv::{Loop, Request};

use crate::error::Result;

#[repr(transparent)]
struct GetNameInfo(uv::uv_getnameinfo_t);

// SAFETY: it is the struct of libuv's, whose fields may all be zero and who hangs nothing on it.
unsafe impl RawRequest for GetNameInfo {
    unsafe fn cleanup(_request: *mut Self) {}
}

/// # Safety
/// The loop is open and this thread's; the request is valid memory, until `callback` was called
/// or, without one, this has returned.
unsafe fn start(
    event_loop: *mut uv::uv_loop_t,
    request: *mut GetNameInfo,
    callback: uv::uv_getnameinfo_cb,
    address: SocketAddr,
    flags: i32,
) -> c_int {
    let storage = RawAddress::from(address);
    // SAFETY: the caller vouches for loop and request; libuv copies the address.
    unsafe {
        let address = storage.as_ptr();
        uv::uv_getnameinfo(event_loop, request.cast(), callback, address, flags)
    }
}

/// Looks up the names of an address and its port (`uv_getnameinfo`), on the thread pool;
/// `callback` gets host and service on the loop's thread. `flags` are `NI_*`.
///
/// It gets one of the `UV_EAI_*` codes when they cannot be had, `UV_EAI_CANCELED` after
/// [`Request::cancel`].
pub fn getnameinfo(
    event_loop: &Loop,
    address: SocketAddr,
    flags: i32,
    callback: impl FnOnce(Result<(String, String)>) + Send + 'static,
) -> Result<Request> {
    unsafe extern "C" fn on_done(
        request: *mut uv::uv_getnameinfo_t,
        status: c_int,
        _host: *const c_char,
        _service: *const c_char,
    ) {
        // SAFETY: libuv's callback for a request that was submitted below.
        unsafe { request::complete(request.cast::<GetNameInfo>(), status) };
    }
    // SAFETY: uv_getnameinfo gets the request and a callback that completes it, and copies
    // everything else.
    let submitted = unsafe {
        request::submit::<GetNameInfo>(
            event_loop,
            || address.to_string(),
            |event_loop, request| start(event_loop, request, Some(on_done), address, flags),
            // SAFETY: submit gives the finished request.
            move |_, request, status| callback(read(status, address, request)),
        )
    };
    Ok(submitted?)
}

/// [`getnameinfo`], waiting for the answer. This thread has the loop meanwhile.
pub fn getnameinfo_sync(
    event_loop: &Loop,
    address: SocketAddr,
    flags: i32,
) -> Result<(String, String)> {
    let held = event_loop.hold()?;
    // SAFETY: all-zero is a valid value of a C struct of integers and pointers.
    let mut request: GetNameInfo = unsafe { mem::zeroed() };
    // SAFETY: the loop is held; without a callback libuv is done with the request on return.
    let status = unsafe { start(held.as_raw(), &raw mut request, None, address, flags) };
    // SAFETY: the request is finished.
    unsafe { read(status, address, &raw const request) }
}

/// # Safety
/// The request is finished, with this status.
unsafe fn read(
    status: c_int,
    address: SocketAddr,
    request: *const GetNameInfo,
) -> Result<(String, String)> {
    if status < 0 {
        pyuv::Error::check(status, address.to_string())?;
    }
    // SAFETY: the caller says so; both fields are strings then.
    let (host, service) = unsafe {
        let host = CStr::from_ptr((&raw const (*request).0.host).cast());
        (host, CStr::from_ptr((&raw const (*request).0.service).cast()))
    };
    Ok((host.to_string_lossy().into_owned(), service.to_string_lossy().into_owned()))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, mpsc};

    use pyuv::RunMode;

    use super::*;
    use crate::error::Error;

    const NUMERIC: i32 = libc::NI_NUMERICHOST | libc::NI_NUMERICSERV;

    #[test]
    fn both_ways_give_the_same_names() {
        let event_loop = Loop::new().unwrap();
        for (text, host) in [("127.0.0.1:80", "127.0.0.1"), ("[::1]:80", "::1")] {
            let address = text.parse().unwrap();
            let (sender, receiver) = mpsc::channel();
            getnameinfo(&event_loop, address, NUMERIC, move |result| {
                sender.send(result).unwrap();
            })
            .unwrap();
            event_loop.run(RunMode::Default).unwrap();
            let expected = Ok((host.to_owned(), "80".to_owned()));
            assert_eq!(receiver.try_recv(), Ok(expected.clone()));
            assert_eq!(getnameinfo_sync(&event_loop, address, NUMERIC), expected);
        }
    }

    #[test]
    fn wrong_flags_are_an_error_that_names_the_address() {
        let event_loop = Loop::new().unwrap();
        let error = getnameinfo_sync(&event_loop, "127.0.0.1:80".parse().unwrap(), -1).unwrap_err();
        assert!(error.to_string().contains("127.0.0.1:80"), "{error}");
    }

    #[test]
    fn what_waits_for_the_thread_pool_can_be_cancelled() {
        let event_loop = Loop::new().unwrap();
        let gate = Arc::new(Mutex::new(()));
        let closed = gate.lock().unwrap();
        // More than the pool has threads.
        for _ in 0..64 {
            let gate = gate.clone();
            event_loop.queue_work(move || drop(gate.lock()), |_| ()).unwrap();
        }
        let (sender, receiver) = mpsc::channel();
        let address = "127.0.0.1:80".parse().unwrap();
        let request = getnameinfo(&event_loop, address, NUMERIC, move |result| {
            sender.send(result).unwrap();
        })
        .unwrap();
        assert_eq!(request.cancel(), Ok(true));
        assert_eq!(request.cancel(), Ok(false));
        drop(closed);
        event_loop.run(RunMode::Default).unwrap();
        let canceled = pyuv::Error::new(pyuv::Code::EAI_CANCELED, "127.0.0.1:80");
        assert_eq!(receiver.try_recv(), Ok(Err(Error::Loop(canceled))));
    }
}
