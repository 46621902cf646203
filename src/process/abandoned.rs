//! Children whose handle was closed while they ran. libuv forgets them, and nobody else waits for
//! them: without this each would be a zombie as long as this process lives.

#[cfg(unix)]
pub(super) use unix::{add, reap};

#[cfg(unix)]
mod unix {
    use std::ptr;

    use crate::forks::ForkLock;

    static ABANDONED: ForkLock<Vec<i32>> = ForkLock::new(Vec::new());

    pub(in super::super) fn add(pid: i32) {
        ABANDONED.lock().push(pid);
    }

    /// Takes leave of those that have ended, or are not children of this process (a fork's, or
    /// somebody waited for them).
    pub(in super::super) fn reap() {
        let mut abandoned = ABANDONED.lock();
        // SAFETY: waitpid with no place for a status, for a child that nobody else waits for.
        abandoned.retain(|pid| unsafe { libc::waitpid(*pid, ptr::null_mut(), libc::WNOHANG) } == 0);
    }
}

/// Windows has no zombies.
#[cfg(not(unix))]
pub(super) fn add(_pid: i32) {}

#[cfg(not(unix))]
pub(super) fn reap() {}
