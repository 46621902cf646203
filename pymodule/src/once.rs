//! A place that is filled once, and that nobody waits for.

use std::cell::UnsafeCell;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU8, Ordering};

use pyo3::prelude::*;
use pyo3::types::PyString;

const EMPTY: u8 = 0;
const FILLING: u8 = 1;
const FULL: u8 = 2;

/// A `OnceLock` that nobody waits for: a third of the cost, for what there is one of in each
/// request. All zeroes is an empty one (with `T` a pointer, or of pointers): that is what the collector
/// may see (see `ActiveTable`), and what Python 3.11 deallocates where there is no memory for an
/// object's `__dict__`.
///
/// It is also what is looked up once for the process. PyO3's `PyOnceLock` lets go of the GIL while it
/// is filled: where another thread forks then, the child waits for ever for a thread that it has not.
pub struct Once<T> {
    state: AtomicU8,
    value: UnsafeCell<Option<T>>,
}

// SAFETY: the value is written by whoever made the step from EMPTY, and shared after that from FULL
// alone; it may be moved out and dropped by another thread than its maker's.
unsafe impl<T: Send + Sync> Sync for Once<T> {}

impl<T> Once<T> {
    pub const fn new() -> Once<T> {
        Once { state: AtomicU8::new(EMPTY), value: UnsafeCell::new(None) }
    }

    /// Fills it; gives the value back where somebody has begun to before.
    pub fn set(&self, value: T) -> Result<(), T> {
        let begun =
            self.state.compare_exchange(EMPTY, FILLING, Ordering::Acquire, Ordering::Relaxed);
        if begun.is_err() {
            return Err(value);
        }
        // SAFETY: the step above is made once, and nobody looks before the one below.
        unsafe { *self.value.get() = Some(value) };
        self.state.store(FULL, Ordering::Release);
        Ok(())
    }

    /// Empties it.
    pub fn take(&mut self) -> Option<T> {
        *self.state.get_mut() = EMPTY;
        self.value.get_mut().take()
    }

    /// What is in it, if it is full.
    #[inline]
    pub fn get(&self) -> Option<&T> {
        if self.state.load(Ordering::Acquire) != FULL {
            return None;
        }
        // SAFETY: it is full, and nobody writes to it again.
        unsafe { &*self.value.get() }.as_ref()
    }
}

impl<T> Default for Once<T> {
    fn default() -> Once<T> {
        Once::new()
    }
}

impl<T> Once<T> {
    /// What is in it, filled by `f` if nothing is. Where two threads find it empty, the first to be
    /// done fills it.
    #[inline]
    pub fn get_or_try_init(
        &self,
        _py: Python<'_>,
        f: impl FnOnce() -> PyResult<T>,
    ) -> PyResult<&T> {
        match self.get() {
            Some(value) => Ok(value),
            None => self.fill(f),
        }
    }

    #[cold]
    fn fill<E>(&self, f: impl FnOnce() -> Result<T, E>) -> Result<&T, E> {
        let _ = self.set(f()?);
        loop {
            // Not full: without a GIL another thread may be between two steps of `set`.
            match self.get() {
                Some(value) => return Ok(value),
                None => std::hint::spin_loop(),
            }
        }
    }
}

impl Once<Py<PyAny>> {
    /// `from module import name`, once.
    #[inline]
    pub fn import<'py>(
        &self,
        py: Python<'py>,
        module: &str,
        name: &str,
    ) -> PyResult<&Bound<'py, PyAny>> {
        let found = self.get_or_try_init(py, || Ok(py.import(module)?.getattr(name)?.unbind()))?;
        Ok(found.bind(py))
    }
}

/// `text` as a `str` of Python's, made once.
macro_rules! intern {
    ($py:expr, $text:literal) => {{
        static INTERNED: $crate::once::Once<pyo3::Py<pyo3::types::PyString>> =
            $crate::once::Once::new();
        INTERNED.intern($py, $text)
    }};
}

pub(crate) use intern;

impl Once<Py<PyString>> {
    /// For [`intern!`].
    #[inline]
    pub fn intern<'py>(&self, py: Python<'py>, text: &str) -> &Bound<'py, PyString> {
        let string = match self.get() {
            Some(string) => string,
            None => {
                let make = || Ok::<_, Infallible>(PyString::intern(py, text).unbind());
                let Ok(string) = self.fill(make);
                string
            }
        };
        string.bind(py)
    }
}
