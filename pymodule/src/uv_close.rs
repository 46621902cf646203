//! Standard fds that somebody has closed, and libuv was given the numbers of.
//!
//! A loop sees to it that 0, 1 and 2 are open when it is made, but a program may close them later;
//! or it was given a socket as its standard input and opens that as a handle. libuv asserts that it
//! never closes one. The linker sends its calls here (`build.rs`), where they are fds like others.

use libc::c_int;

unsafe extern "C" {
    fn __real_uv__close(fd: c_int) -> c_int;
    fn uv__close_nocheckstdio(fd: c_int) -> c_int;
}

/// # Safety
/// As for `uv__close`: the fd is libuv's.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_uv__close(fd: c_int) -> c_int {
    // SAFETY: the caller's.
    unsafe {
        match fd {
            0..=2 => uv__close_nocheckstdio(fd),
            _ => __real_uv__close(fd),
        }
    }
}
