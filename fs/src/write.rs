//! `uv_fs_write`

use std::ffi::c_uint;

use libuv_sys2 as uv;
use pyuv::{Code, Error};

use crate::argument;
use crate::operation::{FromRequest, Op, Operation, prepare};
use crate::target::OnFd;
use pyuv::buffer::{Buffer, Source, check_length};

/// Writes `source`, all its pieces in order (`uv_fs_write`), at `offset` or, without one, where
/// the file stands. Gives how many bytes went out.
///
/// libuv goes on after a short write; it gives a smaller count only when an error stopped it
/// after some bytes. Fails with `UV_EINVAL` for more than [`MAX_LENGTH`](crate::MAX_LENGTH) bytes
/// in all, `UV_EBADF` for an fd that is not open for writing, `UV_ENOSPC`, `UV_EFBIG`.
pub fn write<S: Source>(
    fd: i32,
    source: S,
    offset: Option<u64>,
) -> impl Operation<Output = usize> + Send {
    let buffers = source.buffers();
    let start = prepare(|| {
        let filled = without_empty(buffers.as_ref());
        let total = buffers.as_ref().iter().map(Buffer::length).fold(0, usize::saturating_add);
        check_length(total)?;
        let count = filled.as_ref().map_or(buffers.as_ref().len(), Vec::len);
        let count = c_uint::try_from(count)
            .map_err(|_| Error::new(Code::EINVAL, "more pieces than a C int counts"))?;
        let offset = argument::offset(offset)?;
        Ok(move |fd, event_loop, request, callback| {
            // SAFETY: the memory belongs to `source`, which `finish` keeps until the write is
            // over; libuv copies the list.
            unsafe {
                let buffers = Buffer::as_raw(filled.as_deref().unwrap_or(buffers.as_ref()));
                uv::uv_fs_write(event_loop, request, fd, buffers, count, offset, callback)
            }
        })
    });
    Op {
        target: OnFd(fd),
        start,
        finish: move |request| {
            drop(source);
            // SAFETY: the request is a write that succeeded.
            unsafe { usize::from_request(request) }
        },
    }
}

/// The list without its empty pieces, if it has several and any is empty. libuv writes as many
/// pieces at a time as the system takes, and stops when a round has written nothing.
fn without_empty(buffers: &[Buffer]) -> Option<Vec<Buffer>> {
    if buffers.len() < 2 || buffers.iter().all(|buffer| buffer.length() > 0) {
        return None;
    }
    let filled: Vec<_> = buffers.iter().copied().filter(|buffer| buffer.length() > 0).collect();
    Some(if filled.is_empty() { vec![buffers[0]] } else { filled })
}
