//! Where c-ares's memory comes from: mimalloc.
//!
//! A DNS query is some 80 allocations in c-ares, and with glibc's allocator a fifth of its time: c-ares
//! reads each answer into 64 KiB of memory that it gives back at once, and glibc tidies up its free lists for
//! each block of that size. The extension has its own copy of c-ares, which nobody else in the process sees.

use std::sync::Once;

use c_ares_sys::{ARES_LIB_INIT_ALL, ares_library_init_mem, ares_status_t};
use pyo3::exceptions::PyMemoryError;
use pyo3::prelude::*;

/// Gives c-ares the allocator; once, when nothing of c-ares's has been called.
pub fn register(_module: &Bound<'_, PyModule>) -> PyResult<()> {
    static ONCE: Once = Once::new();
    let mut status = ares_status_t::ARES_SUCCESS as i32;
    ONCE.call_once(|| {
        // SAFETY: nothing of c-ares's has been called in this process: its copy here is the
        // extension's own, and the extension is just being imported. So whatever it frees with
        // these it has allocated with them. It is never cleaned up, which would undo this.
        status = unsafe {
            ares_library_init_mem(
                ARES_LIB_INIT_ALL,
                Some(libmimalloc_sys::mi_malloc),
                Some(libmimalloc_sys::mi_free),
                Some(libmimalloc_sys::mi_realloc),
            )
        };
    });
    if status == ares_status_t::ARES_SUCCESS as i32 {
        return Ok(());
    }
    Err(PyMemoryError::new_err("c-ares cannot be initialised"))
}
