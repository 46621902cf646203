//! `uv_pipe` and `uv_socketpair`: two ends that are connected to each other.

use std::os::raw::c_int;

use libuv_sys2 as uv;

use crate::error::{Error, Result};
use crate::poll::Fd;

fn flags(nonblocking: bool) -> c_int {
    if nonblocking { uv::uv_stdio_flags_UV_NONBLOCK_PIPE as c_int } else { 0 }
}

/// A pipe (`uv_pipe`): the end to read from, and the end to write to, each non-blocking or not.
/// The caller closes them.
///
/// Fails with `UV_EMFILE` where no fd is left.
pub fn pipe(read_nonblocking: bool, write_nonblocking: bool) -> Result<(i32, i32)> {
    let mut fds = [-1; 2];
    // SAFETY: libuv fills both.
    let status =
        unsafe { uv::uv_pipe(fds.as_mut_ptr(), flags(read_nonblocking), flags(write_nonblocking)) };
    Error::check(status, "uv_pipe")?;
    Ok((fds[0], fds[1]))
}

/// Two connected sockets of a type such as `SOCK_STREAM` (`uv_socketpair`), each non-blocking or
/// not; of Unix domain, where that exists. The caller closes them.
///
/// Fails with `UV_EMFILE`, and with what the system says of another type or protocol.
pub fn socketpair(
    socktype: i32,
    protocol: i32,
    first_nonblocking: bool,
    second_nonblocking: bool,
) -> Result<(Fd, Fd)> {
    let mut fds = [Fd::default(); 2];
    // SAFETY: libuv fills both.
    let status = unsafe {
        let (first, second) = (flags(first_nonblocking), flags(second_nonblocking));
        uv::uv_socketpair(socktype, protocol, fds.as_mut_ptr(), first, second)
    };
    Error::check(status, format_args!("type {socktype}, protocol {protocol}"))?;
    Ok((fds[0], fds[1]))
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::{ErrorKind, Read, Write};
    use std::os::fd::FromRawFd;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn what_goes_in_comes_out() {
        let (read, write) = pipe(true, false).unwrap();
        // SAFETY: the fds are new, and nobody else's.
        let (mut read, mut write) =
            unsafe { (std::fs::File::from_raw_fd(read), std::fs::File::from_raw_fd(write)) };
        let mut bytes = [0; 8];
        assert_eq!(read.read(&mut bytes).unwrap_err().kind(), ErrorKind::WouldBlock);
        write.write_all(b"x").unwrap();
        assert_eq!(read.read(&mut bytes).unwrap(), 1);
    }

    #[test]
    fn sockets_talk_both_ways_and_each_has_its_own_flag() {
        let (first, second) = socketpair(libc::SOCK_STREAM, 0, false, true).unwrap();
        // SAFETY: the fds are new, and nobody else's.
        let (mut first, mut second) =
            unsafe { (UnixStream::from_raw_fd(first), UnixStream::from_raw_fd(second)) };
        let mut bytes = [0; 8];
        assert_eq!(second.read(&mut bytes).unwrap_err().kind(), ErrorKind::WouldBlock);
        second.write_all(b"x").unwrap();
        assert_eq!(first.read(&mut bytes).unwrap(), 1);
        assert!(socketpair(12345, 0, false, false).is_err());
    }
}
