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
