//! A failed allocation of Python's is a MemoryError.
//!
//! Some of PyO3's conversions cannot fail, those of numbers and of short texts: where Python has no memory
//! for one they report that as unraisable and panic, with a message that is always the same, and a panic
//! becomes an exception that is no Exception. So the linker sends some of PyO3's calls here (`build.rs`): the
//! report is left out, and so is what a panic prints; the message is a text that was made when the module was, and where it is to be raised
//! a MemoryError is.
//!
//! An exception with a text of its own needs memory as well, and where there is none for that PyO3 can only
//! abort. For these there is a reserve, which the first text that fails gives back to the system.

use std::ffi::c_char;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;

/// What PyO3's panic says.
const PANIC: &str = "PyObject pointer is null";

/// That text as a `str`, which lives for ever.
static MESSAGE: AtomicPtr<ffi::PyObject> = AtomicPtr::new(ptr::null_mut());

/// A tuple of one place, still empty, for the arguments of the exception. The collector does not know it.
static TUPLE: AtomicPtr<ffi::PyObject> = AtomicPtr::new(ptr::null_mut());

/// Memory for the time when there is none.
static RESERVE: AtomicPtr<libc::c_void> = AtomicPtr::new(ptr::null_mut());

const RESERVE_SIZE: usize = 256 << 10;

/// Something of the above was used up.
static USED: AtomicBool = AtomicBool::new(true);

unsafe extern "C" {
    fn __real_PyErr_SetObject(kind: *mut ffi::PyObject, value: *mut ffi::PyObject);
    fn __real_PyErr_WriteUnraisable(object: *mut ffi::PyObject);
    fn __real_PyTuple_New(length: ffi::Py_ssize_t) -> *mut ffi::PyObject;
    fn __real_PyUnicode_FromStringAndSize(
        text: *const c_char,
        length: ffi::Py_ssize_t,
    ) -> *mut ffi::PyObject;
}

/// Makes what there has to be before memory is short.
pub fn register(py: Python<'_>) {
    if MESSAGE.load(Ordering::Acquire).is_null() {
        MESSAGE.store(PyString::new(py, PANIC).into_ptr(), Ordering::Release);
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if panic.payload().downcast_ref::<&str>() != Some(&PANIC) {
                print(panic);
            }
        }));
    }
    // SAFETY: this thread is attached, and no exception is set.
    unsafe { refill() };
}

/// Fills what was used up, where there is memory again.
///
/// # Safety
/// The caller is attached, and no exception is set.
unsafe fn refill() {
    if !USED.swap(false, Ordering::AcqRel) {
        return;
    }
    // SAFETY: as the caller says. Untracked, the tuple is nobody's to find.
    unsafe {
        if TUPLE.load(Ordering::Acquire).is_null() {
            let tuple = __real_PyTuple_New(1);
            if tuple.is_null() {
                ffi::PyErr_Clear();
            } else {
                ffi::PyObject_GC_UnTrack(tuple.cast());
                TUPLE.store(tuple, Ordering::Release);
            }
        }
        if RESERVE.load(Ordering::Acquire).is_null() {
            RESERVE.store(libc::malloc(RESERVE_SIZE), Ordering::Release);
        }
    }
}

/// Whether the exception that is set is a MemoryError.
///
/// # Safety
/// The caller is attached.
unsafe fn is_for_want_of_memory() -> bool {
    // SAFETY: the caller is attached, and asks about an exception that is set.
    unsafe {
        !ffi::PyErr_Occurred().is_null() && ffi::PyErr_ExceptionMatches(ffi::PyExc_MemoryError) != 0
    }
}

/// PyO3's panic reports what it is about, which the MemoryError says.
///
/// # Safety
/// As for `PyErr_WriteUnraisable`.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_PyErr_WriteUnraisable(object: *mut ffi::PyObject) {
    // SAFETY: the caller's.
    unsafe {
        if object.is_null() && is_for_want_of_memory() {
            ffi::PyErr_Clear();
        } else {
            __real_PyErr_WriteUnraisable(object);
        }
    }
}

/// # Safety
/// As for `PyErr_SetObject`.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_PyErr_SetObject(kind: *mut ffi::PyObject, value: *mut ffi::PyObject) {
    let message = MESSAGE.load(Ordering::Relaxed);
    // SAFETY: the caller's; the arguments of an exception are an object or a tuple of them.
    unsafe {
        let is_panic = !message.is_null()
            && !value.is_null()
            && (value == message
                || ffi::PyTuple_CheckExact(value) != 0
                    && ffi::PyTuple_Size(value) == 1
                    && ffi::PyTuple_GetItem(value, 0) == message);
        if is_panic {
            ffi::PyErr_NoMemory();
        } else {
            refill();
            __real_PyErr_SetObject(kind, value);
        }
    }
}

/// # Safety
/// As for `PyTuple_New`.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_PyTuple_New(length: ffi::Py_ssize_t) -> *mut ffi::PyObject {
    // SAFETY: the caller's.
    let tuple = unsafe { __real_PyTuple_New(length) };
    if !tuple.is_null() || length != 1 {
        return tuple;
    }
    let spare = TUPLE.swap(ptr::null_mut(), Ordering::AcqRel);
    USED.store(true, Ordering::Release);
    if !spare.is_null() {
        // SAFETY: the caller is attached, and the tuple is ours to give away.
        unsafe {
            ffi::PyErr_Clear();
            ffi::PyObject_GC_Track(spare.cast());
        }
    }
    spare
}

/// # Safety
/// As for `PyUnicode_FromStringAndSize`.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_PyUnicode_FromStringAndSize(
    text: *const c_char,
    length: ffi::Py_ssize_t,
) -> *mut ffi::PyObject {
    // SAFETY: the caller's, who vouches for so many bytes; the message lives for ever.
    unsafe {
        let message = MESSAGE.load(Ordering::Relaxed);
        if length == PANIC.len() as ffi::Py_ssize_t
            && !message.is_null()
            && !text.is_null()
            && libc::memcmp(text.cast(), PANIC.as_ptr().cast(), PANIC.len()) == 0
        {
            return ffi::Py_NewRef(message);
        }
        let made = __real_PyUnicode_FromStringAndSize(text, length);
        if made.is_null() { with_reserve(text, length) } else { made }
    }
}

/// Tries again where the reserve was.
///
/// # Safety
/// As for `PyUnicode_FromStringAndSize`, which has failed.
#[cold]
unsafe fn with_reserve(text: *const c_char, length: ffi::Py_ssize_t) -> *mut ffi::PyObject {
    // SAFETY: the caller's; the reserve is ours alone once it is taken.
    unsafe {
        if !is_for_want_of_memory() {
            return ptr::null_mut();
        }
        let reserve = RESERVE.swap(ptr::null_mut(), Ordering::AcqRel);
        USED.store(true, Ordering::Release);
        libc::free(reserve);
        ffi::PyErr_Clear();
        __real_PyUnicode_FromStringAndSize(text, length)
    }
}
