//! Noticing that the process is a child of `fork`.

use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts the forks this process has been through, as seen from the child.
static FORKS: AtomicUsize = AtomicUsize::new(0);

/// Sees to it that forks are counted from now on.
pub(crate) fn watch() {
    static WATCH: Once = Once::new();
    #[cfg(unix)]
    extern "C" fn in_child() {
        FORKS.fetch_add(1, Ordering::Relaxed);
    }
    WATCH.call_once(|| {
        #[cfg(unix)]
        // SAFETY: the handler only adds to an atomic, which any forked child may do. (It fails
        // for want of memory alone, and forks then go unnoticed.)
        unsafe {
            libc::pthread_atfork(None, None, Some(in_child));
        }
    });
}

/// A number that is another one in a child of this process.
#[inline]
pub(crate) fn count() -> usize {
    FORKS.load(Ordering::Relaxed)
}
