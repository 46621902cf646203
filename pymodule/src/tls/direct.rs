//! The short way to OpenSSL: its functions are called on the `SSL` inside of CPython's object, which reads from and
//! writes to memory of ours.
//!
//! Where the `SSL` is in the object is known for the versions of CPython below, and looked at again: it has to read
//! from the memory BIO that the object was made with.

use std::cell::{Cell, RefCell};
use std::ffi::{c_char, c_int, c_long, c_void};
use std::mem::MaybeUninit;
use std::{ptr, slice};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyType};
use pyuv::Buffer;

use super::Step;
use super::openssl::{self, Bio, Functions, Ssl, WANT_READ, WANT_WRITE, ZERO_RETURN};
use crate::fresh_bytes::FreshBytes;
use crate::once::Once;

/// The sizes of an `_ssl._SSLSocket` in which the `SSL` follows the header and one pointer, by version.
const LAYOUTS: [(u8, usize); 5] = [(11, 96), (12, 80), (13, 80), (14, 88), (15, 72)];

/// Memory above this is given back when it is empty.
const KEPT: usize = 1 << 12;

/// What the `SSL` reads and writes. It is the loop owner's, as the session is, and OpenSSL's when that calls it: by a
/// method of CPython's perhaps, which lets go of the GIL meanwhile.
#[derive(Default)]
struct Memory {
    /// What was left of bytes that have come before.
    left: RefCell<Vec<u8>>,
    /// How far that was read.
    read: Cell<usize>,
    /// Bytes that have just come, in somebody else's memory.
    lent: Cell<Option<Buffer>>,
    outgoing: RefCell<Vec<u8>>,
}

impl Memory {
    /// How many bytes have come and were not read.
    fn unread(&self) -> usize {
        let left = self.left.try_borrow().map_or(0, |left| left.len() - self.read.get());
        left + self.lent.get().map_or(0, |lent| lent.length())
    }

    /// Copies what comes next, as far as there is room for it.
    fn take(&self, room: &mut [MaybeUninit<u8>]) -> usize {
        if let Ok(mut left) = self.left.try_borrow_mut()
            && !left.is_empty()
        {
            let next = &left[self.read.get()..];
            let count = next.len().min(room.len());
            copy(next.as_ptr(), &mut room[..count]);
            self.read.set(self.read.get() + count);
            if self.read.get() == left.len() {
                self.read.set(0);
                empty(&mut left);
            }
            return count;
        }
        let Some(lent) = self.lent.get() else { return 0 };
        let count = lent.length().min(room.len());
        copy(lent.address(), &mut room[..count]);
        self.lent.set(Some(lent.skip(count)));
        count
    }
}

fn copy(from: *const u8, to: &mut [MaybeUninit<u8>]) {
    // SAFETY: both callers have as many bytes there as the slice has, and its memory is nobody else's.
    unsafe { from.copy_to_nonoverlapping(to.as_mut_ptr().cast(), to.len()) };
}

/// Bytes that are lent to a session. What is left of them in the end is copied.
pub struct Lent<'a>(&'a Memory);

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let Some(lent) = self.0.lent.take() else { return };
        // SAFETY: they are lent for as long as this lives.
        let rest = unsafe { slice::from_raw_parts(lent.address(), lent.length()) };
        if !rest.is_empty() {
            self.0.left.borrow_mut().extend_from_slice(rest);
        }
    }
}

/// A session's `SSL`, on memory of ours.
pub struct Direct {
    functions: &'static Functions,
    /// It lives as long as CPython's object, which the session keeps.
    ssl: *mut Ssl,
    /// A reference of our own.
    bio: *mut Bio,
    memory: Box<Memory>,
}

// SAFETY: nothing is bound to a thread; it is used by attached threads, one at a time.
unsafe impl Send for Direct {}
// SAFETY: as above.
unsafe impl Sync for Direct {}

impl Direct {
    /// Takes over what an `_ssl._SSLSocket` reads from and writes to, where all is as it is known here.
    pub fn take_over(ssl: &Bound<'_, PyAny>, incoming: &Bound<'_, PyAny>) -> Option<Direct> {
        let py = ssl.py();
        let functions = openssl::functions(py)?;
        let method = method(py, functions)?;
        if !is_known(&ssl.get_type(), "_SSLSocket", &LAYOUTS)
            || !is_known(&incoming.get_type(), "MemoryBIO", &LAYOUTS.map(|(minor, _)| (minor, 32)))
        {
            return None;
        }
        let header = size_of::<ffi::PyObject>();
        // SAFETY: the objects have these sizes, and where the pointers are was checked for each version; the functions
        // are OpenSSL's, and are given what it has made.
        unsafe {
            let its =
                ssl.as_ptr().byte_add(header + size_of::<*mut Ssl>()).cast::<*mut Ssl>().read();
            let bio = incoming.as_ptr().byte_add(header).cast::<*mut Bio>().read();
            if its.is_null() || bio.is_null() || (functions.SSL_get_rbio)(its) != bio {
                return None;
            }
            let bio = (functions.BIO_new)(method);
            if bio.is_null() {
                (functions.ERR_clear_error)();
                return None;
            }
            let memory = Box::<Memory>::default();
            (functions.BIO_set_data)(bio, (&raw const *memory).cast_mut().cast());
            (functions.BIO_up_ref)(bio);
            // Of one BIO for both it takes one reference, and lets go of those that it had.
            (functions.SSL_set_bio)(its, bio, bio);
            Some(Direct { functions, ssl: its, bio, memory })
        }
    }

    /// Has the session read these bytes after what was left, until what is returned is dropped.
    pub fn lend<'a>(&'a self, bytes: &'a [u8]) -> Lent<'a> {
        // One that is still lent is left first.
        drop(Lent(&self.memory));
        self.memory.lent.set(Some(Buffer::new(bytes.as_ptr().cast_mut(), bytes.len())));
        Lent(&self.memory)
    }

    /// How many encrypted bytes were not looked at yet.
    pub fn unread(&self) -> usize {
        self.memory.unread()
    }

    /// How many bytes of a record wait that was read in part.
    pub fn pending(&self) -> usize {
        // SAFETY: the SSL is alive.
        unsafe { (self.functions.SSL_pending)(self.ssl) }.try_into().unwrap_or(0)
    }

    /// At most `most` bytes; `None` for an error, which OpenSSL still has.
    pub fn read<'py>(
        &self,
        py: Python<'py>,
        most: usize,
    ) -> PyResult<Option<Step<Bound<'py, PyBytes>>>> {
        let fresh = FreshBytes::new(py, most)?;
        // SAFETY: nobody else has them, and they have that length.
        let step = unsafe { self.read_to(fresh.buffer(most).address(), most) };
        Ok(match step {
            Some(Step::Done(count)) => Some(Step::Done(fresh.cut(py, count)?)),
            Some(Step::Waits) => Some(Step::Waits),
            None => None,
        })
    }

    /// The same into memory of the caller's; no bytes are the peer's end.
    ///
    /// # Safety
    /// The memory has the length given.
    pub unsafe fn read_to(&self, start: *mut u8, length: usize) -> Option<Step<usize>> {
        let mut count = 0;
        // SAFETY: the SSL is alive, and the caller says the rest.
        let outcome = unsafe {
            (self.functions.ERR_clear_error)();
            (self.functions.SSL_read_ex)(self.ssl, start.cast(), length, &raw mut count)
        };
        self.step(outcome, count)
    }

    pub fn write(&self, data: &[u8]) -> Option<Step<usize>> {
        let mut count = 0;
        // SAFETY: the SSL is alive, and the data as long as it says.
        let outcome = unsafe {
            (self.functions.ERR_clear_error)();
            (self.functions.SSL_write_ex)(
                self.ssl,
                data.as_ptr().cast(),
                data.len(),
                &raw mut count,
            )
        };
        self.step(outcome, count)
    }

    fn step(&self, outcome: c_int, count: usize) -> Option<Step<usize>> {
        if outcome > 0 {
            return Some(Step::Done(count));
        }
        // SAFETY: the SSL is alive, and this follows the call that failed.
        match unsafe { (self.functions.SSL_get_error)(self.ssl, outcome) } {
            WANT_READ | WANT_WRITE => Some(Step::Waits),
            ZERO_RETURN => Some(Step::Done(0)),
            _ => None,
        }
    }

    /// Has `send` called with what is to be sent, if anything.
    pub fn output<T>(&self, send: impl FnOnce(&[u8]) -> T) -> Option<T> {
        let mut bytes = self.memory.outgoing.take();
        if bytes.is_empty() {
            return None;
        }
        let outcome = send(&bytes);
        empty(&mut bytes);
        // Unless there is something again, the memory is.
        let mut outgoing = self.memory.outgoing.borrow_mut();
        if outgoing.is_empty() {
            *outgoing = bytes;
        }
        Some(outcome)
    }

    pub fn unsent(&self) -> usize {
        self.memory.outgoing.borrow().len()
    }
}

impl Drop for Direct {
    fn drop(&mut self) {
        // SAFETY: the BIO is alive by our own reference. An `SSL` that lives longer finds nothing behind it.
        unsafe {
            (self.functions.BIO_set_data)(self.bio, ptr::null_mut());
            (self.functions.BIO_free)(self.bio);
        }
    }
}

/// Whether objects of this class are CPython's, in a layout that is known.
fn is_known(class: &Bound<'_, PyType>, name: &str, layouts: &[(u8, usize)]) -> bool {
    let py = class.py();
    let known = || -> PyResult<bool> {
        let size = class.getattr("__basicsize__")?.extract::<usize>()?;
        let its = py.import("_ssl")?.getattr(name)?;
        let version = py.version_info();
        Ok(its.is(class) && version.major == 3 && layouts.contains(&(version.minor, size)))
    };
    cfg!(not(Py_GIL_DISABLED)) && known().unwrap_or(false)
}

/// What OpenSSL calls for a BIO of ours.
fn method(py: Python<'_>, functions: &'static Functions) -> Option<*const c_void> {
    struct Method(*const c_void);
    // SAFETY: it is never written to again.
    unsafe impl Send for Method {}
    // SAFETY: as above.
    unsafe impl Sync for Method {}

    static METHOD: Once<Method> = Once::new();
    let make = || {
        // SAFETY: the name and the functions are for ever; null says that there is no memory.
        let method = unsafe {
            /// `BIO_TYPE_SOURCE_SINK`
            const SOURCE_SINK: c_int = 0x400;
            let kind = (functions.BIO_get_new_index)() | SOURCE_SINK;
            let method = (functions.BIO_meth_new)(kind, c"pyuv".as_ptr());
            if !method.is_null() {
                (functions.BIO_meth_set_read)(method, on_read);
                (functions.BIO_meth_set_write)(method, on_write);
                (functions.BIO_meth_set_ctrl)(method, on_control);
                (functions.BIO_meth_set_create)(method, on_create);
                (functions.BIO_meth_set_destroy)(method, on_destroy);
            }
            method
        };
        Ok(Method(method))
    };
    let method = METHOD.get_or_try_init(py, make).ok()?.0;
    (!method.is_null()).then_some(method)
}

/// The memory behind a BIO, and the functions.
///
/// # Safety
/// It is one of ours.
unsafe fn behind<'a>(bio: *mut Bio) -> Option<(&'a Memory, &'static Functions)> {
    let functions = openssl::found()?;
    // SAFETY: the data is null or the session's memory, which lets go of the BIO before it goes.
    let memory = unsafe { (functions.BIO_get_data)(bio).cast::<Memory>().as_ref() };
    memory.map(|memory| (memory, functions))
}

/// `BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY`
const RETRY_READ: c_int = 0x09;

unsafe extern "C" fn on_read(bio: *mut Bio, buffer: *mut c_char, length: c_int) -> c_int {
    // SAFETY: OpenSSL calls, for a BIO of ours.
    let Some((memory, functions)) = (unsafe { behind(bio) }) else { return 0 };
    // SAFETY: OpenSSL gives room of the length that it says.
    let count =
        unsafe { memory.take(slice::from_raw_parts_mut(buffer.cast(), length.max(0) as usize)) };
    // SAFETY: it is OpenSSL's own BIO.
    unsafe {
        (functions.BIO_clear_flags)(bio, RETRY_READ);
        if count == 0 {
            (functions.BIO_set_flags)(bio, RETRY_READ);
            return -1;
        }
    }
    count as c_int
}

unsafe extern "C" fn on_write(bio: *mut Bio, bytes: *const c_char, length: c_int) -> c_int {
    // SAFETY: OpenSSL calls, for a BIO of ours.
    let Some((memory, _)) = (unsafe { behind(bio) }) else { return -1 };
    let Ok(mut outgoing) = memory.outgoing.try_borrow_mut() else { return -1 };
    // SAFETY: OpenSSL gives bytes of the length that it says.
    outgoing
        .extend_from_slice(unsafe { slice::from_raw_parts(bytes.cast(), length.max(0) as usize) });
    length
}

unsafe extern "C" fn on_control(
    bio: *mut Bio,
    command: c_int,
    _number: c_long,
    _pointer: *mut c_void,
) -> c_long {
    const PENDING: c_int = 10;
    const FLUSH: c_int = 11;
    const DUP: c_int = 12;
    const WPENDING: c_int = 13;
    // SAFETY: OpenSSL calls, for a BIO of ours.
    let Some((memory, _)) = (unsafe { behind(bio) }) else { return 0 };
    match command {
        FLUSH | DUP => 1,
        PENDING => memory.unread() as c_long,
        WPENDING => memory.outgoing.try_borrow().map_or(0, |it| it.len()) as c_long,
        _ => 0,
    }
}

unsafe extern "C" fn on_create(bio: *mut Bio) -> c_int {
    let Some(functions) = openssl::found() else { return 0 };
    // SAFETY: OpenSSL has just made it.
    unsafe { (functions.BIO_set_init)(bio, 1) };
    1
}

unsafe extern "C" fn on_destroy(_bio: *mut Bio) -> c_int {
    1
}

/// Empties it, and gives back what it had for something large.
fn empty(bytes: &mut Vec<u8>) {
    if bytes.capacity() > KEPT {
        *bytes = Vec::new();
    } else {
        bytes.clear();
    }
}
