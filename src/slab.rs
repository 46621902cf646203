//! The read slab: the one buffer of a loop, into which everything that its streams and sockets
//! receive is read.
//!
//! libuv asks for memory, reads, and reports, one right after the other: so one buffer does for
//! all handles of a loop, and an idle connection costs none. It is larger than the 64 KiB that
//! libuv suggests, which saves system calls from 16 KiB messages up.
//!
//! # Re-entrancy
//!
//! Whoever receives looks at the slab itself, through a slice that ends with its callback
//! ([`Slab::show`]). No read can begin meanwhile: libuv reads in the poll phase alone, one handle
//! after another, and a callback cannot run its own loop. Should one begin all the same, the slab
//! is not lent ([`Slab::lend`]), and that read fails with `UV_ENOBUFS`: the bytes that somebody is
//! looking at never change. (On Windows libuv keeps a buffer for a read in progress only below
//! `uv_active_tcp_streams_threshold` and its like, which are 0.)

use std::cell::{Cell, OnceCell, UnsafeCell};
use std::os::raw::c_char;

use libuv_sys2 as uv;

use crate::r#loop::LoopInner;

/// Its size in bytes.
pub(crate) const LENGTH: usize = 256 * 1024;

/// Allocated when the loop first reads, kept until the loop is freed.
pub(crate) struct Slab {
    memory: OnceCell<Box<[UnsafeCell<u8>]>>,
    shown: Cell<bool>,
}

impl Slab {
    pub(crate) const fn new() -> Slab {
        Slab { memory: OnceCell::new(), shown: Cell::new(false) }
    }

    /// The slab for a read that follows at once; an empty buffer while somebody is looking at it.
    /// Calls nobody, so it may be asked before the loop is awake.
    #[inline]
    pub(crate) fn lend(&self) -> uv::uv_buf_t {
        if self.shown.get() {
            // SAFETY: this only fills a struct.
            return unsafe { uv::uv_buf_init(std::ptr::null_mut(), 0) };
        }
        let memory = self.memory.get_or_init(|| {
            // Zeroes come from the system as they are: pages nobody fills take no memory.
            let zeroes = vec![0u8; LENGTH].into_boxed_slice();
            // SAFETY: UnsafeCell<u8> has the layout of u8.
            unsafe { Box::from_raw(Box::into_raw(zeroes) as *mut [UnsafeCell<u8>]) }
        });
        // SAFETY: as above.
        unsafe { uv::uv_buf_init(memory.as_ptr().cast_mut().cast(), LENGTH as u32) }
    }

    /// Whether this is where the slab begins, or nowhere, as of the buffer that is not lent.
    pub(crate) fn is_at(&self, start: *const c_char) -> bool {
        start.is_null() || self.memory.get().is_some_and(|memory| start == memory.as_ptr().cast())
    }

    /// Shows `reader` what was read: `length` bytes from `start` on.
    ///
    /// # Safety
    /// The bytes are inside the slab, lent in this same callback round, or there are none.
    pub(crate) unsafe fn show<T>(
        &self,
        start: *const c_char,
        length: usize,
        reader: impl FnOnce(&[u8]) -> T,
    ) -> T {
        /// Ends the showing, also when the reader panics.
        struct Shown<'a>(&'a Cell<bool>, bool);
        impl Drop for Shown<'_> {
            fn drop(&mut self) {
                self.0.set(self.1);
            }
        }
        if length == 0 {
            return reader(&[]);
        }
        let _shown = Shown(&self.shown, self.shown.replace(true));
        // SAFETY: the caller vouches for place and length. Nobody writes there while `shown` is
        // set: `lend` gives nothing out.
        reader(unsafe { std::slice::from_raw_parts(start.cast(), length) })
    }
}

/// libuv's alloc callback (`uv_alloc_cb`) for handles that read into the slab.
pub(crate) unsafe extern "C" fn alloc(
    handle: *mut uv::uv_handle_t,
    _suggested: usize,
    buffer: *mut uv::uv_buf_t,
) {
    // SAFETY: the handle is on a loop of this crate, and libuv wants the buffer filled.
    unsafe { *buffer = LoopInner::from_raw((*handle).loop_).slab.lend() };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_not_lent_while_somebody_looks_at_it() {
        let slab = Slab::new();
        let lent = slab.lend();
        assert_eq!(lent.len, LENGTH as _);
        // SAFETY: the slab was just lent, and nobody else uses it.
        unsafe {
            *lent.base = 7;
            slab.show(lent.base, 1, |bytes| {
                assert_eq!(bytes, [7]);
                assert!(slab.lend().base.is_null());
            });
        }
        assert_eq!(slab.lend().base, lent.base);
    }

    #[test]
    fn it_is_lent_again_after_a_panic() {
        let slab = Slab::new();
        let lent = slab.lend();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            // SAFETY: the slab was just lent.
            unsafe { slab.show(lent.base, 1, |_| panic!("on purpose")) }
        }));
        assert!(outcome.is_err());
        assert!(!slab.lend().base.is_null());
    }
}
