//! `uv_close`, and the end of a handle that nobody refers to any more.

use std::os::raw::c_int;
use std::ptr::NonNull;
use std::sync::atomic::{Ordering, fence};

use libuv_sys2 as uv;

use super::header::{CLOSED, CLOSING, Header, OnClose};
use crate::trampoline;

impl Header {
    /// Closes the handle and calls nothing.
    pub(crate) fn close_silently(&self) {
        if self.is_open() {
            self.start_close(None);
        }
    }

    /// `uv_close`. The closure of the handle's callback is dropped.
    pub(super) fn start_close(&self, on_close: Option<OnClose>) {
        self.start_close_by(on_close, |handle, callback| {
            // SAFETY: the handle is open, and its loop is this thread's.
            unsafe { uv::uv_close(handle, callback) };
            0
        });
    }

    /// `start_close` by another function of libuv's, which closes the handle unless it says no;
    /// returns what it says.
    pub(super) fn start_close_by(
        &self,
        on_close: Option<OnClose>,
        close: impl FnOnce(*mut uv::uv_handle_t, uv::uv_close_cb) -> c_int,
    ) -> c_int {
        // SAFETY: the table is this header's own.
        unsafe { (self.kind.before_close)(self) };
        let status = close(self.uv(), Some(on_closed));
        if status < 0 {
            return status;
        }
        self.state.store(CLOSING, Ordering::Release);
        self.on_close.set(on_close);
        let closing = &self.held().closing;
        closing.set(closing.get() + 1);
        // SAFETY: as for `before_close`.
        unsafe { (self.kind.after_close)(self) };
        // Last, since dropping a closure may do anything.
        // SAFETY: as for `before_close`.
        unsafe { (self.kind.drop_callback)(self) };
        status
    }

    /// Gives up a reference, as the loop's owner or after the loop was closed: frees the handle
    /// with the last one, closes it if only libuv's is left and it is of no use any more.
    ///
    /// # Safety
    /// The caller has a reference to give up, and owns the loop or knows that it is closed.
    pub(crate) unsafe fn drop_reference(header: NonNull<Header>) {
        // SAFETY: the caller's reference keeps it alive until here. Of a handle whose loop is closed
        // only what is atomic is touched before it is freed.
        let this = unsafe { header.as_ref() };
        match this.references.fetch_sub(1, Ordering::Release) {
            1 => {
                fence(Ordering::Acquire);
                debug_assert!(!this.is_open());
                // SAFETY: this was the last reference, and the table is this header's own.
                unsafe { (this.kind.free)(header) };
            }
            2 => this.close_if_lost(),
            _ => {}
        }
    }

    /// Closes a handle that only libuv refers to, unless it is still busy.
    #[inline]
    pub(crate) fn close_if_lost(&self) {
        if self.references.load(Ordering::Acquire) == 1 {
            self.close_unless_busy();
        }
    }

    #[cold]
    fn close_unless_busy(&self) {
        if self.is_open() && (self.discarded.load(Ordering::Relaxed) || !self.is_busy()) {
            // Called from C, and where other things have to follow.
            trampoline::guard(self.held(), || self.start_close(None));
        }
    }
}

/// libuv is done with the handle.
unsafe extern "C" fn on_closed(handle: *mut uv::uv_handle_t) {
    // SAFETY: `data` is the header, alive by libuv's own reference, which ends here.
    let header = unsafe { NonNull::new_unchecked((*handle).data.cast::<Header>()) };
    // SAFETY: as above; this is a callback of libuv's.
    let this = unsafe { header.as_ref() };
    let inner = this.held();
    // Before its close callback come those of its writes.
    inner.written.call_all(inner);
    trampoline::enter(inner, || {
        this.state.store(CLOSED, Ordering::Release);
        inner.closing.set(inner.closing.get() - 1);
        if let Some(on_close) = this.on_close.take()
            && !inner.is_abandoned()
        {
            on_close(&this.view());
        }
    });
    // SAFETY: libuv's reference is given up, once, by the loop's owner.
    unsafe { Header::drop_reference(header) };
}
