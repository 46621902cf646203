//! What the process does with a signal, before and after libuv has it.
//!
//! libuv puts a handler of its own in for the first handle that wants a signal, never looks at it again, and
//! resets the signal to its default after the last. Here what was there before comes back instead, without a
//! moment in between; and what the program put in meanwhile gives way when libuv is needed again. On Linux the
//! handler is this crate's (`internals/signal_handler.rs`).

#[cfg(all(test, unix))]
pub(crate) use unix::current;
#[cfg(target_os = "linux")]
pub(crate) use unix::{give_back_after_fork, take_for_fork};
#[cfg(unix)]
pub(crate) use unix::{reclaim, start, stop};

#[cfg(not(unix))]
pub(crate) use other::{start, stop};

#[cfg(unix)]
mod unix {
    use std::cell::RefCell;
    use std::collections::HashMap;
    use std::mem::MaybeUninit;
    use std::os::raw::c_int;
    use std::ptr;

    use libuv_sys2 as uv;

    use crate::error::{Code, Error, Result};
    use crate::forks::{ForkGuard, ForkLock};
    #[cfg(target_os = "linux")]
    use crate::internals::{signal_handler, signal_lock};

    /// What is known of a signal that handles want.
    struct Saved {
        /// What is to come back.
        before: libc::sigaction,
        /// What has the handles told.
        ours: libc::sigaction,
        #[cfg(not(target_os = "linux"))]
        users: usize,
    }

    // SAFETY: plain structs of flags and a handler's address.
    unsafe impl Send for Saved {}

    impl Saved {
        /// Remembers what the program has put in our place, as what is to come back. Returns whether it has.
        fn notice(&mut self, signum: c_int) -> bool {
            let now = current(signum);
            let replaced = now.sa_sigaction != self.ours.sa_sigaction;
            if replaced {
                self.before = now;
            }
            replaced
        }

        fn reclaim(&mut self, signum: c_int) {
            if self.notice(signum) {
                put(signum, &self.ours);
            }
        }
    }

    type Table = Option<HashMap<c_int, Saved>>;

    /// Held while libuv starts or stops a handle, so that one thread at a time is in its tree.
    static SAVED: ForkLock<Table> = ForkLock::new(None);

    thread_local! {
        /// The lock, while this thread forks.
        static FORKING: RefCell<Option<ForkGuard<'static, Table>>> = const { RefCell::new(None) };
    }

    /// No other thread is to have the lock when the process forks.
    #[cfg(target_os = "linux")]
    pub(crate) fn take_for_fork() {
        let guard = SAVED.lock();
        FORKING.set(Some(guard));
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn give_back_after_fork() {
        drop(FORKING.take());
    }

    /// The action of a signal; all zero for a number that is none.
    pub(crate) fn current(signum: c_int) -> libc::sigaction {
        let mut action = MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: no new action is given; the old one is written to our struct, for which all
        // zero is a valid value.
        unsafe {
            libc::sigaction(signum, ptr::null(), action.as_mut_ptr());
            action.assume_init()
        }
    }

    /// Returns whether the system lets that signal be handled.
    fn put(signum: c_int, action: &libc::sigaction) -> bool {
        // SAFETY: the action is one that the system gave us for this signal, or ours.
        unsafe { libc::sigaction(signum, action, ptr::null_mut()) == 0 }
    }

    /// Has `start` start the handle for a signal, and the handler called. Fails with `UV_EINVAL` for a number
    /// that is no signal, or one that cannot be caught.
    ///
    /// # Safety
    /// The handle is open and its loop this thread's. `start` calls `uv_signal_start` with it, `stop`
    /// `uv_signal_stop`. What is started is stopped before the handle is closed.
    pub(crate) unsafe fn start(
        handle: *mut uv::uv_signal_t,
        signum: c_int,
        start: impl FnOnce() -> c_int,
        stop: impl FnOnce() -> c_int,
    ) -> Result<()> {
        let refused = || Error::new(Code::EINVAL, format!("signal {signum}"));
        if !(1..=64).contains(&signum) {
            return Err(refused());
        }
        let mut guard = SAVED.lock();
        let saved = guard.get_or_insert_default();
        #[cfg(target_os = "linux")]
        {
            signal_lock::ensure()?;
            let first = !signal_handler::is_watched_by_others(signum, handle);
            let ours = signal_handler::action();
            if first {
                let mut before = current(signum);
                if before.sa_sigaction == ours.sa_sigaction {
                    // In a forked child: the parent's handles are of no use here.
                    before = saved.get(&signum).map_or(before, |entry| entry.before);
                }
                saved.insert(signum, Saved { before, ours });
            }
            signal_handler::add(handle, signum);
            let mut status = signal_handler::swallowing(start);
            if status == 0 {
                if let Some(entry) = saved.get_mut(&signum).filter(|_| !first) {
                    entry.reclaim(signum);
                } else if !put(signum, &ours) {
                    signal_handler::swallowing(stop);
                    status = Code::EINVAL.0;
                }
            }
            if status < 0 {
                signal_handler::remove(handle, signum);
                if first {
                    saved.remove(&signum);
                }
                return Err(Error::new(Code(status), format!("signal {signum}")));
            }
            Ok(())
        }
        #[cfg(not(target_os = "linux"))]
        {
            let _ = (handle, stop);
            let check = |status| Error::check(status, format_args!("signal {signum}")).map(drop);
            if let Some(entry) = saved.get_mut(&signum) {
                entry.reclaim(signum);
                check(start())?;
                entry.users += 1;
                return Ok(());
            }
            let before = current(signum);
            check(start())?;
            saved.insert(signum, Saved { before, ours: current(signum), users: 1 });
            Ok(())
        }
    }

    /// Puts the handler back in if the program has put in another.
    pub(crate) fn reclaim(signum: c_int) {
        let mut guard = SAVED.lock();
        if let Some(entry) = guard.as_mut().and_then(|saved| saved.get_mut(&signum)) {
            entry.reclaim(signum);
        }
    }

    /// Has `stop` stop a handle that was started; after the last, what was there before is back.
    ///
    /// # Safety
    /// As for `start`.
    pub(crate) unsafe fn stop(
        handle: *mut uv::uv_signal_t,
        signum: c_int,
        stop: impl FnOnce() -> c_int,
    ) {
        let mut guard = SAVED.lock();
        let Some(saved) = guard.as_mut() else { return };
        if let Some(entry) = saved.get_mut(&signum) {
            entry.notice(signum);
        }
        #[cfg(target_os = "linux")]
        {
            // Each signal has somebody to go to: whoever is told of it, or what was there before.
            if !signal_handler::is_watched_by_others(signum, handle)
                && let Some(entry) = saved.remove(&signum)
            {
                put(signum, &entry.before);
            }
            if signal_lock::ensure().is_ok() {
                signal_handler::swallowing(stop);
            }
            signal_handler::remove(handle, signum);
        }
        #[cfg(not(target_os = "linux"))]
        {
            let _ = handle;
            stop();
            if let Some(entry) = saved.get_mut(&signum) {
                entry.users -= 1;
                if entry.users == 0 {
                    put(signum, &entry.before);
                    saved.remove(&signum);
                }
            }
        }
    }
}

/// Windows has no dispositions to keep.
#[cfg(not(unix))]
mod other {
    use std::os::raw::c_int;

    use libuv_sys2 as uv;

    use crate::error::{Error, Result};

    /// # Safety
    /// `start` may be called.
    pub(crate) unsafe fn start(
        _handle: *mut uv::uv_signal_t,
        signum: c_int,
        start: impl FnOnce() -> c_int,
        _stop: impl FnOnce() -> c_int,
    ) -> Result<()> {
        Error::check(start(), format_args!("signal {signum}")).map(drop)
    }

    /// # Safety
    /// `stop` may be called.
    pub(crate) unsafe fn stop(
        _handle: *mut uv::uv_signal_t,
        _signum: c_int,
        stop: impl FnOnce() -> c_int,
    ) {
        stop();
    }
}
