//! Letting go of objects that may hold others of their kind, and so on, without a recursion that would
//! overflow the stack: what CPython calls its trashcan, which from Rust is a private affair of its.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use pyo3::ffi;
use pyo3::prelude::*;

/// How deep destructors may call each other. CPython's own containers stop at 50, too.
const DEEPEST: u32 = 50;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    static LATER: RefCell<VecDeque<Py<PyAny>>> = const { RefCell::new(VecDeque::new()) };
}

/// Drops `items`: at once, or, deep in other destructors, when the outermost has dropped its own.
pub fn discard(mut items: VecDeque<Py<PyAny>>) {
    if items.is_empty() {
        return;
    }
    let depth = DEPTH.get();
    if depth == DEEPEST {
        LATER.with_borrow_mut(|later| later.append(&mut items));
        return;
    }
    DEPTH.set(depth + 1);
    drop(items);
    // An item may hold the next 50, and so on; the borrow has ended before it is dropped.
    while depth == 0
        && let Some(item) = LATER.with_borrow_mut(VecDeque::pop_front)
    {
        drop(item);
    }
    DEPTH.set(depth);
}

/// The same for one reference.
///
/// # Safety
/// The thread is attached, and the reference is the caller's to give up; or it is null.
#[inline]
pub unsafe fn let_go(object: *mut ffi::PyObject) {
    // SAFETY: as the caller says.
    unsafe {
        if object.is_null() {
            return;
        }
        if ffi::Py_REFCNT(object) != 1 || ffi::PyType_IS_GC(ffi::Py_TYPE(object)) == 0 {
            // Somebody else has it still, or it holds nothing.
            ffi::Py_DECREF(object);
        } else {
            let_go_of_last(object);
        }
    }
}

/// # Safety
/// As for `let_go`; not null.
#[cold]
unsafe fn let_go_of_last(object: *mut ffi::PyObject) {
    let depth = DEPTH.get();
    if depth == DEEPEST {
        // SAFETY: the caller's reference.
        let object = unsafe { Bound::from_owned_ptr(Python::assume_attached(), object) }.unbind();
        LATER.with_borrow_mut(|later| later.push_back(object));
        return;
    }
    DEPTH.set(depth + 1);
    // SAFETY: as the caller says.
    unsafe { ffi::Py_DECREF(object) };
    while depth == 0
        && let Some(item) = LATER.with_borrow_mut(VecDeque::pop_front)
    {
        drop(item);
    }
    DEPTH.set(depth);
}
