//! Threads on their way into the interpreter, which is not taken down before they are through.
//!
//! A thread asks whether the interpreter is there, gets a thread state, and asks for the GIL. If the process
//! ends between two of these, CPython aborts it ("thread state already initialized"), or it reads what is no
//! more: `PyGILState_Ensure` does, where the interpreter has gone. So threads are counted
//! from before the first until they have the GIL or will never get it (`exit.rs`), and the interpreter, before
//! it deletes what it has of threads, waits for them. By then it says that it is being finalized, and CPython
//! ends whoever asks for the GIL, or has it wait for ever: that is not waited for. Who comes later still is
//! turned away.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

#[cfg(not(PyPy))]
pub use down::{is_too_late, register};

static COUNT: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static COUNTED: Cell<bool> = const { Cell::new(false) };
}

/// PyPy says nothing of being finalized.
#[cfg(PyPy)]
pub fn is_too_late() -> bool {
    false
}

/// Counts this thread, which is not attached, once. False: the interpreter is gone, or about to be.
pub fn begin() -> bool {
    if !COUNTED.replace(true) {
        COUNT.fetch_add(1, Ordering::SeqCst);
    }
    if is_too_late() {
        end();
        return false;
    }
    true
}

/// This thread is through, or never will be.
pub fn end() {
    if COUNTED.replace(false) {
        COUNT.fetch_sub(1, Ordering::SeqCst);
    }
}

/// How CPython takes itself down; PyPy ends without doing so.
#[cfg(not(PyPy))]
mod down {
    use std::cell::Cell;
    use std::ffi::CStr;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::{Duration, Instant};

    use pyo3::ffi;
    use pyo3::prelude::*;

    use super::COUNT;

    /// The key of the interpreter's own dictionary, and the name of what is kept there.
    const NAME: &CStr = c"pyuv.entering";
    /// From Python 3.14 on a thread that does not get the GIL says nothing more.
    const PATIENCE: Duration = Duration::from_millis(20);

    static GONE: AtomicBool = AtomicBool::new(false);

    thread_local! {
        static TAKES_IT_DOWN: Cell<bool> = const { Cell::new(false) };
    }

    /// The interpreter is gone, or about to be, and this is not the thread that takes it down, which runs Python
    /// for as long as it has a thread state.
    pub fn is_too_late() -> bool {
        GONE.load(Ordering::SeqCst) && {
            // SAFETY: may be asked on any thread; null says that the interpreter has none for it.
            let has_state = unsafe { !ffi::PyGILState_GetThisThreadState().is_null() };
            !(TAKES_IT_DOWN.get() && has_state)
        }
    }

    /// Called by the interpreter as it clears its dictionary, after its modules and before its thread states.
    unsafe extern "C" fn wait(_capsule: *mut ffi::PyObject) {
        TAKES_IT_DOWN.set(true);
        GONE.store(true, Ordering::SeqCst);
        let until = Instant::now() + PATIENCE;
        while COUNT.load(Ordering::SeqCst) > 0 && Instant::now() < until {
            std::thread::sleep(Duration::from_micros(50));
        }
    }

    /// Has the interpreter wait.
    pub fn register(py: Python<'_>) -> PyResult<()> {
        TAKES_IT_DOWN.set(false);
        GONE.store(false, Ordering::SeqCst);
        #[cfg(unix)]
        {
            static REGISTER: std::sync::Once = std::sync::Once::new();
            extern "C" fn alone() {
                COUNT.store(0, Ordering::SeqCst);
            }
            // SAFETY: the handler is always there: an extension module is never unloaded.
            REGISTER.call_once(|| unsafe {
                libc::pthread_atfork(None, None, Some(alone));
            });
        }
        // SAFETY: attached; the name is for ever, and so is the function.
        unsafe {
            let capsule =
                ffi::PyCapsule_New(NAME.as_ptr().cast_mut().cast(), NAME.as_ptr(), Some(wait));
            let capsule = Bound::from_owned_ptr_or_err(py, capsule)?;
            let interpreter = ffi::PyInterpreterState_GetDict(ffi::PyInterpreterState_Get());
            match ffi::PyDict_SetItemString(interpreter, NAME.as_ptr(), capsule.as_ptr()) {
                0 => Ok(()),
                _ => Err(PyErr::fetch(py)),
            }
        }
    }
}
