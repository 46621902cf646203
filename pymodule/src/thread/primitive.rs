//! What the classes of `pyuv.thread` share: a core primitive that `__init__` makes, once.

use pyo3::exceptions::{PyResourceWarning, PyRuntimeError};
use pyo3::prelude::*;

use crate::exit;
use crate::once::Once;

/// The core primitive of a Python object.
pub struct Primitive<T>(Once<T>);

impl<T> Primitive<T> {
    pub const fn new() -> Primitive<T> {
        Primitive(Once::new())
    }

    /// For `__init__`: RuntimeError the second time.
    pub fn set(&self, core: T) -> PyResult<()> {
        self.0.set(core).map_err(|_| PyRuntimeError::new_err("__init__ was called a second time"))
    }

    /// RuntimeError where a subclass did not call `__init__`.
    #[inline]
    pub fn get(&self) -> PyResult<&T> {
        self.0.get().ok_or_else(|| PyRuntimeError::new_err("__init__ was not called"))
    }

    /// For `Drop`: takes it out.
    pub fn take(&mut self) -> Option<T> {
        self.0.take()
    }

    /// For `Drop`: leaks a primitive that is held, with a ResourceWarning.
    pub fn leak_if(&mut self, is_held: impl FnOnce(&T) -> bool, class: &str) {
        let Some(core) = self.0.take() else { return };
        if !is_held(&core) {
            return;
        }
        std::mem::forget(core);
        // Not attached means that the interpreter is gone, and with it the way to warn.
        let _ = exit::attach(|py| warn(py, class));
    }
}

fn warn(py: Python<'_>, class: &str) {
    // A deallocation may come in the middle of an exception.
    let pending = PyErr::take(py);
    let message = format!("a pyuv.thread.{class} was collected while it was held");
    if let Ok(message) = std::ffi::CString::new(message) {
        let category = py.get_type::<PyResourceWarning>();
        if let Err(error) = PyErr::warn(py, &category, &message, 1) {
            error.write_unraisable(py, None);
        }
    }
    if let Some(pending) = pending {
        pending.restore(py);
    }
}
