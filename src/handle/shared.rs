//! What of a handle any thread may reach.

use std::mem::ManuallyDrop;
use std::os::raw::c_void;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, Ordering};

use super::header::{Header, OPEN};
use super::{DataOwner, Handle, HandleKind, HandleType};
use crate::r#loop::{Held, LoopShared};

/// A handle as anybody sees it: the same allocation as the [`Header`], which is its loop's
/// owner's and is reached by showing that one is that.
#[repr(transparent)]
pub(crate) struct HeaderShared(Header);

// SAFETY: what the methods below reach of the handle is atomic or never changes; all else is reached
// through a `&Header`, which the loop's owner alone gets.
unsafe impl Sync for HeaderShared {}

impl HeaderShared {
    /// The handle as its loop's owner sees it.
    ///
    /// # Panics
    /// If it is another loop that is held.
    #[inline]
    pub(super) fn header(&self, held: &Held) -> &Header {
        assert!(ptr::eq(self.event_loop(), held.shared()), "the handle is on another loop");
        &self.0
    }

    /// The loop that the handle is on.
    #[inline]
    pub(crate) fn event_loop(&self) -> &LoopShared {
        // SAFETY: the loop's allocation outlives every handle on it.
        unsafe { self.0.event_loop.as_ref() }
    }

    pub(crate) fn handle_type(&self) -> HandleType {
        self.0.kind.handle_type
    }

    /// Whether the handle was created as a K.
    #[inline]
    pub(crate) fn is<K: HandleKind>(&self) -> bool {
        ptr::eq(self.0.kind.identity, K::IDENTITY)
    }

    /// Whether it was created as one that is a stream.
    #[inline]
    pub(crate) fn is_stream(&self) -> bool {
        self.0.kind.is_stream
    }

    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        self.0.state.load(Ordering::Acquire) == OPEN
    }

    /// The pointer that the handle was given, and whose it is.
    #[inline]
    pub(super) fn data(&self) -> (&AtomicPtr<c_void>, &AtomicPtr<DataOwner>) {
        (&self.0.data, &self.0.data_owner)
    }

    /// Has the handle closed with the last Rust value, even if it is active.
    pub(super) fn discard(&self) {
        self.0.discarded.store(true, Ordering::Relaxed);
    }

    /// The allocation.
    #[inline]
    pub(super) fn whole(&self) -> NonNull<Header> {
        self.0.whole
    }

    /// The extra, for the kind of handle that has one of this type. It is the loop owner's, unless it
    /// is Sync.
    #[inline]
    pub(crate) fn extra_place<E>(&self) -> *const E {
        self.whole().as_ptr().wrapping_byte_add(self.0.kind.extra_offset).cast()
    }

    /// A view of this handle that counts as no reference.
    #[inline]
    pub(crate) fn view(&self) -> ManuallyDrop<Handle> {
        ManuallyDrop::new(Handle { header: self.whole() })
    }

    /// A new reference.
    pub(crate) fn to_handle(&self) -> Handle {
        self.0.references.fetch_add(1, Ordering::Relaxed);
        self.event_loop().add_reference();
        Handle { header: self.whole() }
    }
}

impl Header {
    /// The handle as anybody sees it.
    #[inline]
    pub(crate) fn shared(&self) -> &HeaderShared {
        // SAFETY: `HeaderShared` is repr(transparent) over this type.
        unsafe { &*ptr::from_ref(self).cast::<HeaderShared>() }
    }
}
