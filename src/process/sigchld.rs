//! `SIGCHLD`, by which libuv learns of the end of a child (other systems than Linux have kqueue).
//!
//! libuv has a handler of it from a loop's first spawn until a process is closed while none runs.
//! What the program had set for the signal before is back then.

#[cfg(target_os = "linux")]
pub(super) use crate::internals::child_watcher::{before_close, watching};

#[cfg(not(target_os = "linux"))]
pub(super) fn watching<T>(
    _held: &crate::Held,
    spawn: impl FnOnce() -> crate::Result<T>,
) -> crate::Result<T> {
    spawn()
}

#[cfg(not(target_os = "linux"))]
pub(super) fn before_close(_process: &super::Process, _held: &crate::Held) {}
