//! What CPython knows of a thread of the pool, which it keeps between two calls.
//!
//! To make a thread state and delete it for each call takes longer; and CPython links them in a list
//! under a lock that is not the GIL. Where another thread forks meanwhile with Python 3.11, the child
//! waits for that lock for ever: so no fork comes in between. Later Pythons see to it themselves, and
//! take their lock before they fork: another one around it would be a deadlock.

#[cfg(all(unix, not(PyPy)))]
mod states {
    use pyo3::ffi;

    #[cfg(not(Py_3_12))]
    mod no_fork {
        use std::cell::UnsafeCell;

        /// Held while a thread state is made, and while the process forks. (Rust's own mutexes
        /// cannot be taken in one function and given back in another.)
        struct NoFork(UnsafeCell<libc::pthread_mutex_t>);

        // SAFETY: a mutex is for many threads, and it stays where it is.
        unsafe impl Sync for NoFork {}

        static NO_FORK: NoFork = NoFork(UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER));

        /// Waits for as long as it takes to make a thread state: nobody waits for the GIL with it.
        pub extern "C" fn lock() {
            // SAFETY: the mutex is initialized.
            unsafe { libc::pthread_mutex_lock(NO_FORK.0.get()) };
        }

        pub extern "C" fn unlock() {
            // SAFETY: this thread has it; in a forked child, this thread is the one that forked.
            unsafe { libc::pthread_mutex_unlock(NO_FORK.0.get()) };
        }

        pub fn register() {
            static REGISTER: std::sync::Once = std::sync::Once::new();
            REGISTER.call_once(|| {
                // SAFETY: the handlers are always there: an extension module is never unloaded.
                unsafe { libc::pthread_atfork(Some(lock), Some(unlock), Some(unlock)) };
            });
        }
    }

    #[cfg(Py_3_12)]
    mod no_fork {
        pub fn lock() {}
        pub fn unlock() {}
        pub fn register() {}
    }

    pub use no_fork::register;

    /// Whether this thread has one: false for want of memory.
    ///
    /// # Safety
    /// The interpreter is there.
    pub unsafe fn keep() -> bool {
        // SAFETY: may be asked on any thread; null says that it was never attached.
        if !unsafe { ffi::PyGILState_GetThisThreadState() }.is_null() {
            return true;
        }
        no_fork::lock();
        // SAFETY: the caller says so; this takes no GIL. It becomes the thread's own, for
        // `PyGILState_Ensure` to find, and counts one use that never ends.
        let made = unsafe { ffi::PyThreadState_New(ffi::PyInterpreterState_Main()) };
        no_fork::unlock();
        !made.is_null()
    }
}

#[cfg(all(unix, not(PyPy)))]
pub use states::{keep, register};

/// PyPy keeps its threads itself.
#[cfg(not(all(unix, not(PyPy))))]
pub fn register() {}

/// # Safety
/// None is needed.
#[cfg(not(all(unix, not(PyPy))))]
pub unsafe fn keep() -> bool {
    true
}
