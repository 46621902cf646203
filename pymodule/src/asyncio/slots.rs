//! The `__slots__` of classes of Python's, looked into by Rust: a slot is a pointer at a fixed place of the
//! object, which the class's own descriptor tells.

use std::marker::PhantomData;

use pyo3::PyClass;
use pyo3::exceptions::{PyImportError, PyRuntimeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::once::Once;

/// The place of a slot in its objects, in bytes.
#[derive(Clone, Copy)]
pub struct Slot(usize);

impl Slot {
    /// The slot that the descriptor called `name` of `class` stands for.
    pub fn of(class: &Bound<'_, PyType>, name: &str) -> PyResult<Slot> {
        let descriptor = class.getattr(name)?;
        let none = || PyImportError::new_err(format!("asyncio's {name} is no slot"));
        Slot::behind(&descriptor).ok_or_else(none)
    }

    /// The slot that a class's descriptor stands for, if it is a slot's.
    pub fn behind(descriptor: &Bound<'_, PyAny>) -> Option<Slot> {
        // SAFETY: the kinds are checked before the struct is looked into.
        unsafe {
            if ffi::Py_TYPE(descriptor.as_ptr()) != &raw mut ffi::PyMemberDescr_Type {
                return None;
            }
            let descriptor = descriptor.as_ptr().cast::<ffi::PyMemberDescrObject>();
            let member = &*(*descriptor).d_member;
            (member.type_code == ffi::Py_T_OBJECT_EX).then_some(Slot(member.offset as usize))
        }
    }

    /// Where it is in `object`.
    ///
    /// # Safety
    /// The object is an instance of the class that the slot is of.
    #[inline]
    pub unsafe fn place(self, object: *mut ffi::PyObject) -> *mut *mut ffi::PyObject {
        // SAFETY: as the caller says, the slot is within the object.
        unsafe { object.byte_add(self.0).cast() }
    }

    /// What is in it.
    ///
    /// # Safety
    /// As for `place`.
    #[inline]
    pub unsafe fn get<'py>(self, object: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
        // SAFETY: as the caller says; the slot has a reference, and this thread the GIL.
        unsafe { Bound::from_borrowed_ptr_or_opt(object.py(), *self.place(object.as_ptr())) }
    }

    /// Puts `value` in; what was there is the caller's, to drop when that may run anything.
    ///
    /// # Safety
    /// As for `place`.
    #[inline]
    pub unsafe fn replace<'py>(
        self,
        object: &Bound<'py, PyAny>,
        value: Bound<'py, PyAny>,
    ) -> Option<Bound<'py, PyAny>> {
        // SAFETY: as the caller says; the references change owners.
        unsafe {
            let place = self.place(object.as_ptr());
            let old = place.replace(value.into_ptr());
            Bound::from_owned_ptr_or_opt(object.py(), old)
        }
    }
}

/// The slot `_core` of a class of Python's, in which its instances have an object of a class of Rust's.
pub struct CoreSlot<T> {
    owner: Once<(Py<PyType>, Slot)>,
    core: PhantomData<fn() -> T>,
}

impl<T: PyClass> CoreSlot<T> {
    pub const fn new() -> CoreSlot<T> {
        CoreSlot { owner: Once::new(), core: PhantomData }
    }

    /// It is this class's from now on.
    pub fn set(&self, class: &Bound<'_, PyType>) -> PyResult<()> {
        let _ = self.owner.set((class.clone().unbind(), Slot::of(class, "_core")?));
        Ok(())
    }

    /// What is in it, if anything.
    ///
    /// # Safety
    /// The object is an instance of that class.
    #[inline]
    pub unsafe fn find<'py>(&self, object: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, T>>> {
        let owner = self.owner.get();
        let (_, slot) =
            owner.ok_or_else(|| PyImportError::new_err("pyuv.asyncio was not imported"))?;
        // SAFETY: as the caller says; nobody else puts anything there than the class's `__init__`.
        match unsafe { slot.get(object) } {
            Some(core) => Ok(Some(core.cast_into::<T>()?)),
            None => Ok(None),
        }
    }

    /// What is in it, where the object is an instance of that class.
    pub fn of_instance<'py>(&self, object: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, T>>> {
        let Some((class, _)) = self.owner.get() else { return Ok(None) };
        if !object.is_instance(class.bind(object.py()))? {
            return Ok(None);
        }
        // SAFETY: it is one.
        unsafe { self.get(object).map(Some) }
    }

    /// What is in it; RuntimeError where the class's `__init__` was not called.
    ///
    /// # Safety
    /// As for `find`.
    #[inline]
    pub unsafe fn get<'py>(&self, object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, T>> {
        // SAFETY: as the caller says.
        let core = unsafe { self.find(object)? };
        core.ok_or_else(|| PyRuntimeError::new_err("the transport's __init__ was not called"))
    }
}
