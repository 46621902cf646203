//! `uv_fs_read`

use bytes::Bytes;
use libuv_sys2 as uv;
use pyuv::Result;
use pyuv::buffer::{Buffer, check_length};

use crate::argument;
use crate::buffer::{Destination, Fresh};
use crate::operation::{FromRequest, Op, Operation, prepare};
use crate::target::OnFd;

/// Reads at most `length` bytes (`uv_fs_read`), at `offset` or, without one, where the file
/// stands. Gives what arrived: empty at the end of the file.
///
/// Fails with `UV_EINVAL` for a length over [`MAX_LENGTH`](crate::MAX_LENGTH), `UV_ENOMEM` where
/// memory is short of it, `UV_EBADF` for an fd that is not open for reading, `UV_EISDIR`.
pub fn read(
    fd: i32,
    length: usize,
    offset: Option<u64>,
) -> Result<impl Operation<Output = Bytes> + Send> {
    Ok(read_into(fd, Fresh::new(length)?, offset))
}

/// [`read`] into memory of the caller's, which comes back with what arrived. It is dropped when
/// the read fails.
pub fn read_into<D: Destination>(
    fd: i32,
    mut destination: D,
    offset: Option<u64>,
) -> impl Operation<Output = D::Filled> + Send {
    let buffer = [destination.buffer()];
    let start = prepare(|| {
        check_length(buffer[0].length())?;
        let offset = argument::offset(offset)?;
        Ok(move |fd, event_loop, request, callback| {
            // SAFETY: the buffer belongs to `finish`, which outlives the read.
            unsafe {
                let buffer = Buffer::as_raw(&buffer);
                uv::uv_fs_read(event_loop, request, fd, buffer, 1, offset, callback)
            }
        })
    });
    Op {
        target: OnFd(fd),
        start,
        finish: move |request| {
            // SAFETY: the request is a read that succeeded, and its result says how much there
            // is.
            unsafe { destination.filled(usize::from_request(request)) }
        },
    }
}
