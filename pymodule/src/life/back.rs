//! The way from what the core calls back about to its Python object.

use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::ffi;
use pyo3::prelude::*;
use pyuv::DataOwner;

use crate::handle::Handle;

/// Whose the data of a core handle is that belongs to a `pyuv.Handle`.
static HANDLE: DataOwner = DataOwner::new();

/// A pointer to a Python object, for a closure of the core's. It counts as no reference: the
/// collector could not see that one.
pub struct Back<T>(NonNull<ffi::PyObject>, PhantomData<fn() -> T>);

impl<T> Clone for Back<T> {
    fn clone(&self) -> Back<T> {
        *self
    }
}

impl<T> Copy for Back<T> {}

// SAFETY: it is an address; whoever looks behind it is attached.
unsafe impl<T> Send for Back<T> {}
// SAFETY: as for Send.
unsafe impl<T> Sync for Back<T> {}

impl<T> Back<T> {
    pub fn new(object: &Bound<'_, T>) -> Back<T> {
        let object = object.as_any().as_ptr();
        enable_new_references(object);
        // SAFETY: the pointer of a `Bound` is not null.
        Back(unsafe { NonNull::new_unchecked(object) }, PhantomData)
    }

    /// In a callback of the core: the object, unless it is going.
    ///
    /// # Safety
    /// The caller is such a callback, of a loop that `Loop.run` or `Loop.close` runs, so that the
    /// hooks have attached the thread; and the object's memory is still there: the loop's table
    /// keeps what a callback is to come for.
    #[inline]
    pub unsafe fn object<'py>(self) -> Option<Bound<'py, T>> {
        // SAFETY: may be asked on any thread.
        debug_assert!(unsafe { ffi::PyGILState_Check() } == 1, "a callback ran detached");
        // SAFETY: the caller says so, and `new` was given a T.
        unsafe {
            let py = Python::assume_attached();
            Some(new_reference(py, self.0)?.cast_into_unchecked::<T>())
        }
    }
}

/// A pointer that its object takes back when it goes, for closures that may outlive it.
pub struct Leash<T>(Arc<Mutex<Option<Back<T>>>>);

impl<T> Leash<T> {
    pub fn new(object: &Bound<'_, T>) -> Leash<T> {
        Leash(Arc::new(Mutex::new(Some(Back::new(object)))))
    }

    /// As [`Back::object`].
    ///
    /// # Safety
    /// The caller is a callback of the core's, so that the hooks have attached the thread.
    pub unsafe fn object<'py>(&self) -> Option<Bound<'py, T>> {
        let back = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: as the caller says; the object takes the pointer back, attached, before its
        // memory goes.
        unsafe { back?.object() }
    }

    /// A pointer to the same object.
    pub fn another(&self) -> Leash<T> {
        Leash(Arc::clone(&self.0))
    }

    /// For the object, when it goes.
    pub fn take_back(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// What stands behind a core handle.
pub enum Behind<'py> {
    /// Its `pyuv.Handle`.
    Object(Bound<'py, Handle>),
    /// Somebody else's, or an object that is going.
    NobodyToSee,
    Nothing,
}

/// The Python object of a core handle, if it has one that is not going.
///
/// # Safety
/// The caller is attached, or is a callback of the core, which runs attached.
#[inline]
pub unsafe fn object_of<'py>(core: &pyuv::Handle) -> Option<Bound<'py, Handle>> {
    // SAFETY: the caller says so; what has such data is a Handle.
    unsafe { object_of_owner(core, &HANDLE) }
}

/// The object that this owner of data has bound a core handle to, if it has one that is not going.
///
/// # Safety
/// As for `object_of`; and what this owner binds handles to are objects of class `T`.
#[inline]
pub unsafe fn object_of_owner<'py, T>(
    core: &pyuv::Handle,
    owner: &'static DataOwner,
) -> Option<Bound<'py, T>> {
    let object = NonNull::new(core.data(owner).cast::<ffi::PyObject>())?;
    // SAFETY: may be asked on any thread.
    debug_assert!(unsafe { ffi::PyGILState_Check() } == 1, "a callback ran detached");
    // SAFETY: the caller is attached, and so is whoever lets the object's memory go: before, it
    // has the handle forget it. What has such data is a T.
    unsafe {
        let py = Python::assume_attached();
        Some(new_reference(py, object)?.cast_into_unchecked::<T>())
    }
}

/// Has a core handle know an object of another class than Handle.
#[cfg_attr(PyPy, expect(dead_code, reason = "for pyuv.asyncio"))]
pub fn bind_to<T>(core: &pyuv::Handle, owner: &'static DataOwner, object: &Bound<'_, T>) {
    enable_new_references(object.as_ptr());
    core.set_data(owner, object.as_ptr().cast());
}

/// What stands behind a core handle.
pub fn behind<'py>(_py: Python<'py>, core: &pyuv::Handle) -> Behind<'py> {
    // SAFETY: this thread is attached, as the token says.
    match unsafe { object_of(core) } {
        Some(object) => Behind::Object(object),
        None if core.has_data() => Behind::NobodyToSee,
        None => Behind::Nothing,
    }
}

/// Has a core handle know its Python object, which holds it.
pub fn bind(core: &pyuv::Handle, object: &Bound<'_, Handle>) {
    enable_new_references(object.as_ptr());
    core.set_data(&HANDLE, object.as_ptr().cast());
}

/// Has a core handle forget its Python object, whose memory goes.
pub fn unbind(core: &pyuv::Handle) {
    core.set_data(&HANDLE, std::ptr::null_mut());
}

/// A new reference to an object, unless its count has come to 0.
///
/// # Safety
/// The object's memory is still there, and `enable_new_references` was called for it.
#[inline]
unsafe fn new_reference<'py>(
    py: Python<'py>,
    object: NonNull<ffi::PyObject>,
) -> Option<Bound<'py, PyAny>> {
    let object = object.as_ptr();
    // SAFETY: as the caller says; with the GIL, which this thread has, the count stays what it is.
    unsafe {
        #[cfg(all(Py_3_14, Py_GIL_DISABLED))]
        return (ffi::PyUnstable_TryIncRef(object) != 0).then(|| Bound::from_owned_ptr(py, object));
        #[cfg(not(all(Py_3_14, Py_GIL_DISABLED)))]
        (ffi::Py_REFCNT(object) > 0).then(|| Bound::from_borrowed_ptr(py, object))
    }
}

/// Prepares an object for `new_reference`.
fn enable_new_references(object: *mut ffi::PyObject) {
    #[cfg(all(Py_3_14, Py_GIL_DISABLED))]
    // SAFETY: the caller has a reference to the object.
    unsafe {
        ffi::PyUnstable_EnableTryIncRef(object);
    }
    let _ = object;
}
