//! A lock for many readers or one writer.

use std::collections::HashMap;

use super::monitor::{Abandoned, Attempt, Monitor, block};
use super::sleeper::Sleepers;
use super::this_thread;
use crate::{Code, Error, Result};

/// A lock that many threads hold for reading, or one for writing (`uv_rwlock_t`).
///
/// While a writer waits, only threads that are reading already may read again: writers do not
/// starve, and reading twice does not deadlock.
pub struct RwLock {
    monitor: Monitor<State>,
}

#[derive(Default)]
struct State {
    /// The thread that writes; 0 for none.
    writer: u64,
    /// The threads that read, and how many times each.
    readers: HashMap<u64, u32>,
}

impl State {
    fn is_free(&self) -> bool {
        self.writer == 0 && self.readers.is_empty()
    }

    fn try_read(&mut self, queue: &mut Sleepers) -> Result<bool> {
        let this = this_thread();
        let admitted = self.is_free()
            || self.readers.contains_key(&this)
            || (self.writer == 0 && !queue.any_exclusive());
        if admitted {
            let times = self.readers.entry(this).or_default();
            *times = times
                .checked_add(1)
                .ok_or_else(|| Error::new(Code::EAGAIN, "the lock is read too many times"))?;
        }
        Ok(admitted)
    }

    fn try_write(&mut self) -> bool {
        let free = self.is_free();
        if free {
            self.writer = this_thread();
        }
        free
    }
}

impl Default for RwLock {
    fn default() -> RwLock {
        RwLock::new()
    }
}

impl RwLock {
    /// A lock that nobody holds (`uv_rwlock_init`).
    pub fn new() -> RwLock {
        RwLock { monitor: Monitor::new(State::default(), Abandoned::CallAll) }
    }

    /// Locks for reading (`uv_rwlock_rdlock`). `UV_EBUSY` if this thread is writing.
    pub fn read_lock(&self) -> Result<()> {
        block(|| self.attempt_read())
    }

    /// The attempt of [`read_lock`](RwLock::read_lock).
    pub fn attempt_read(&self) -> Result<Attempt<'_, ()>> {
        self.monitor.attempt(false, |state, queue| {
            if state.writer == this_thread() {
                return Err(Error::new(Code::EBUSY, "rdlock: this thread is writing"));
            }
            Ok(state.try_read(queue)?.then_some(()))
        })
    }

    /// Locks for reading if that needs no waiting; says whether it did (`uv_rwlock_tryrdlock`).
    pub fn try_read_lock(&self) -> Result<bool> {
        self.monitor.with(|state, queue| state.try_read(queue))
    }

    /// Ends reading, once (`uv_rwlock_rdunlock`). `UV_EPERM` if this thread is not reading.
    pub fn read_unlock(&self) -> Result<()> {
        self.monitor.with(|state, queue| {
            let this = this_thread();
            let times = state.readers.get_mut(&this).ok_or_else(|| {
                Error::new(Code::EPERM, "rdunlock: this thread does not hold the lock for reading")
            })?;
            *times -= 1;
            if *times == 0 {
                state.readers.remove(&this);
                if state.is_free() {
                    queue.call_sharing();
                }
            }
            Ok(())
        })
    }

    /// Locks for writing (`uv_rwlock_wrlock`). `UV_EBUSY` if this thread reads or writes already.
    pub fn write_lock(&self) -> Result<()> {
        block(|| self.attempt_write())
    }

    /// The attempt of [`write_lock`](RwLock::write_lock).
    pub fn attempt_write(&self) -> Result<Attempt<'_, ()>> {
        self.monitor.attempt(true, |state, _| {
            let this = this_thread();
            if state.writer == this || state.readers.contains_key(&this) {
                return Err(Error::new(Code::EBUSY, "wrlock: this thread holds the lock already"));
            }
            Ok(state.try_write().then_some(()))
        })
    }

    /// Locks for writing if that needs no waiting; says whether it did (`uv_rwlock_trywrlock`).
    pub fn try_write_lock(&self) -> bool {
        self.monitor.with(|state, _| state.try_write())
    }

    /// Ends writing (`uv_rwlock_wrunlock`). `UV_EPERM` if this thread is not writing.
    pub fn write_unlock(&self) -> Result<()> {
        self.monitor.with(|state, queue| {
            if state.writer != this_thread() {
                let what = "wrunlock: this thread does not hold the lock for writing";
                return Err(Error::new(Code::EPERM, what));
            }
            state.writer = 0;
            queue.call_sharing();
            Ok(())
        })
    }

    /// Whether any thread holds the lock.
    pub fn is_locked(&self) -> bool {
        self.monitor.with(|state, _| !state.is_free())
    }

    /// Whether this thread holds the lock for reading.
    pub fn is_reading(&self) -> bool {
        self.monitor.with(|state, _| state.readers.contains_key(&this_thread()))
    }

    /// Whether this thread holds the lock for writing.
    pub fn is_writing(&self) -> bool {
        self.monitor.with(|state, _| state.writer == this_thread())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn readers_share_and_a_writer_does_not() {
        let lock = RwLock::new();
        lock.read_lock().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                assert_eq!(lock.try_read_lock(), Ok(true));
                assert!(!lock.try_write_lock());
                lock.read_unlock().unwrap();
            });
        });
        lock.read_unlock().unwrap();
        lock.write_lock().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| assert_eq!(lock.try_read_lock(), Ok(false)));
        });
        lock.write_unlock().unwrap();
        assert!(!lock.is_locked());
    }

    #[test]
    fn a_waiting_writer_goes_before_new_readers() {
        let lock = RwLock::new();
        lock.read_lock().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                let Ok(Attempt::Wait(writer)) = lock.attempt_write() else { panic!("no wait") };
                thread::scope(|scope| {
                    scope.spawn(|| assert_eq!(lock.try_read_lock(), Ok(false)));
                });
                drop(writer);
                assert_eq!(lock.try_read_lock(), Ok(true));
                lock.read_unlock().unwrap();
            });
        });
        lock.read_lock().unwrap();
        lock.read_unlock().unwrap();
        lock.read_unlock().unwrap();
    }

    #[test]
    fn writers_and_readers_all_get_their_turn() {
        let (lock, inside) = (RwLock::new(), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..1_000 {
                        lock.write_lock().unwrap();
                        assert_eq!(inside.fetch_add(100, Ordering::SeqCst), 0);
                        inside.fetch_sub(100, Ordering::SeqCst);
                        lock.write_unlock().unwrap();
                    }
                });
                scope.spawn(|| {
                    for _ in 0..1_000 {
                        lock.read_lock().unwrap();
                        assert!(inside.fetch_add(1, Ordering::SeqCst) < 3);
                        inside.fetch_sub(1, Ordering::SeqCst);
                        lock.read_unlock().unwrap();
                    }
                });
            }
        });
        assert!(!lock.is_locked());
    }

    #[test]
    fn misuse_is_an_error() {
        let lock = RwLock::new();
        let code = |result: Result<()>| result.unwrap_err().code();
        assert_eq!(code(lock.read_unlock()), Some(Code::EPERM));
        assert_eq!(code(lock.write_unlock()), Some(Code::EPERM));
        lock.read_lock().unwrap();
        assert_eq!(code(lock.write_lock()), Some(Code::EBUSY));
        assert_eq!(code(lock.write_unlock()), Some(Code::EPERM));
        lock.read_unlock().unwrap();
        lock.write_lock().unwrap();
        assert_eq!(code(lock.write_lock()), Some(Code::EBUSY));
        assert_eq!(code(lock.read_lock()), Some(Code::EBUSY));
        assert_eq!(code(lock.read_unlock()), Some(Code::EPERM));
        lock.write_unlock().unwrap();
    }
}
