//! How eagerly the system schedules a process.

use libuv_sys2 as uv;

use crate::{Error, Result};

/// libuv's names for priorities, lowest first.
pub const PRIORITIES: [(&str, i32); 6] = [
    ("UV_PRIORITY_LOW", uv::UV_PRIORITY_LOW as i32),
    ("UV_PRIORITY_BELOW_NORMAL", uv::UV_PRIORITY_BELOW_NORMAL as i32),
    ("UV_PRIORITY_NORMAL", uv::UV_PRIORITY_NORMAL as i32),
    ("UV_PRIORITY_ABOVE_NORMAL", uv::UV_PRIORITY_ABOVE_NORMAL),
    ("UV_PRIORITY_HIGH", uv::UV_PRIORITY_HIGH),
    ("UV_PRIORITY_HIGHEST", uv::UV_PRIORITY_HIGHEST),
];

/// The priority of process `pid`, 0 being the calling one (`uv_os_getpriority`): from -20, served
/// first, to 19.
///
/// `UV_ESRCH` when there is no such process.
pub fn priority(pid: i32) -> Result<i32> {
    let mut priority = 0;
    // SAFETY: libuv writes one int.
    let status = unsafe { uv::uv_os_getpriority(pid, &raw mut priority) };
    Error::check(status, format_args!("process {pid}"))?;
    Ok(priority)
}

/// Sets the priority of process `pid`, 0 being the calling one (`uv_os_setpriority`).
///
/// `UV_EINVAL` for a priority outside of -20 to 19, `UV_ESRCH` when there is no such process,
/// `UV_EACCES` or `UV_EPERM` without the right to do it.
pub fn set_priority(pid: i32, priority: i32) -> Result<()> {
    // SAFETY: two numbers, which libuv checks.
    let status = unsafe { uv::uv_os_setpriority(pid, priority) };
    Error::check(status, format_args!("process {pid}, priority {priority}")).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;

    #[test]
    fn the_calling_process_has_a_priority_and_may_keep_it() {
        let own = priority(0).unwrap();
        assert_eq!(priority(std::process::id() as i32), Ok(own));
        assert_eq!(set_priority(0, own), Ok(()));
    }

    #[test]
    fn priorities_out_of_range_and_strange_processes_are_refused() {
        for wrong in [-21, 20, i32::MIN, i32::MAX] {
            assert_eq!(set_priority(0, wrong).unwrap_err().code(), Some(Code::EINVAL));
        }
        assert_eq!(priority(i32::MAX).unwrap_err().code(), Some(Code::ESRCH));
        assert_eq!(priority(-1).unwrap_err().code(), Some(Code::ESRCH));
    }
}
