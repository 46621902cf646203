//! How handles live and die: nobody looks at most of those that an event loop's callbacks have, so that to make
//! one, show it to the collector and let it go would cost more than the callback.
//!
//! Their classes are Python's, with slots. Their objects are let go here instead of by CPython's general way, and
//! their memory is used for the next ones; and the collector learns of one late, or never: not as long as the
//! queue of a running loop has it, which nobody collects.

use std::cell::{Cell, UnsafeCell};
use std::os::raw::{c_int, c_void};
use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyType};

use super::slots::Slot;

/// So many dead objects of a class are kept at most.
const SPARE: usize = 1024;

/// So many deallocations are on the stack at once, where an object has the last reference to another, and that to a
/// third, and so on.
const DEEPEST: usize = 40;

/// Which of the classes it is.
pub trait Kind {
    /// The class, once it is known.
    fn class() -> Option<&'static HandleClass>;
}

/// A class of handles.
pub struct HandleClass {
    class: Py<PyType>,
    slots: Vec<Slot>,
    /// Where the weak references to an object are, from the object on in bytes.
    weak_references: isize,
    /// Memory of dead objects, whose slots are empty.
    spare: List<*mut ffi::PyObject>,
}

impl HandleClass {
    /// A class that was just made, and has no objects yet.
    pub fn new<K: Kind>(class: &Bound<'_, PyType>) -> PyResult<HandleClass> {
        let mut slots = Vec::new();
        for base in class.mro() {
            let members = base.getattr("__dict__")?.call_method0("copy")?;
            slots.extend(
                members.cast::<PyDict>()?.iter().filter_map(|(_, member)| Slot::behind(&member)),
            );
        }
        // SAFETY: it is a class of Python's with the slots above and nothing else, and no object of it exists: these
        // functions do for all that will what CPython's own do.
        let weak_references = unsafe {
            let class = class.as_type_ptr();
            (*class).tp_dealloc = Some(dealloc::<K>);
            (*class).tp_traverse = Some(traverse::<K>);
            (*class).tp_weaklistoffset
        };
        Ok(HandleClass {
            class: class.clone().unbind(),
            slots,
            weak_references,
            spare: List::new(),
        })
    }

    pub fn class(&self) -> &Py<PyType> {
        &self.class
    }

    fn as_type_ptr(&self) -> *mut ffi::PyTypeObject {
        self.class.as_ptr().cast()
    }

    /// Whether the object is of this very class.
    #[inline]
    pub fn is_of(&self, object: &Bound<'_, PyAny>) -> bool {
        ptr::eq(object.get_type_ptr(), self.as_type_ptr())
    }

    /// A new object with empty slots, which the collector does not know.
    #[inline]
    pub fn make<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        // SAFETY: what is spare is memory of an object of this class, with empty slots; else CPython makes one.
        unsafe {
            if let Some(memory) = self.spare.pop(py) {
                let object = ffi::PyObject_Init(memory, self.as_type_ptr());
                return Ok(Bound::from_owned_ptr(py, object));
            }
            let object = ffi::PyType_GenericAlloc(self.as_type_ptr(), 0);
            let object = Bound::from_owned_ptr_or_err(py, object)?;
            ffi::PyObject_GC_UnTrack(object.as_ptr().cast());
            Ok(object)
        }
    }

    /// Whether nobody but the caller has the object, not even by a weak reference.
    ///
    /// # Safety
    /// It is of this very class.
    #[inline]
    pub unsafe fn is_ones_own(&self, object: &Bound<'_, PyAny>) -> bool {
        // SAFETY: the caller's.
        unsafe {
            ffi::Py_REFCNT(object.as_ptr()) == 1 && (*self.weak_list(object.as_ptr())).is_null()
        }
    }

    /// # Safety
    /// It is of this class.
    unsafe fn weak_list(&self, object: *mut ffi::PyObject) -> *mut *mut ffi::PyObject {
        // SAFETY: the caller's: there is a pointer at that place.
        unsafe { object.byte_offset(self.weak_references).cast() }
    }

    /// Lets an object go.
    ///
    /// # Safety
    /// It is of this class or of one that derives from it, nobody has it any more, and the collector does not know
    /// it.
    unsafe fn destroy(&self, py: Python<'_>, object: *mut ffi::PyObject) {
        // SAFETY: the caller's; the references of its slots, and that to its class, are given up.
        unsafe {
            if !(*self.weak_list(object)).is_null() {
                ffi::PyObject_ClearWeakRefs(object);
            }
            for slot in &self.slots {
                ffi::Py_XDECREF(slot.place(object).replace(ptr::null_mut()));
            }
            let class = ffi::Py_TYPE(object);
            let kept = ptr::eq(class, self.as_type_ptr()) && self.spare.push(py, object, SPARE);
            if !kept && let Some(free) = (*class).tp_free {
                free(object.cast());
            }
            ffi::Py_DECREF(class.cast());
        }
    }
}

/// Shows the collector an object, if it does not know it.
#[inline]
pub fn track(object: &Bound<'_, PyAny>) {
    // SAFETY: handles are objects that the collector may know.
    unsafe {
        if ffi::PyObject_GC_IsTracked(object.as_ptr()) == 0 {
            ffi::PyObject_GC_Track(object.as_ptr().cast());
        }
    }
}

/// `tp_dealloc`.
unsafe extern "C" fn dealloc<K: Kind>(object: *mut ffi::PyObject) {
    thread_local! {
        /// How many are on the stack.
        static DEPTH: Cell<usize> = const { Cell::new(0) };
    }

    // SAFETY: CPython lets go of an object of the class, or of one that derives from it, with the GIL.
    unsafe {
        let py = Python::assume_attached();
        ffi::PyObject_GC_UnTrack(object.cast());
        let depth = DEPTH.get();
        if depth >= DEEPEST {
            DEFERRED.push(py, (object, destroy::<K>), usize::MAX);
            return;
        }
        DEPTH.set(depth + 1);
        destroy::<K>(py, object);
        while let Some((object, destroy)) = DEFERRED.pop(py) {
            destroy(py, object);
        }
        DEPTH.set(depth);
    }
}

type Destroy = unsafe fn(Python<'_>, *mut ffi::PyObject);

/// What was too deep on the stack, with what lets it go.
static DEFERRED: List<(*mut ffi::PyObject, Destroy)> = List::new();

/// # Safety
/// As for `HandleClass::destroy`.
unsafe fn destroy<K: Kind>(py: Python<'_>, object: *mut ffi::PyObject) {
    if let Some(class) = K::class() {
        // SAFETY: the caller's.
        unsafe { class.destroy(py, object) };
    }
}

/// `tp_traverse`.
unsafe extern "C" fn traverse<K: Kind>(
    object: *mut ffi::PyObject,
    visit: ffi::visitproc,
    argument: *mut c_void,
) -> c_int {
    let Some(class) = K::class() else { return 0 };
    // SAFETY: the collector shows what is an object of the class.
    unsafe {
        for slot in &class.slots {
            let member = *slot.place(object);
            if !member.is_null() {
                let outcome = visit(member, argument);
                if outcome != 0 {
                    return outcome;
                }
            }
        }
        visit(ffi::Py_TYPE(object).cast(), argument)
    }
}

/// A list that the GIL guards.
struct List<T>(UnsafeCell<Vec<T>>);

// SAFETY: whoever calls its methods has the GIL, and these let nothing else run.
unsafe impl<T> Send for List<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for List<T> {}

impl<T> List<T> {
    const fn new() -> List<T> {
        List(UnsafeCell::new(Vec::new()))
    }

    /// Puts one in, unless there are so many.
    #[inline]
    fn push(&self, _py: Python<'_>, item: T, most: usize) -> bool {
        // SAFETY: see above.
        let items = unsafe { &mut *self.0.get() };
        let fits = items.len() < most;
        if fits {
            items.push(item);
        }
        fits
    }

    /// The last that was put in.
    #[inline]
    fn pop(&self, _py: Python<'_>) -> Option<T> {
        // SAFETY: see above.
        unsafe { (*self.0.get()).pop() }
    }
}
