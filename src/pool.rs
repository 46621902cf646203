//! libuv's thread pool. It starts its threads when it is first used, and aborts the process where
//! the system refuses one: so that is tried first.

use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

use libuv_sys2 as uv;

use crate::error::{Error, Result};
use crate::forks;

/// How many threads libuv's pool has: 4, unless the environment variable `UV_THREADPOOL_SIZE` says
/// otherwise.
pub fn pool_size() -> usize {
    static SIZE: OnceLock<usize> = OnceLock::new();
    *SIZE.get_or_init(|| {
        // As uv__threadpool_start reads it.
        let given = std::env::var("UV_THREADPOOL_SIZE").ok();
        given.map_or(4, |text| text.trim().parse().unwrap_or(1)).clamp(1, 1024)
    })
}

/// Sees to it that the pool can be used. Fails with `UV_EAGAIN` or `UV_ENOMEM` where its threads
/// cannot be started.
#[inline]
pub(crate) fn ensure() -> Result<()> {
    /// One more than [`forks::count`] in the process whose pool was found to be possible: a child
    /// starts its own.
    static TRIED: AtomicUsize = AtomicUsize::new(0);
    let this_process = forks::count() + 1;
    if TRIED.load(Ordering::Relaxed) != this_process {
        try_threads()?;
        TRIED.store(this_process, Ordering::Relaxed);
    }
    Ok(())
}

/// Starts as many threads as the pool has, with stacks as large, and has them end.
#[cold]
fn try_threads() -> Result<()> {
    unsafe extern "C" fn wait(gate: *mut c_void) {
        // SAFETY: the gate is there until this thread has been joined.
        drop(unsafe { &*gate.cast::<Mutex<()>>() }.lock());
    }
    let gate = Mutex::new(());
    let options = uv::uv_thread_options_t {
        flags: uv::uv_thread_create_flags_UV_THREAD_HAS_STACK_SIZE as _,
        stack_size: 8 << 20,
    };
    let mut threads = Vec::new();
    let mut outcome: c_int = 0;
    let closed = gate.lock();
    while threads.len() < pool_size() && outcome == 0 {
        let mut thread = MaybeUninit::<uv::uv_thread_t>::uninit();
        let address = (&raw const gate).cast_mut().cast();
        // SAFETY: the thread's place and the options may be used during the call, the gate until
        // the thread has ended.
        outcome = unsafe {
            uv::uv_thread_create_ex(thread.as_mut_ptr(), &raw const options, Some(wait), address)
        };
        if outcome == 0 {
            // SAFETY: a call that succeeded has filled it.
            threads.push(unsafe { thread.assume_init() });
        }
    }
    drop(closed);
    for mut thread in threads {
        // SAFETY: started above, and joined once.
        unsafe { uv::uv_thread_join(&raw mut thread) };
    }
    Error::check(outcome, "the threads of the pool").map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pool_can_be_used() {
        assert_eq!(try_threads(), Ok(()));
        assert_eq!(ensure(), Ok(()));
    }
}
