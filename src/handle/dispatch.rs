//! From libuv's callback to the closure of a handle.

use std::mem::ManuallyDrop;
use std::ptr;

use super::{Handle, Header, Kind};
use crate::r#loop::Held;
use crate::trampoline;

/// Runs a handle's closure from its libuv callback.
///
/// # Safety
/// `handle` was given by libuv to a callback of a K.
#[inline]
pub(crate) unsafe fn dispatch<K: Kind>(
    handle: *mut K::Uv,
    call: impl FnOnce(&mut K::Callback, &K, &Held),
) {
    // SAFETY: as the caller says.
    unsafe {
        let header = Header::from_uv(handle);
        let inner = header.held();
        dispatch_to::<K::Callback>(header, |callback, handle| {
            if !K::MAY_FORK_IN_CALLBACK {
                inner.unforkable.set(true);
            }
            // SAFETY: K is repr(transparent) over Handle, and this handle is a K.
            call(callback, &*ptr::from_ref(handle).cast::<K>(), inner);
        });
        if !K::MAY_FORK_IN_CALLBACK {
            inner.unforkable.set(false);
        }
    }
}

/// Runs a handle's closure from its libuv callback, whatever kind of handle that is.
///
/// The closure is taken out while it runs, so it may stop, restart or close its own handle. It is
/// put back even if it panics: the loop may be run again.
///
/// # Safety
/// Handles of this kind have closures of this type, and the caller is a callback of libuv's.
#[inline]
pub(crate) unsafe fn dispatch_to<C>(header: &Header, call: impl FnOnce(&mut C, &Handle)) {
    /// A closure that is running, and whose it is.
    struct Running<'a, C> {
        header: &'a Header,
        callback: ManuallyDrop<C>,
    }
    impl<C> Drop for Running<'_, C> {
        fn drop(&mut self) {
            // SAFETY: this is the last use of the field.
            let callback = unsafe { ManuallyDrop::take(&mut self.callback) };
            let slot = self.header.callback_slot::<C>();
            // SAFETY: only the owner touches the slot, and no reference into it is kept.
            if self.header.is_open() && unsafe { (*slot).is_none() } {
                // SAFETY: as above.
                unsafe { *slot = Some(callback) };
            }
        }
    }
    trampoline::enter(header.held(), || {
        // SAFETY: only the owner touches the slot, and no reference into it is kept.
        let Some(callback) = (unsafe { (*header.callback_slot::<C>()).take() }) else { return };
        let mut running = Running { header, callback: ManuallyDrop::new(callback) };
        call(&mut running.callback, &header.view());
    });
    header.close_if_lost();
}
