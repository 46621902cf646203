//! The fds that a loop cannot do without.

use pyuv::Loop;

/// Whether `fd` is one that libuv opened for `event_loop` itself. Closing such a one makes libuv
/// abort. False where nobody may ask: the loop is closed, or another thread's.
pub fn is_own_fd(event_loop: &Loop, fd: i32) -> bool {
    if fd < 0 || event_loop.fileno().is_err() {
        return false;
    }
    #[cfg(unix)]
    {
        // SAFETY: the loop is open, and was this thread's just now; these fields are plain
        // numbers.
        let (backend, wakeup, wakeup_end, signals) = unsafe {
            let raw = event_loop.as_raw();
            let watcher = (*raw).async_io_watcher.fd;
            ((*raw).backend_fd, watcher, (*raw).async_wfd, (*raw).signal_pipefd)
        };
        #[cfg(any(target_os = "linux", target_os = "android"))]
        // SAFETY: as above.
        let inotify = unsafe { (*event_loop.as_raw()).inotify_fd };
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let inotify = -1;
        let own = [backend, wakeup, wakeup_end, inotify];
        own.contains(&fd) || signals.contains(&fd)
    }
    #[cfg(not(unix))]
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loop_knows_its_own() {
        let event_loop = Loop::new().unwrap();
        assert!(is_own_fd(&event_loop, event_loop.fileno().unwrap()));
        assert!(!is_own_fd(&event_loop, -1));
        assert!(!is_own_fd(&event_loop, 0));
    }
}
