//! Signals for other processes.

use libuv_sys2 as uv;

use crate::{Error, Result};

/// Sends signal `signum` to process `pid` (`uv_kill`); signal 0 only asks whether it is there.
///
/// On Unix 0 is every process of the own group, -1 every process there is, another negative
/// number the group `-pid`. `UV_ESRCH` where there is none, `UV_EPERM` where it is another user's,
/// `UV_EINVAL` for a number that is no signal.
pub fn kill(pid: i32, signum: i32) -> Result<()> {
    // SAFETY: two numbers; what the signal does is the receiver's choice.
    let status = unsafe { uv::uv_kill(pid, signum) };
    Error::check(status, format_args!("signal {signum} for process {pid}")).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;

    #[test]
    fn signal_0_asks_whether_a_process_is_there() {
        assert_eq!(kill(crate::util::pid(), 0), Ok(()));
        let error = kill(i32::MAX, 0).unwrap_err();
        assert_eq!(error, Error::new(Code::ESRCH, format!("signal 0 for process {}", i32::MAX)));
    }

    #[test]
    fn what_is_no_signal_is_refused() {
        assert_eq!(kill(crate::util::pid(), 12345).unwrap_err().code(), Some(Code::EINVAL));
    }
}
