//! 0, 1 and 2 are standard input, output and error, or nobody's.
//!
//! A program that was started without one of them (`program >&-`) would have that number given to
//! the next file or socket. libuv takes a stream with such a number for a standard one, which it
//! leaves open, and asserts that nothing else has one.

use libc::{EBADF, F_GETFD, O_CLOEXEC, O_RDWR};

/// Opens those that are closed on `/dev/null`, where there is one: a read from it is at its end,
/// and a write goes nowhere.
pub(super) fn occupy() {
    if (0..=2).all(is_open) {
        return;
    }
    loop {
        // SAFETY: opens a file by a literal's name.
        let fd = unsafe { libc::open(c"/dev/null".as_ptr(), O_RDWR | O_CLOEXEC) };
        // The lowest number that is free. A child gets it, too, as it gets the others.
        if (0..=2).contains(&fd) {
            // SAFETY: the fd is open and ours.
            unsafe { libc::fcntl(fd, libc::F_SETFD, 0) };
            continue;
        }
        if fd != -1 {
            // SAFETY: as above.
            unsafe { libc::close(fd) };
        }
        return;
    }
}

fn is_open(fd: i32) -> bool {
    // SAFETY: only looks whether there is one.
    let flags = unsafe { libc::fcntl(fd, F_GETFD) };
    flags != -1 || std::io::Error::last_os_error().raw_os_error() != Some(EBADF)
}
