//! `uv_loop_fork`: a loop in a child process.

use libuv_sys2 as uv;

use super::{Loop, LoopInner};
use crate::error::{Code, Error, Result};
#[cfg(unix)]
use crate::internals::own_fds;
#[cfg(target_os = "linux")]
use crate::internals::signal_handler;
use crate::job::Jobs;

impl Loop {
    /// Makes the loop usable in a child after `fork()` (`uv_loop_fork`).
    ///
    /// In the process that the loop was made in, this does nothing: the wakeups of libuv's threads
    /// would be lost, which are at work for the loop there, and what they have done never told.
    ///
    /// Fails with `UV_EBUSY` where another thread was using the loop when the process forked, as while it ran
    /// or slept there: half of what libuv knows of it is on the stack of that thread, which is not in the child.
    /// Such a loop stays the parent's; a new one works.
    ///
    /// Fails with `UV_EBUSY` in the callback of a handle that watches files, too. An error of a handle
    /// that could not go on (a path that can no longer be watched) comes last: the handle has
    /// stopped, and the loop is usable.
    pub fn fork(&self) -> Result<()> {
        let shared = self.shared();
        if !shared.is_forked() {
            return self.enter()?.check_forkable();
        }
        // Nobody else is in this process. Refused, the loop stays the parent's.
        if shared.owner().was_another_threads() {
            let what = "another thread was using the loop when the process forked, and is not in the child; \
                        make a new loop";
            return Err(Error::new(Code::EBUSY, what));
        }
        // SAFETY: nobody else is in this process.
        unsafe {
            shared.held().check_forkable()?;
            shared.owner().adopt();
            shared.inbox().renew();
        }
        let entered = self.enter()?;
        entered.for_each_handle(|header| header.after_fork());
        entered.for_each_handle(|header| header.before_loop_fork());
        // SAFETY: the loop is open and ours.
        let fork = || unsafe { uv::uv_loop_fork(entered.uv()) };
        #[cfg(unix)]
        // SAFETY: as above.
        let status = unsafe { own_fds::sparing_lost(&entered.own_fds, entered.uv(), fork) };
        #[cfg(not(unix))]
        let status = fork();
        Error::check(status, "uv_loop_fork")?;
        #[cfg(unix)]
        // SAFETY: as above.
        unsafe {
            entered.own_fds.mark_all(entered.uv());
            #[cfg(target_os = "linux")]
            signal_handler::adopt(&entered);
        }
        Jobs::after_fork(&entered);
        entered.find_lost_requests();
        let mut outcome = Ok(());
        entered.for_each_handle(|header| {
            let gone_on = header.after_loop_fork();
            if outcome.is_ok() {
                outcome = gone_on;
            }
        });
        outcome
    }

    /// Whether this process is a fork of the one that the loop belongs to: only
    /// [`fork`](Loop::fork) works then.
    pub fn is_forked(&self) -> bool {
        self.shared().is_forked()
    }
}

impl LoopInner {
    /// For the owner, or the only thread.
    fn check_forkable(&self) -> Result<()> {
        if self.unforkable.get() {
            let what = "Loop.fork in the callback of an FSEvent handle";
            return Err(Error::new(Code::EBUSY, what));
        }
        Ok(())
    }
}
