//! `uv_stdio_container_t`: what a child process gets as one of its fds.

use std::os::raw::c_int;

use libuv_sys2 as uv;

use crate::pipe::Pipe;
use crate::stream::Stream;

bitflags::bitflags! {
    /// The directions of a [`Stdio::Pipe`], as the child sees them (`uv_stdio_flags`).
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    pub struct PipeFlags: u32 {
        /// The child reads from it and this process writes (`UV_READABLE_PIPE`).
        const READABLE = uv::uv_stdio_flags_UV_READABLE_PIPE as _;
        /// The child writes to it and this process reads (`UV_WRITABLE_PIPE`).
        const WRITABLE = uv::uv_stdio_flags_UV_WRITABLE_PIPE as _;
        /// The child's end is in overlapped mode, on Windows (`UV_NONBLOCK_PIPE`).
        const NONBLOCK = uv::uv_stdio_flags_UV_NONBLOCK_PIPE as _;
    }
}

/// One fd of a child process.
#[derive(Debug, Clone, Copy, Default)]
pub enum Stdio<'a> {
    /// Nothing, or `/dev/null` for the fds 0, 1 and 2 (`UV_IGNORE`).
    #[default]
    Ignore,
    /// An fd of this process (`UV_INHERIT_FD`), which becomes blocking, here as well as there.
    Fd(c_int),
    /// The fd of a stream that is open (`UV_INHERIT_STREAM`), which becomes blocking, here as well
    /// as there: using the stream here can block its loop then.
    Stream(&'a Stream),
    /// One end of a new pipe, whose other end the given handle becomes (`UV_CREATE_PIPE`): a pair
    /// of Unix domain sockets. The handle has not been used before.
    Pipe(&'a Pipe, PipeFlags),
}
