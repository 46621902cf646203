//! A lock that one thread at a time holds.

use super::monitor::{Abandoned, Attempt, Monitor, block};
use super::this_thread;
use crate::{Code, Error, Result};

/// A lock that one thread at a time holds (`uv_mutex_t`); a recursive one as often as it likes.
pub struct Mutex {
    monitor: Monitor<State>,
    recursive: bool,
}

struct State {
    /// The thread that holds the mutex; 0 for none.
    owner: u64,
    /// How many times.
    depth: u32,
}

impl State {
    fn try_lock(&mut self, recursive: bool, depth: u32) -> Result<bool> {
        let this = this_thread();
        if self.owner == 0 {
            (self.owner, self.depth) = (this, depth);
            return Ok(true);
        }
        if !recursive || self.owner != this {
            return Ok(false);
        }
        self.depth = self
            .depth
            .checked_add(depth)
            .ok_or_else(|| Error::new(Code::EAGAIN, "the mutex is locked too many times"))?;
        Ok(true)
    }

    fn check_held(&self, what: &'static str) -> Result<()> {
        if self.owner == this_thread() {
            return Ok(());
        }
        let state = if self.owner == 0 { "nobody holds" } else { "another thread holds" };
        Err(Error::new(Code::EPERM, format!("{what}: {state} the mutex")))
    }
}

impl Mutex {
    /// A mutex that nobody holds (`uv_mutex_init`, `uv_mutex_init_recursive`).
    pub const fn new(recursive: bool) -> Mutex {
        let state = State { owner: 0, depth: 0 };
        Mutex { monitor: Monitor::new(state, Abandoned::PassOn), recursive }
    }

    /// Whether the thread that holds the mutex may lock it again.
    pub fn is_recursive(&self) -> bool {
        self.recursive
    }

    /// Locks the mutex, when it is free (`uv_mutex_lock`). `UV_EBUSY` if this thread holds it
    /// already and it is not recursive.
    pub fn lock(&self) -> Result<()> {
        block(|| self.attempt())
    }

    /// The attempt of [`lock`](Mutex::lock).
    pub fn attempt(&self) -> Result<Attempt<'_, ()>> {
        self.attempt_depth(1)
    }

    /// Locks the mutex if that needs no waiting; says whether it did (`uv_mutex_trylock`).
    pub fn try_lock(&self) -> Result<bool> {
        self.monitor.with(|state, _| state.try_lock(self.recursive, 1))
    }

    /// Unlocks the mutex, once (`uv_mutex_unlock`). `UV_EPERM` if this thread does not hold it.
    pub fn unlock(&self) -> Result<()> {
        self.monitor.with(|state, queue| {
            state.check_held("unlock")?;
            state.depth -= 1;
            if state.depth == 0 {
                state.owner = 0;
                queue.call_one();
            }
            Ok(())
        })
    }

    /// Whether any thread holds the mutex.
    pub fn is_locked(&self) -> bool {
        self.monitor.with(|state, _| state.owner != 0)
    }

    /// Whether this thread holds the mutex.
    pub fn is_held(&self) -> bool {
        self.monitor.with(|state, _| state.owner == this_thread())
    }

    /// `UV_EPERM`, with `what` was tried, if this thread does not hold the mutex.
    pub(super) fn check_held(&self, what: &'static str) -> Result<()> {
        self.monitor.with(|state, _| state.check_held(what))
    }

    /// Unlocks the mutex altogether; how many times this thread held it.
    pub(super) fn release(&self) -> u32 {
        self.monitor.with(|state, queue| {
            state.owner = 0;
            queue.call_one();
            std::mem::take(&mut state.depth)
        })
    }

    /// The attempt to lock `depth` times.
    pub(super) fn attempt_depth(&self, depth: u32) -> Result<Attempt<'_, ()>> {
        self.monitor.attempt(true, |state, _| {
            if state.try_lock(self.recursive, depth)? {
                return Ok(Some(()));
            }
            if state.owner == this_thread() {
                return Err(Error::new(Code::EBUSY, "lock: this thread holds the mutex already"));
            }
            Ok(None)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn one_thread_at_a_time_holds_it() {
        let (mutex, inside, total) = (Mutex::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..2_000 {
                        mutex.lock().unwrap();
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        total.fetch_add(1, Ordering::Relaxed);
                        thread::yield_now();
                        inside.fetch_sub(1, Ordering::SeqCst);
                        mutex.unlock().unwrap();
                    }
                });
            }
        });
        assert_eq!(total.into_inner(), 8_000);
        assert!(!mutex.is_locked());
    }

    #[test]
    fn misuse_is_an_error() {
        let mutex = Mutex::new(false);
        assert_eq!(mutex.unlock().unwrap_err().code(), Some(Code::EPERM));
        mutex.lock().unwrap();
        assert_eq!(mutex.lock().unwrap_err().code(), Some(Code::EBUSY));
        assert_eq!(mutex.try_lock(), Ok(false));
        thread::scope(|scope| {
            scope.spawn(|| assert_eq!(mutex.unlock().unwrap_err().code(), Some(Code::EPERM)));
        });
        assert!(mutex.is_held());
        mutex.unlock().unwrap();
    }

    #[test]
    fn a_recursive_one_is_unlocked_as_often_as_it_was_locked() {
        let mutex = Mutex::new(true);
        mutex.lock().unwrap();
        mutex.lock().unwrap();
        assert_eq!(mutex.try_lock(), Ok(true));
        for _ in 0..3 {
            assert!(mutex.is_locked());
            mutex.unlock().unwrap();
        }
        assert!(mutex.unlock().is_err());
    }
}
