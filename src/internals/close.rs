//! `uv__close` (`unix/core.c`), by which libuv closes what is its own.
//!
//! It asserts that it never closes one of the fds 0 to 2. A loop sees to it that these are open when it is
//! made, but a program may close them later; or it was given a socket as its standard input and opens that as
//! a handle. Here they are fds like others. One caller (`uv__process_open_stream`) aborts where closing fails:
//! what somebody else has closed is closed.

use std::os::raw::c_int;

use super::own_fds;

unsafe extern "C" {
    fn uv__close_nocheckstdio(fd: c_int) -> c_int;
}

/// # Safety
/// As for `uv__close`: the fd is libuv's.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_uv__close(fd: c_int) -> c_int {
    if fd < 0 || own_fds::is_spared(fd) {
        return 0;
    }
    // SAFETY: the caller's fd.
    match unsafe { uv__close_nocheckstdio(fd) } {
        status if status == -libc::EBADF => 0,
        status => status,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_closed_is_closed() {
        let fd = i32::MAX;
        // SAFETY: no descriptor has either number.
        unsafe {
            assert_eq!(__wrap_uv__close(fd), 0);
            assert_eq!(__wrap_uv__close(-1), 0);
        }
    }
}
