//! File descriptors of sockets: what libuv takes for granted about them, and aborts or goes astray
//! over where it is not so.

use std::os::raw::c_int;

use crate::error::{Code, Error, Result};
use crate::poll::Fd;

/// IPv4 or IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// `AF_INET`
    V4,
    /// `AF_INET6`
    V6,
}

impl Family {
    /// The system's number for it.
    pub fn as_raw(self) -> c_int {
        match self {
            Family::V4 => libc::AF_INET,
            Family::V6 => libc::AF_INET6,
        }
    }

    /// The family with this number.
    pub fn from_raw(raw: c_int) -> Option<Family> {
        [Family::V4, Family::V6].into_iter().find(|family| family.as_raw() == raw)
    }
}

/// Fails with `UV_EBADF` for what is not open, `UV_ENOTSOCK` for what is no socket and `UV_EINVAL`
/// for a socket of streams.
#[cfg(unix)]
pub(crate) fn check_datagrams(fd: Fd) -> Result<()> {
    match type_of(fd)? {
        libc::SOCK_DGRAM => Ok(()),
        _ => Err(Error::new(Code::EINVAL, format!("fd {fd} is not a socket of datagrams"))),
    }
}

/// `SO_TYPE` of a socket. Fails with `UV_EBADF` for what is not open, `UV_ENOTSOCK` for what is no
/// socket.
#[cfg(unix)]
pub(crate) fn type_of(fd: Fd) -> Result<c_int> {
    let mut kind: c_int = 0;
    let mut length = size_of::<c_int>() as libc::socklen_t;
    // SAFETY: the option is an int, and there is room for one.
    let status = unsafe {
        let kind = (&raw mut kind).cast();
        libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_TYPE, kind, &raw mut length)
    };
    if status == 0 { Ok(kind) } else { Err(Error::new(last_error(), format!("fd {fd}"))) }
}

#[cfg(not(unix))]
pub(crate) fn check_datagrams(_fd: Fd) -> Result<()> {
    Ok(())
}

/// The descriptor itself or, for standard input, output and error, a duplicate with a higher
/// number, and whether it is one. libuv aborts the process when it is to close one of those three.
#[cfg(unix)]
pub(crate) fn lift(fd: Fd) -> Result<(Fd, bool)> {
    if fd > libc::STDERR_FILENO {
        return Ok((fd, false));
    }
    // SAFETY: this makes a new descriptor, nothing else.
    let lifted = unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, libc::STDERR_FILENO + 1) };
    if lifted == -1 {
        return Err(Error::new(last_error(), format!("fd {fd}")));
    }
    Ok((lifted, true))
}

#[cfg(not(unix))]
pub(crate) fn lift(fd: Fd) -> Result<(Fd, bool)> {
    Ok((fd, false))
}

/// Closes a descriptor that [`lift`] made, or lifted.
#[cfg(unix)]
pub(crate) fn close(fd: Fd) {
    // SAFETY: the caller's own descriptor.
    unsafe { libc::close(fd) };
}

#[cfg(not(unix))]
pub(crate) fn close(_fd: Fd) {}

/// Sets an option of IPv6, which is an int.
#[cfg(unix)]
pub(crate) fn set_ipv6_option(fd: Fd, option: c_int, value: c_int) -> Result<()> {
    // SAFETY: the option is an int, and that is what is given.
    let status = unsafe {
        let value = (&raw const value).cast();
        let length = size_of::<c_int>() as libc::socklen_t;
        libc::setsockopt(fd, libc::IPPROTO_IPV6, option, value, length)
    };
    if status == 0 { Ok(()) } else { Err(Error::new(last_error(), value.to_string())) }
}

#[cfg(not(unix))]
pub(crate) fn set_ipv6_option(_fd: Fd, _option: c_int, value: c_int) -> Result<()> {
    Err(Error::new(Code::ENOTSUP, value.to_string()))
}

#[cfg(unix)]
fn last_error() -> Code {
    Code(-std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EINVAL))
}
