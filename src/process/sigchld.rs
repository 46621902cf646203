//! `SIGCHLD`, by which libuv learns of the end of a child (other systems than Linux have kqueue).
//!
//! libuv has a handler of it from a loop's first spawn until a process is closed while none runs.
//! What the program had set for the signal before is back then.

#[cfg(target_os = "linux")]
pub(super) use linux::{after_close, before_close, watching};

#[cfg(target_os = "linux")]
mod linux {
    use libuv_sys2 as uv;

    use crate::disposition;
    use crate::error::Result;
    use crate::r#loop::LoopInner;

    /// Runs `spawn`, which starts libuv's watcher unless it fails. A handler that the program has
    /// set meanwhile gives way: children would end unseen.
    pub(in super::super) fn watching<T>(
        inner: &LoopInner,
        spawn: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        if inner.watches_children.get() {
            disposition::reclaim(libc::SIGCHLD);
            return spawn();
        }
        let outcome = disposition::save(libc::SIGCHLD, spawn)?;
        inner.watches_children.set(true);
        Ok(outcome)
    }

    pub(in super::super) fn before_close() {
        disposition::notice(libc::SIGCHLD);
    }

    pub(in super::super) fn after_close(inner: &LoopInner) {
        // SAFETY: the caller owns the loop; the watcher is a handle inside it.
        let active =
            unsafe { uv::uv_is_active((&raw const (*inner.uv()).child_watcher).cast()) } != 0;
        if !active && inner.watches_children.replace(false) {
            disposition::release(libc::SIGCHLD);
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn watching<T>(
    _inner: &crate::r#loop::LoopInner,
    spawn: impl FnOnce() -> crate::Result<T>,
) -> crate::Result<T> {
    spawn()
}

#[cfg(not(target_os = "linux"))]
pub(super) fn before_close() {}

#[cfg(not(target_os = "linux"))]
pub(super) fn after_close(_inner: &crate::r#loop::LoopInner) {}
