//! What the process does with a signal, before and after libuv has it.
//!
//! libuv puts a handler of its own in for the first handle that wants a signal, never looks at it
//! again, and resets the signal to its default after the last. Here what was there before comes
//! back instead; and what the program put in meanwhile gives way when libuv is needed again.

#[cfg(all(test, unix))]
pub(crate) use unix::current;
#[cfg(unix)]
pub(crate) use unix::{notice, reclaim, release, restore, save};

#[cfg(not(unix))]
pub(crate) use other::{restore, save};

#[cfg(unix)]
mod unix {
    use std::collections::HashMap;
    use std::mem::MaybeUninit;
    use std::ptr;
    use std::sync::{Mutex, PoisonError};

    use crate::error::Result;

    struct Saved {
        /// Those who need libuv's handler.
        users: usize,
        /// What is to come back.
        before: libc::sigaction,
        libuv: libc::sigaction,
    }

    // SAFETY: plain structs of flags and a handler's address.
    unsafe impl Send for Saved {}

    impl Saved {
        /// Remembers what the program has put in libuv's place, as what is to come back. Returns
        /// whether it has.
        fn notice(&mut self, signum: i32) -> bool {
            let now = current(signum);
            let replaced = now.sa_sigaction != self.libuv.sa_sigaction;
            if replaced {
                self.before = now;
            }
            replaced
        }

        fn reclaim(&mut self, signum: i32) {
            if self.notice(signum) {
                put(signum, &self.libuv);
            }
        }
    }

    static SAVED: Mutex<Option<HashMap<i32, Saved>>> = Mutex::new(None);

    fn with_saved<T>(f: impl FnOnce(&mut HashMap<i32, Saved>) -> T) -> T {
        f(SAVED.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default())
    }

    /// The action of a signal; all zero for a number that is none.
    pub(crate) fn current(signum: i32) -> libc::sigaction {
        let mut action = MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: no new action is given; the old one is written to our struct, for which all
        // zero is a valid value.
        unsafe {
            libc::sigaction(signum, ptr::null(), action.as_mut_ptr());
            action.assume_init()
        }
    }

    fn put(signum: i32, action: &libc::sigaction) {
        // SAFETY: the action is one that the system gave us for this signal.
        unsafe { libc::sigaction(signum, action, ptr::null_mut()) };
    }

    /// Has `start` put libuv's handler in for one more user, unless it fails.
    pub(crate) fn save<T>(signum: i32, start: impl FnOnce() -> Result<T>) -> Result<T> {
        with_saved(|saved| {
            if let Some(saved) = saved.get_mut(&signum) {
                saved.reclaim(signum);
                let started = start()?;
                saved.users += 1;
                return Ok(started);
            }
            let before = current(signum);
            let started = start()?;
            saved.insert(signum, Saved { users: 1, before, libuv: current(signum) });
            Ok(started)
        })
    }

    /// Puts libuv's handler back in if the program has put in another.
    pub(crate) fn reclaim(signum: i32) {
        with_saved(|saved| {
            if let Some(saved) = saved.get_mut(&signum) {
                saved.reclaim(signum);
            }
        });
    }

    /// Has `stop` take one user away; after the last, what was there before is back.
    pub(crate) fn restore(signum: i32, stop: impl FnOnce()) {
        notice(signum);
        stop();
        release(signum);
    }

    /// First half of [`restore`], for before libuv may have reset the signal.
    pub(crate) fn notice(signum: i32) {
        with_saved(|saved| {
            if let Some(entry) = saved.get_mut(&signum) {
                entry.notice(signum);
            }
        });
    }

    /// Second half of [`restore`].
    pub(crate) fn release(signum: i32) {
        with_saved(|saved| {
            let Some(entry) = saved.get_mut(&signum) else { return };
            entry.users -= 1;
            if entry.users == 0 {
                put(signum, &entry.before);
                saved.remove(&signum);
            }
        });
    }
}

/// Windows has no dispositions to keep.
#[cfg(not(unix))]
mod other {
    use crate::error::Result;

    pub(crate) fn save<T>(_signum: i32, start: impl FnOnce() -> Result<T>) -> Result<T> {
        start()
    }

    pub(crate) fn restore(_signum: i32, stop: impl FnOnce()) {
        stop();
    }
}
