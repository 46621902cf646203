//! `uv__io_check_fd` (`unix/linux.c`): whether the kernel would wait for a descriptor.
//!
//! It asks by adding it and taking it out again, and aborts where the second fails, as it does when another
//! thread closes the descriptor in between.

use std::os::raw::c_int;

use libuv_sys2 as uv;

/// libuv's code for whether the kernel would wait for `fd`: 0 if so.
///
/// # Safety
/// The loop is open, and the caller's.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn __wrap_uv__io_check_fd(
    event_loop: *mut uv::uv_loop_t,
    fd: c_int,
) -> c_int {
    let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: u64::from(u32::MAX) };
    // SAFETY: the caller vouches for the loop; the event is a valid one.
    unsafe {
        let backend = (*event_loop).backend_fd;
        if libc::epoll_ctl(backend, libc::EPOLL_CTL_ADD, fd, &raw mut event) != 0 {
            let error = std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EBADF);
            if error != libc::EEXIST {
                return -error;
            }
        }
        libc::epoll_ctl(backend, libc::EPOLL_CTL_DEL, fd, &raw mut event);
    }
    0
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixDatagram;

    use super::*;
    use crate::Loop;

    #[test]
    fn it_is_libuvs_code() {
        let event_loop = Loop::new().unwrap();
        let held = event_loop.hold().unwrap();
        // SAFETY: the loop is open and this thread's.
        let ask = |fd| unsafe { __wrap_uv__io_check_fd(held.uv(), fd) };
        let (socket, file) = (UnixDatagram::unbound().unwrap(), File::open("/").unwrap());
        assert_eq!([ask(socket.as_raw_fd()), ask(socket.as_raw_fd())], [0, 0]);
        assert_eq!(ask(file.as_raw_fd()), -libc::EPERM);
        assert_eq!(ask(-1), -libc::EBADF);
    }
}
