//! `uv__server_io` (`unix/stream.c`), which accepts a connection.
//!
//! It asserts that there is one. But where somebody shuts the listening socket down, another process that has
//! it included, the kernel says that it is hung up, and only that; and it says so again and again, also where
//! libuv does not assert.

use std::os::raw::c_uint;

use libuv_sys2 as uv;

use super::linked;
use crate::error::Code;
use crate::handle::Header;
use crate::stream::listen as listening;

const READABLE: c_uint = libc::EPOLLIN as c_uint;
const OVER: c_uint = (libc::EPOLLHUP | libc::EPOLLERR) as c_uint;

/// # Safety
/// As for `uv__server_io`: the watcher is that of a stream on the loop, which is this thread's.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_uv__server_io(
    event_loop: *mut uv::uv_loop_t,
    watcher: *mut uv::uv__io_t,
    events: c_uint,
) {
    if events & OVER == 0 {
        // SAFETY: the caller's arguments.
        unsafe { linked::server_io()(event_loop, watcher, events) };
        return;
    }
    let offset = std::mem::offset_of!(uv::uv_stream_t, io_watcher);
    // SAFETY: the caller says that the watcher is a stream's; streams are made by this crate, and the handle's
    // memory is freed later in the iteration at the earliest.
    let header = unsafe { Header::from_uv(watcher.byte_sub(offset).cast::<uv::uv_stream_t>()) };
    listening::connections_before(header);
    if events & READABLE != 0 {
        // SAFETY: the caller's arguments. Connections that came before the end are still told of.
        unsafe { linked::server_io()(event_loop, watcher, events) };
    }
    if header.is_open() && !listening::connections_since(header) {
        header.fd_lost(Code::EINVAL);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use crate::{Code, Loop, RunMode, TCP};

    #[test]
    fn libuv_accepts_by_way_of_here() {
        let event_loop = Loop::new().unwrap();
        let server = TCP::new(&event_loop).unwrap();
        server.bind("127.0.0.1:0".parse().unwrap(), crate::BindFlags::empty()).unwrap();
        let told = Arc::new(Mutex::new(Vec::new()));
        let telling = told.clone();
        server
            .listen(8, move |_, outcome| {
                let code = outcome.map_err(|error| error.code());
                telling.lock().unwrap().push(code);
            })
            .unwrap();
        event_loop.run(RunMode::NoWait).unwrap();
        // SAFETY: no memory is involved; the socket is this test's.
        assert_eq!(unsafe { libc::shutdown(server.fileno().unwrap(), libc::SHUT_RDWR) }, 0);
        event_loop.run(RunMode::Once).unwrap();
        assert_eq!(*told.lock().unwrap(), [Err(Some(Code::EINVAL))]);
    }
}
