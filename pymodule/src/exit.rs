//! Leaving the process while threads are still at work.
//!
//! A thread that asks for the GIL of an interpreter that is being finalized does not get it. Up to
//! Python 3.13 CPython ends that thread by `pthread_exit`, which glibc does by unwinding its stack:
//! frames of Rust's, most of which must not be unwound, would abort the process. Rust calls Python
//! in too many ways to guard each of them, and some are PyO3's own; but before one of its frames
//! can be unwound, the unwinder has Rust look up what that frame needs. That is the gate, and there
//! a thread stops for ever, as Python 3.14 has it stop by itself.
//!
//! libuv joins its pool threads in a library destructor, where one that has stopped would be
//! waited for: so a process with requests in flight at its very end leaves without the destructors.

use std::os::raw::c_int;
use std::sync::atomic::{AtomicU32, Ordering};

use pyo3::exceptions::PySystemExit;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyInt;

use crate::{entering, thread_state};

unsafe extern "C" {
    /// Public since Python 3.13; the earlier ones have it under its private name.
    #[cfg_attr(all(not(Py_3_13), not(PyPy)), link_name = "_Py_IsFinalizing")]
    #[cfg_attr(
        all(target_os = "linux", target_env = "gnu", Py_3_13, not(PyPy)),
        link_name = "__real_Py_IsFinalizing"
    )]
    #[cfg_attr(PyPy, link_name = "_PyPy_IsFinalizing")]
    safe fn Py_IsFinalizing() -> c_int;
}

/// Whether the interpreter is past its `atexit` functions.
pub fn is_finalizing() -> bool {
    Py_IsFinalizing() != 0
}

/// Runs `f` attached, on any thread; does nothing where there is no interpreter any more, or no
/// memory for what it has of a thread.
pub fn attach<T>(f: impl FnOnce(Python<'_>) -> T) -> Option<T> {
    if entering::is_too_late() {
        return None;
    }
    // SAFETY: both may be asked on any thread.
    if unsafe { ffi::Py_IsInitialized() != 0 && ffi::PyGILState_Check() != 0 } {
        return Python::try_attach(f);
    }
    if !entering::begin() {
        return None;
    }
    // SAFETY: the first may be asked on any thread; then the interpreter is there, and waits for this thread.
    let ready = unsafe { ffi::Py_IsInitialized() != 0 && !is_finalizing() && thread_state::keep() };
    let outcome = ready.then(|| {
        Python::try_attach(|py| {
            entering::end();
            f(py)
        })
    });
    entering::end();
    outcome.flatten()
}

/// Ends a process that a function on the thread pool forked, when that function returns in it: nobody is there to be
/// told, and a thread of the pool would wait for more work for ever. CPython can be finalized by the thread alone that
/// started it, so that this is `os._exit`, with what was printed written out before. The status is that of a program.
pub fn leave_child(py: Python<'_>, outcome: PyResult<()>) -> ! {
    let status = outcome.map_or_else(|error| status(py, error), |()| 0);
    for name in ["stdout", "stderr"] {
        // A stream that is None, or cannot be written to, has nothing to lose.
        let _ = stream(py, name).and_then(|stream| stream.call_method0("flush"));
    }
    // SAFETY: nothing runs after it.
    unsafe { libc::_exit(status) }
}

fn stream<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import("sys")?.getattr(name)
}

/// The status of a program that ends by this.
fn status(py: Python<'_>, error: PyErr) -> c_int {
    if error.is_instance_of::<PySystemExit>(py) {
        let code = error.value(py).getattr("code").ok();
        match code {
            Some(code) if code.is_none() => return 0,
            Some(code) if code.is_instance_of::<PyInt>() => return code.extract().unwrap_or(-1),
            Some(code) => {
                let text = (format!("{code}\n"),);
                let _ = stream(py, "stderr").and_then(|stream| stream.call_method1("write", text));
            }
            None => {}
        }
    } else {
        error.print(py);
    }
    1
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn stop_for_ever() -> ! {
    loop {
        std::thread::park();
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod unwinding {
    use std::os::raw::c_void;

    unsafe extern "C" {
        fn __real__Unwind_GetLanguageSpecificData(context: *mut c_void) -> *const c_void;
    }

    /// What the unwinder has a frame of Rust's looked up by; the linker sends the calls here
    /// (`build.rs`). Only a panic may unwind Rust's frames.
    ///
    /// # Safety
    /// As for `_Unwind_GetLanguageSpecificData`.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn __wrap__Unwind_GetLanguageSpecificData(
        context: *mut c_void,
    ) -> *const c_void {
        if !std::thread::panicking() || super::is_finalizing_elsewhere() {
            super::entering::end();
            super::stop_for_ever();
        }
        // SAFETY: the caller's.
        unsafe { __real__Unwind_GetLanguageSpecificData(context) }
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu", not(PyPy)))]
mod tear_down {
    use std::os::raw::c_int;

    use pyo3::ffi;

    use super::entering;

    unsafe extern "C" {
        safe fn __real_Py_IsInitialized() -> c_int;
        fn __real_PyGILState_Ensure() -> ffi::PyGILState_STATE;
    }

    // The linker sends PyO3's questions here (`build.rs`), whether Python can be used. CPython says no
    // from the time on that it tears modules down, though the thread that does so runs Python:
    // finalizers, whose exceptions PyO3 would panic over. Others stop where they ask for the GIL, in the
    // middle of a call, too: PyO3 lets go of it for a moment where it makes an exception.

    #[unsafe(no_mangle)]
    extern "C" fn __wrap_Py_IsInitialized() -> c_int {
        c_int::from(__real_Py_IsInitialized() != 0 || super::is_finalizing())
    }

    #[unsafe(no_mangle)]
    extern "C" fn __wrap_Py_IsFinalizing() -> c_int {
        0
    }

    /// That way back in is counted. Where the interpreter has gone meanwhile, CPython would read what it had.
    ///
    /// # Safety
    /// As for `PyGILState_Ensure`, but the interpreter need not be there.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn __wrap_PyGILState_Ensure() -> ffi::PyGILState_STATE {
        if !entering::begin() {
            super::stop_for_ever();
        }
        // SAFETY: the caller's; the interpreter waits for this thread.
        let state = unsafe { __real_PyGILState_Ensure() };
        entering::end();
        state
    }
}

/// Whether the interpreter is being finalized, and not by this thread.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn is_finalizing_elsewhere() -> bool {
    // The main thread does it, and towards the end of that nobody is attached any more, it says.
    // SAFETY: may be asked on any thread.
    is_finalizing() && unsafe { libc::gettid() != libc::getpid() && ffi::PyGILState_Check() == 0 }
}

/// Registers what is done at the process's end.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn register() {
    use std::os::raw::c_void;

    unsafe extern "C" {
        fn on_exit(function: extern "C" fn(c_int, *mut c_void), argument: *mut c_void) -> c_int;
    }

    static PROCESS: AtomicU32 = AtomicU32::new(0);
    if PROCESS.swap(std::process::id(), Ordering::Relaxed) == std::process::id() {
        return;
    }

    extern "C" fn leave(status: c_int, _argument: *mut c_void) {
        // libuv would join the threads of the parent's pool, which a forked child does not have.
        let forked = PROCESS.load(Ordering::Relaxed) != std::process::id();
        if !forked {
            pyuv::give_back_descriptors();
        }
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
pub fn register() {}
