//! Noticing that the process is a child of `fork`.

use std::cell::UnsafeCell;
use std::ops::{Deref, DerefMut};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

#[cfg(target_os = "linux")]
use crate::internals::{signal_handler, signal_lock};

/// Counts the forks this process has been through, as seen from the child.
static FORKS: AtomicUsize = AtomicUsize::new(0);

/// Sees to it that forks are counted from now on. Before libuv does the like for its own sake: what is done
/// here comes before what libuv does in the child.
pub(crate) fn watch() {
    static WATCH: Once = Once::new();
    #[cfg(unix)]
    extern "C" fn before() {
        #[cfg(target_os = "linux")]
        signal_handler::before_fork();
    }
    #[cfg(unix)]
    extern "C" fn in_parent() {
        #[cfg(target_os = "linux")]
        signal_handler::after_fork(false);
    }
    #[cfg(unix)]
    extern "C" fn in_child() {
        FORKS.fetch_add(1, Ordering::Relaxed);
        #[cfg(target_os = "linux")]
        {
            signal_handler::after_fork(true);
            signal_lock::forget_lost();
        }
    }
    WATCH.call_once(|| {
        #[cfg(unix)]
        // Miri neither forks nor knows the function.
        if !cfg!(miri) {
            // SAFETY: the handlers use atomics and descriptors alone, as any forked child may. (It fails for
            // want of memory alone, and forks then go unnoticed.)
            unsafe {
                libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child));
            }
        }
    });
}

/// A number that is another one in a child of this process, once there has been a loop.
#[inline]
pub fn count() -> usize {
    FORKS.load(Ordering::Relaxed)
}

/// A lock for short moments that a forked child finds open, whichever thread of the parent's had it. What it
/// guards is made anew there if one had: it may have been half changed.
pub(crate) struct ForkLock<T> {
    /// One more than [`count`] where it is taken; 0 where it is free.
    holder: AtomicUsize,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached by the holder alone.
unsafe impl<T: Send> Sync for ForkLock<T> {}

pub(crate) struct ForkGuard<'a, T>(&'a ForkLock<T>);

impl<T> ForkLock<T> {
    pub(crate) const fn new(value: T) -> ForkLock<T> {
        ForkLock { holder: AtomicUsize::new(0), value: UnsafeCell::new(value) }
    }
}

impl<T: Default> ForkLock<T> {
    pub(crate) fn lock(&self) -> ForkGuard<'_, T> {
        let me = count() + 1;
        loop {
            match self.holder.compare_exchange(0, me, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return ForkGuard(self),
                Err(holder) if holder == me => std::thread::yield_now(),
                // A thread that stayed in the parent.
                Err(holder) => {
                    let taken = self.holder.compare_exchange(
                        holder,
                        me,
                        Ordering::Acquire,
                        Ordering::Relaxed,
                    );
                    if taken.is_ok() {
                        // SAFETY: the lock is this thread's. What was there is left as it is.
                        unsafe { self.value.get().write(T::default()) };
                        return ForkGuard(self);
                    }
                }
            }
        }
    }
}

impl<T> Drop for ForkGuard<'_, T> {
    fn drop(&mut self) {
        self.0.holder.store(0, Ordering::Release);
    }
}

impl<T> Deref for ForkGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: the guard is the proof that the lock is this thread's.
        unsafe { &*self.0.value.get() }
    }
}

impl<T> DerefMut for ForkGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above.
        unsafe { &mut *self.0.value.get() }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    #[test]
    fn one_thread_at_a_time() {
        let lock = ForkLock::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1000).for_each(|_| *lock.lock() += 1));
            }
        });
        assert_eq!(*lock.lock(), 4000);
    }

    #[cfg(unix)]
    #[test]
    fn a_child_finds_it_open() {
        watch();
        let lock = ForkLock::new(7);
        let held = lock.lock();
        let (mut reader, mut writer) = std::io::pipe().unwrap();
        // SAFETY: the child uses atomics and a pipe, and ends.
        let child = unsafe { libc::fork() };
        if child == 0 {
            let _ = writer.write_all(&[*lock.lock()]);
            // SAFETY: ends the child.
            unsafe { libc::_exit(0) };
        }
        drop((held, writer));
        let mut answers = vec![];
        reader.read_to_end(&mut answers).unwrap();
        // SAFETY: waits for the child above.
        unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
        assert_eq!(answers, [0]);
    }
}
