//! `uv_loop_configure`: the options of a loop.

use std::os::raw::c_int;

use libuv_sys2 as uv;

use super::Loop;
use crate::error::{Error, Result};

/// An option of [`Loop::configure`] (`uv_loop_option`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Configure {
    /// Block `SIGPROF` while polling, to spare a profiler's wakeups.
    BlockSigprof,
    /// Measure the time spent waiting, for [`Metrics::idle_time`](crate::Metrics::idle_time).
    MetricsIdleTime,
    /// Submit filesystem operations to io_uring, where the kernel has it and the environment
    /// variable `UV_USE_IO_URING` is 1. Without that libuv takes no notice of the option.
    IoUring,
}

impl Loop {
    /// Sets an option (`uv_loop_configure`), before the loop first runs. Fails with `UV_ENOSYS`
    /// where the platform has no such thing.
    pub fn configure(&self, option: Configure) -> Result<()> {
        let entered = self.enter()?;
        // SAFETY: the loop is open and ours, and each option gets the arguments it documents.
        let status = unsafe {
            match option {
                Configure::BlockSigprof => uv::uv_loop_configure(
                    entered.uv(),
                    uv::uv_loop_option_UV_LOOP_BLOCK_SIGNAL,
                    sigprof(),
                ),
                Configure::MetricsIdleTime => {
                    uv::uv_loop_configure(entered.uv(), uv::uv_loop_option_UV_METRICS_IDLE_TIME)
                }
                Configure::IoUring => uv::uv_loop_configure(
                    entered.uv(),
                    uv::uv_loop_option_UV_LOOP_USE_IO_URING_SQPOLL,
                ),
            }
        };
        Error::check(status, format_args!("{option:?}"))?;
        if option == Configure::IoUring {
            entered.io_uring.set(true);
        }
        Ok(())
    }

    /// Whether [`Configure::IoUring`] is set, for crates that submit what io_uring can do.
    pub fn uses_io_uring(&self) -> bool {
        self.enter().is_ok_and(|entered| entered.io_uring.get())
    }
}

#[cfg(unix)]
fn sigprof() -> c_int {
    libc::SIGPROF
}

#[cfg(not(unix))]
fn sigprof() -> c_int {
    0
}
