//! A place for one Python object that the garbage collector can look into at any time.

use std::mem::ManuallyDrop;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};

use super::discard::let_go;

/// Holds a Python object, or nothing. Frozen classes keep their callables in one.
///
/// The swap is atomic, so `__traverse__` needs no lock; who may set it is settled elsewhere: a
/// loop's slots and its handles' belong to the thread that owns the loop.
#[derive(Default)]
pub struct PySlot(AtomicPtr<ffi::PyObject>);

impl PySlot {
    pub const fn new() -> PySlot {
        PySlot(AtomicPtr::new(ptr::null_mut()))
    }

    /// Puts `object` in; drops what was there last of all, since that may run anything.
    pub fn set(&self, object: Option<Bound<'_, PyAny>>) {
        let new = object.map_or(ptr::null_mut(), Bound::into_ptr);
        let old = self.0.swap(new, Ordering::AcqRel);
        // SAFETY: the slot owned a reference to `old`; a `Bound` came in, so this thread is
        // attached, and so it is where `clear` is called.
        unsafe { let_go(old) };
    }

    /// Puts `object` in, and gives what was there to who knows when it may be dropped.
    #[must_use]
    pub fn replace<'py>(
        &self,
        py: Python<'py>,
        object: Option<Bound<'py, PyAny>>,
    ) -> Option<Bound<'py, PyAny>> {
        let new = object.map_or(ptr::null_mut(), Bound::into_ptr);
        let old = self.0.swap(new, Ordering::AcqRel);
        // SAFETY: the slot's reference becomes the caller's.
        unsafe { Bound::from_owned_ptr_or_opt(py, old) }
    }

    /// Empties the slot. The thread is attached, as the token says.
    pub fn clear(&self, _py: Python<'_>) {
        self.set(None);
    }

    /// Takes the object out.
    pub fn take<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        let object = self.0.swap(ptr::null_mut(), Ordering::AcqRel);
        // SAFETY: the slot's reference becomes the caller's.
        unsafe { Bound::from_owned_ptr_or_opt(py, object) }
    }

    /// A new reference to the object.
    #[inline]
    pub fn get<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        // SAFETY: the slot's reference keeps the object alive while this thread, which is the
        // slot's owner, takes another.
        unsafe { Bound::from_borrowed_ptr_or_opt(py, self.0.load(Ordering::Acquire)) }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.load(Ordering::Acquire).is_null()
    }

    /// For `__traverse__`.
    pub fn visit(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit_pointer(visit, self.0.load(Ordering::Relaxed))
    }
}

impl Drop for PySlot {
    fn drop(&mut self) {
        // SAFETY: slots are fields of Python objects, which are deallocated by attached threads.
        unsafe { let_go(*self.0.get_mut()) };
    }
}

/// Visits an object that somebody keeps as a pointer.
pub fn visit_pointer(
    visit: &PyVisit<'_>,
    object: *mut ffi::PyObject,
) -> Result<(), PyTraverseError> {
    let Some(object) = NonNull::new(object) else { return Ok(()) };
    // SAFETY: `Py` is a transparent NonNull; the reference is only looked at, not counted.
    let object =
        unsafe { std::mem::transmute::<NonNull<ffi::PyObject>, ManuallyDrop<Py<PyAny>>>(object) };
    visit.call(&*object)
}
