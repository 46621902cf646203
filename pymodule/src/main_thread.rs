//! The thread that Python runs signal handlers on.

/// Whether this is the process's main thread: the one that Python was started in, and that of a forked
/// child. The system is asked, since what `threading` says may have been replaced (gevent does), and
/// an `ident` be a greenlet's.
///
/// A program that starts Python in another thread has no handlers run by a sleeping loop.
pub fn on_main_thread() -> bool {
    #[cfg(target_os = "linux")]
    // SAFETY: these take nothing and cannot fail.
    return unsafe { libc::gettid() == libc::getpid() };
    #[cfg(all(unix, not(target_os = "linux")))]
    // SAFETY: as above.
    return unsafe { libc::pthread_main_np() } != 0;
    #[cfg(not(unix))]
    false
}
