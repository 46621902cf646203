//! Errors of the system's.

use pyuv::Code;
use rustix::io::Errno;

/// libuv's code for an errno: its negative.
pub(crate) fn code(errno: Errno) -> Code {
    Code(-errno.raw_os_error())
}
