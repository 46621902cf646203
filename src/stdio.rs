//! `uv_stdio_container_t`: what a child process gets as one of its fds.

use std::os::raw::c_int;

/// One fd of a child process.
#[derive(Debug, Clone, Default)]
pub enum Stdio {
    /// Nothing, or `/dev/null` for the fds 0, 1 and 2 (`UV_IGNORE`).
    #[default]
    Ignore,
    /// An fd of this process (`UV_INHERIT_FD`), which becomes blocking, here as well as there.
    Fd(c_int),
}
