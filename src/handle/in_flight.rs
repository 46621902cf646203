//! A handle that a request of its own loop works with.

use std::ptr::NonNull;
use std::sync::atomic::Ordering;

use super::{Handle, Header};
use crate::r#loop::Held;

/// Keeps a handle for a request that is in flight. Unlike a [`Handle`] it is no reference to the
/// loop, which it is a part of: a loop that everybody has let go of would be kept by what it waits
/// for. It is made and dropped by the loop's owner.
pub(crate) struct InFlight(NonNull<Header>);

// SAFETY: what it is given to comes back to the loop's owner, who alone uses and drops it.
unsafe impl Send for InFlight {}

impl InFlight {
    /// Keeps the handle with this header, for the loop's owner.
    pub(crate) fn of(header: &Header) -> InFlight {
        header.references.fetch_add(1, Ordering::Relaxed);
        InFlight(header.whole())
    }

    /// The handle, for the loop's owner.
    pub(crate) fn header(&self) -> &Header {
        // SAFETY: this value's own reference keeps it; whoever has the value to use owns the loop.
        unsafe { self.0.as_ref() }
    }
}

impl Handle {
    /// Keeps the handle for a request of its loop's.
    pub(crate) fn in_flight(&self, held: &Held) -> InFlight {
        InFlight::of(self.header(held))
    }
}

impl Clone for InFlight {
    fn clone(&self) -> InFlight {
        self.header().references.fetch_add(1, Ordering::Relaxed);
        InFlight(self.0)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        // SAFETY: this value's own reference; whoever drops it owns the loop.
        unsafe { Header::drop_reference(self.0) };
    }
}
