//! Which numbers fds have, where libuv is particular about it.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::raw::c_int;

use crate::error::{Code, Error, Result};

/// `fcntl(F_DUPFD_CLOEXEC)`: another number for `fd`, the lowest that is free from `least` on.
pub(crate) fn duplicate(fd: c_int, least: c_int) -> std::result::Result<OwnedFd, Code> {
    // SAFETY: duplicating an fd touches no memory.
    match unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, least) } {
        -1 => Err(last_error()),
        // SAFETY: the number is new, and nobody else's.
        new => Ok(unsafe { OwnedFd::from_raw_fd(new) }),
    }
}

pub(crate) fn is_open(fd: c_int) -> bool {
    // SAFETY: F_GETFD only asks.
    unsafe { libc::fcntl(fd, libc::F_GETFD) != -1 }
}

/// Fails with `UV_EBADF` for what is not open.
pub(crate) fn check_open(fd: c_int) -> Result<()> {
    Error::check(if is_open(fd) { 0 } else { Code::EBADF.0 }, format_args!("fd {fd}"))?;
    Ok(())
}

/// What the last call of the system's went wrong with.
pub(crate) fn last_error() -> Code {
    Code(-std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO))
}

/// Opens those of the fds 0 to 2 that are closed on `/dev/null`, where there is one, for good: a read
/// from it is at its end, and a write goes nowhere. Otherwise, in a program that was started without
/// one (`program >&-`), the next file or socket gets its number. libuv takes a stream with it for a
/// standard one, which it leaves open, and asserts that it never closes anything else.
pub(crate) fn open_standard() {
    if (0..=2).all(is_open) {
        return;
    }
    loop {
        // SAFETY: opens a file by a literal's name.
        let fd = unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR | libc::O_CLOEXEC) };
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

/// Occupies those of the fds 0 to 2 that are closed, for as long as what this gives. Otherwise a pipe that libuv makes for the
/// child could get their numbers, and libuv asserts that it never closes one of these.
pub(crate) fn occupy(backend: c_int) -> Result<Vec<OwnedFd>> {
    let mut places = Vec::new();
    for fd in 0..=2 {
        if !is_open(fd) {
            let place = duplicate(backend, fd);
            places.push(place.map_err(|code| Error::new(code, "the child's standard fds"))?);
        }
    }
    Ok(places)
}

/// The number under which libuv may pass `fd` on as the child's fd `place`, out of `count`.
///
/// A number below its place is one that a place before it has overwritten by the time it is
/// copied. libuv (1.53) sees to that in the child, but picks a number that may be in use and then
/// makes this process's fd of that number blocking. So it gets a number above all places.
pub(crate) fn passable(
    fd: c_int,
    place: usize,
    count: usize,
    duplicates: &mut Vec<OwnedFd>,
) -> std::result::Result<c_int, Code> {
    if fd < 0 {
        return Err(Code::EBADF);
    }
    if usize::try_from(fd).is_ok_and(|fd| fd >= place) {
        return if is_open(fd) { Ok(fd) } else { Err(Code::EBADF) };
    }
    let duplicate = duplicate(fd, c_int::try_from(count.max(3)).unwrap_or(c_int::MAX))?;
    let number = duplicate.as_raw_fd();
    duplicates.push(duplicate);
    Ok(number)
}
