//! Leaving the process while threads are still at work.
//!
//! libuv joins its pool threads in a library destructor, and a thread that would attach to a
//! finalized interpreter never comes back. So an `atexit` hook marks the interpreter as
//! finalizing; from then on a pool thread does not begin anything in Python and a loop in a daemon
//! thread stays asleep; and a process with requests in flight at its very end leaves without the
//! destructors.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use pyo3::prelude::*;

static FINALIZING: AtomicBool = AtomicBool::new(false);

/// Whether `atexit` has run.
pub fn is_finalizing() -> bool {
    FINALIZING.load(Ordering::Acquire)
}

/// Stops for ever a thread that the interpreter unwinds, by being dropped. Forget it otherwise.
pub struct HangThread;

impl Drop for HangThread {
    fn drop(&mut self) {
        hang();
    }
}

/// Stops this thread for ever.
pub fn hang() -> ! {
    loop {
        std::thread::park();
    }
}

#[pyfunction]
fn _finalizing() {
    FINALIZING.store(true, Ordering::Release);
}

/// Registers the hooks, once.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let hook = wrap_pyfunction!(_finalizing, module)?;
    module.py().import("atexit")?.call_method1("register", (hook,))?;
    at_process_exit();
    Ok(())
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn at_process_exit() {
    use std::os::raw::{c_int, c_void};

    unsafe extern "C" {
        fn on_exit(function: extern "C" fn(c_int, *mut c_void), argument: *mut c_void) -> c_int;
    }

    static PROCESS: AtomicU32 = AtomicU32::new(0);
    PROCESS.store(std::process::id(), Ordering::Relaxed);

    extern "C" fn leave(status: c_int, _argument: *mut c_void) {
        // libuv would join the threads of the parent's pool, which a forked child does not have.
        let forked = PROCESS.load(Ordering::Relaxed) != std::process::id();
        if pyuv::request::in_flight() > 0 || (forked && pyuv::request::pool_started()) {
            // SAFETY: stdio is flushed as exit() would have; nothing runs after _exit.
            unsafe {
                libc::fflush(std::ptr::null_mut());
                libc::_exit(status);
            }
        }
    }
    // SAFETY: `leave` stays where it is: an extension module is never unloaded. Exit handlers
    // come before library destructors.
    unsafe { on_exit(leave, std::ptr::null_mut()) };
}

/// Elsewhere there is no way to learn the exit status at exit: the pool's threads are joined.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn at_process_exit() {}
