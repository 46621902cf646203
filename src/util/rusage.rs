//! What this process, or this thread of it, has used up.

use std::mem::MaybeUninit;

use libuv_sys2 as uv;

use crate::{Error, Result};

/// Resources used (`uv_rusage_t`). What a system does not count is 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rusage {
    /// Seconds of processor time in user mode.
    pub utime: f64,
    /// Seconds of processor time in the kernel.
    pub stime: f64,
    /// The largest resident set so far, in KiB.
    pub maxrss: u64,
    /// Integral shared memory size.
    pub ixrss: u64,
    /// Integral unshared data size.
    pub idrss: u64,
    /// Integral unshared stack size.
    pub isrss: u64,
    /// Page faults served without I/O.
    pub minflt: u64,
    /// Page faults that needed I/O.
    pub majflt: u64,
    /// Times swapped out.
    pub nswap: u64,
    /// Blocks read.
    pub inblock: u64,
    /// Blocks written.
    pub oublock: u64,
    /// Messages sent.
    pub msgsnd: u64,
    /// Messages received.
    pub msgrcv: u64,
    /// Signals received.
    pub nsignals: u64,
    /// Context switches because it waited.
    pub nvcsw: u64,
    /// Context switches because its time was up.
    pub nivcsw: u64,
}

/// What the whole process has used (`uv_getrusage`).
pub fn rusage() -> Result<Rusage> {
    read("the resources used by the process", |usage| {
        // SAFETY: libuv fills the struct it is given where it returns 0.
        unsafe { uv::uv_getrusage(usage) }
    })
}

/// What the calling thread has used (`uv_getrusage_thread`).
///
/// `UV_ENOTSUP` where the system does not count by thread.
pub fn thread_rusage() -> Result<Rusage> {
    read("the resources used by the thread", |usage| {
        // SAFETY: libuv fills the struct it is given where it returns 0.
        unsafe { uv::uv_getrusage_thread(usage) }
    })
}

fn read(what: &'static str, call: impl Fn(*mut uv::uv_rusage_t) -> i32) -> Result<Rusage> {
    let mut usage = MaybeUninit::<uv::uv_rusage_t>::zeroed();
    Error::check(call(usage.as_mut_ptr()), what)?;
    // SAFETY: all zeros is a valid value of these numbers, and libuv wrote over them.
    let usage = unsafe { usage.assume_init() };
    let seconds = |time: uv::uv_timeval_t| time.tv_sec as f64 + time.tv_usec as f64 * 1e-6;
    Ok(Rusage {
        utime: seconds(usage.ru_utime),
        stime: seconds(usage.ru_stime),
        maxrss: usage.ru_maxrss,
        ixrss: usage.ru_ixrss,
        idrss: usage.ru_idrss,
        isrss: usage.ru_isrss,
        minflt: usage.ru_minflt,
        majflt: usage.ru_majflt,
        nswap: usage.ru_nswap,
        inblock: usage.ru_inblock,
        oublock: usage.ru_oublock,
        msgsnd: usage.ru_msgsnd,
        msgrcv: usage.ru_msgrcv,
        nsignals: usage.ru_nsignals,
        nvcsw: usage.ru_nvcsw,
        nivcsw: usage.ru_nivcsw,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_only_grows() {
        let before = rusage().unwrap();
        let sum = (0..2_000_000u64).fold(0, |sum, n| std::hint::black_box(sum ^ n));
        let after = rusage().unwrap();
        assert!(after.utime + after.stime >= before.utime + before.stime, "{sum}");
        assert!(after.maxrss >= before.maxrss && after.maxrss > 0);
        assert!(after.minflt >= before.minflt && after.minflt > 0);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_fresh_thread_has_used_less_than_the_process() {
        let thread = std::thread::spawn(|| thread_rusage().unwrap()).join().unwrap();
        let process = rusage().unwrap();
        assert!(thread.utime + thread.stime <= process.utime + process.stime);
        assert!(thread.minflt <= process.minflt);
    }
}
