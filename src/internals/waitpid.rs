//! `waitpid`, as `uv__wait_children` and `uv_spawn` (`unix/process.c`) call it.
//!
//! Children that somebody else has waited for (`os.wait()`, or the system with `SIGCHLD` ignored) libuv goes on
//! waiting for for ever or, if the program could not be started as another user, asserts that there are none.
//! Here such a child has ended with a status that nobody knows: 255, as in `asyncio`.

use std::os::raw::c_int;

use super::linked;

const UNKNOWN: c_int = 255;

/// # Safety
/// As for `waitpid`: `status` is null or can be written to.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_waitpid(
    pid: libc::pid_t,
    status: *mut c_int,
    options: c_int,
) -> libc::pid_t {
    // SAFETY: the arguments are the caller's.
    let answer = unsafe { linked::waitpid()(pid, status, options) };
    let lost = answer == -1
        && pid > 0
        && std::io::Error::last_os_error().raw_os_error() == Some(libc::ECHILD);
    if !lost || status.is_null() {
        return answer;
    }
    // SAFETY: not null, and the caller vouches for the rest.
    unsafe { *status = UNKNOWN << 8 };
    pid
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use crate::{Loop, Process, ProcessOptions, RunMode};

    #[test]
    fn libuv_is_told_an_end_of_a_child_that_somebody_else_has_waited_for() {
        let event_loop = Loop::new().unwrap();
        let status = Arc::new(AtomicI64::new(-1));
        let told = status.clone();
        let on_exit =
            move |_: &Process, exit: crate::Exit| told.store(exit.status, Ordering::Relaxed);
        let process =
            Process::spawn(&event_loop, &ProcessOptions::new("/bin/true"), on_exit).unwrap();
        // SAFETY: waits for a child of this test's, and wants no status.
        let waited = unsafe { libc::waitpid(process.pid(), std::ptr::null_mut(), 0) };
        assert_eq!(waited, process.pid());
        event_loop.run(RunMode::Default).unwrap();
        assert_eq!(status.load(Ordering::Relaxed), 255);
    }
}
