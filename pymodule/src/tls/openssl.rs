//! OpenSSL's functions, out of the very library that CPython's `_ssl` is linked to: a process may have another one
//! as well.

use std::ffi::{CStr, CString, c_char, c_int, c_long, c_void};
use std::mem::transmute_copy;

use pyo3::prelude::*;

use crate::once::Once;

/// An `SSL`, a `BIO` and a `BIO_METHOD`, of which nothing is known here.
pub type Ssl = c_void;
pub type Bio = c_void;
type Method = c_void;

pub type Read = unsafe extern "C" fn(*mut Bio, *mut c_char, c_int) -> c_int;
pub type Write = unsafe extern "C" fn(*mut Bio, *const c_char, c_int) -> c_int;
pub type Control = unsafe extern "C" fn(*mut Bio, c_int, c_long, *mut c_void) -> c_long;
pub type Life = unsafe extern "C" fn(*mut Bio) -> c_int;

macro_rules! functions {
    ($($name:ident: fn($($kind:ty),*) $(-> $result:ty)?;)*) => {
        /// The functions that are called here, as OpenSSL declares them.
        #[expect(non_snake_case, reason = "OpenSSL's own names")]
        pub struct Functions {
            $(pub $name: unsafe extern "C" fn($($kind),*) $(-> $result)?,)*
        }

        impl Functions {
            /// Those of a library and of what it is linked to; nothing unless it has all of them.
            ///
            /// # Safety
            /// The handle is of a library that stays loaded, and what it has by these names is OpenSSL's.
            unsafe fn of(library: *mut c_void) -> Option<Functions> {
                Some(Functions {
                    $($name: {
                        let name = concat!(stringify!($name), "\0");
                        // SAFETY: the caller says so; a function's address is as large as a pointer, and
                        // this is the one that OpenSSL declares so.
                        unsafe {
                            let found = libc::dlsym(library, name.as_ptr().cast());
                            if found.is_null() {
                                return None;
                            }
                            transmute_copy(&found)
                        }
                    },)*
                })
            }
        }
    };
}

functions! {
    SSL_read_ex: fn(*mut Ssl, *mut c_void, usize, *mut usize) -> c_int;
    SSL_write_ex: fn(*mut Ssl, *const c_void, usize, *mut usize) -> c_int;
    SSL_get_error: fn(*const Ssl, c_int) -> c_int;
    SSL_pending: fn(*const Ssl) -> c_int;
    SSL_get_rbio: fn(*const Ssl) -> *mut Bio;
    SSL_set_bio: fn(*mut Ssl, *mut Bio, *mut Bio);
    ERR_clear_error: fn();
    BIO_new: fn(*const Method) -> *mut Bio;
    BIO_free: fn(*mut Bio) -> c_int;
    BIO_up_ref: fn(*mut Bio) -> c_int;
    BIO_set_data: fn(*mut Bio, *mut c_void);
    BIO_get_data: fn(*mut Bio) -> *mut c_void;
    BIO_set_init: fn(*mut Bio, c_int);
    BIO_set_flags: fn(*mut Bio, c_int);
    BIO_clear_flags: fn(*mut Bio, c_int);
    BIO_get_new_index: fn() -> c_int;
    BIO_meth_new: fn(c_int, *const c_char) -> *mut Method;
    BIO_meth_set_read: fn(*mut Method, Read) -> c_int;
    BIO_meth_set_write: fn(*mut Method, Write) -> c_int;
    BIO_meth_set_ctrl: fn(*mut Method, Control) -> c_int;
    BIO_meth_set_create: fn(*mut Method, Life) -> c_int;
    BIO_meth_set_destroy: fn(*mut Method, Life) -> c_int;
}

/// `SSL_ERROR_WANT_READ`, `SSL_ERROR_WANT_WRITE`, `SSL_ERROR_ZERO_RETURN`
pub const WANT_READ: c_int = 2;
pub const WANT_WRITE: c_int = 3;
pub const ZERO_RETURN: c_int = 6;

static FUNCTIONS: Once<Option<Functions>> = Once::new();

/// The functions, where this CPython's OpenSSL is one that is known.
pub fn functions(py: Python<'_>) -> Option<&'static Functions> {
    FUNCTIONS.get_or_try_init(py, || Ok(find(py).ok().flatten())).ok()?.as_ref()
}

/// The same for what OpenSSL calls, on threads that may have let go of the GIL.
pub fn found() -> Option<&'static Functions> {
    FUNCTIONS.get()?.as_ref()
}

fn find(py: Python<'_>) -> PyResult<Option<Functions>> {
    let module = py.import("_ssl")?;
    let version = module.getattr("OPENSSL_VERSION_INFO")?.get_item(0)?.extract::<u32>()?;
    // Another library by the same interface, such as LibreSSL, says so in its version's text.
    let is_openssl = module
        .getattr("OPENSSL_VERSION")?
        .extract::<&str>()
        .is_ok_and(|it| it.starts_with("OpenSSL 3."));
    let Ok(file) = module.getattr("__file__").and_then(|file| file.extract::<String>()) else {
        return Ok(None);
    };
    let Ok(file) = CString::new(file) else { return Ok(None) };
    if version != 3 || !is_openssl {
        return Ok(None);
    }
    Ok(library(&file))
}

fn library(file: &CStr) -> Option<Functions> {
    // SAFETY: the name ends in NUL. Nothing is loaded that was not; the handle is kept, so that it stays. The
    // module calls OpenSSL 3 by these names itself.
    unsafe {
        let library = libc::dlopen(file.as_ptr(), libc::RTLD_NOW | libc::RTLD_NOLOAD);
        if library.is_null() { None } else { Functions::of(library) }
    }
}
