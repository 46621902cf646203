//! `uv_loop_fork`: a loop in a child process.

use libuv_sys2 as uv;

use super::{Loop, LoopInner};
use crate::error::{Error, Result};

impl Loop {
    /// Makes the loop usable in a child after `fork()` (`uv_loop_fork`).
    pub fn fork(&self) -> Result<()> {
        let inner = self.inner();
        let forked = inner.owner.forked();
        if forked {
            inner.owner.adopt();
            // SAFETY: in the child this is the only thread.
            unsafe { inner.inbox.renew() };
        }
        let entered = self.enter()?;
        if forked {
            entered.for_each_handle(|header| header.after_fork());
        }
        crate::poll::recheck_all(&entered);
        // SAFETY: the loop is open and ours.
        Error::check(unsafe { uv::uv_loop_fork(entered.uv()) }, "uv_loop_fork")?;
        Ok(())
    }
}

impl LoopInner {
    pub(crate) fn is_forked(&self) -> bool {
        self.owner.forked()
    }
}
