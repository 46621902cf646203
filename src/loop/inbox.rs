//! What other threads have for the loop's owner: closures to call, and references to drop of those
//! that could not take the loop.

use std::cell::UnsafeCell;
use std::mem;
use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::deferral::Task;
use super::{Held, Loop, LoopShared};
use crate::error::{Error, Result};
use crate::handle::Header;

/// A handle reference on its way to the loop's owner.
pub(crate) struct InboxEntry(pub(crate) NonNull<Header>);

// SAFETY: only the loop's owner looks behind the pointer.
unsafe impl Send for InboxEntry {}

/// What other threads have handed to the loop's owner.
pub(super) struct Inbox(UnsafeCell<Mutex<Contents>>);

#[derive(Default)]
struct Contents {
    entries: Vec<InboxEntry>,
    tasks: Vec<Task>,
    /// The loop is closed, or all but: it has no open handle, and nothing wakes it any more.
    shut: bool,
}

impl Inbox {
    pub(super) fn new() -> Inbox {
        Inbox(UnsafeCell::new(Mutex::default()))
    }

    fn mutex(&self) -> &Mutex<Contents> {
        // SAFETY: the mutex is replaced only by `renew`, when this is the only thread.
        unsafe { &*self.0.get() }
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.mutex().lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// In a child process whose loop is the parent's still: keeps the reference for [`Loop::fork`](crate::Loop),
    /// unless a thread that stayed behind has the lock. It is never dropped then.
    fn push_in_child(&self, entry: InboxEntry) {
        if let Ok(mut contents) = self.mutex().try_lock() {
            contents.entries.push(entry);
        }
    }

    /// Unlocks the inbox in a child process: the thread that had the lock stayed behind.
    ///
    /// # Safety
    /// This is the process's only thread.
    pub(super) unsafe fn renew(&self) {
        // If nobody had the lock, nothing is lost.
        let contents = self.mutex().try_lock().map(|mut it| mem::take(&mut *it));
        // SAFETY: the caller vouches for nobody else using the mutex.
        unsafe { self.0.get().write(Mutex::new(contents.unwrap_or_default())) };
    }
}

/// The way to a loop for other threads. It counts as a reference to the loop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote(Loop);

impl Loop {
    /// Where other threads leave what the loop is to do.
    pub fn remote(&self) -> Remote {
        Remote(self.clone())
    }
}

impl Remote {
    /// Has `task` called soon, by the loop and in the order of these calls. May be called from any
    /// thread. It does not keep the loop running, and is dropped with the loop if that does not run
    /// again.
    ///
    /// Fails with [`Error::LoopClosed`], and with `UV_EBADF` where somebody has closed the loop's own
    /// descriptors.
    pub fn defer(&self, task: impl FnOnce(&Held) + Send + 'static) -> Result<()> {
        let shared = self.0.shared();
        if shared.is_forked() {
            return Err(Error::Forked);
        }
        let mut contents = shared.inbox().lock();
        if contents.shut {
            return Err(Error::LoopClosed);
        }
        contents.tasks.push(Box::new(task));
        // SAFETY: the loop's own handles are closed only after the inbox is shut, for which the
        // lock is needed.
        let sent = unsafe {
            shared.wake();
            shared.check_own_fds()
        };
        if sent.is_err() {
            let lost = contents.tasks.pop();
            drop(contents);
            drop(lost);
        }
        sent
    }
}

impl LoopShared {
    /// Hands a handle's reference to whoever owns the loop, who will drop it.
    pub(crate) fn send_to_owner(&self, entry: InboxEntry) {
        if self.is_forked() {
            self.inbox().push_in_child(entry);
            return;
        }
        let mut contents = self.inbox().lock();
        if contents.shut {
            drop(contents);
            // SAFETY: the entry carries one reference of the handle's, whose loop is as good as
            // closed.
            unsafe { Header::drop_reference(entry.0) };
            return;
        }
        contents.entries.push(entry);
        // SAFETY: the loop's own handles are closed only after the inbox is shut, for which the
        // lock is needed.
        unsafe { self.wake() };
        drop(contents);
        // The owner may have left just before the push.
        if let Ok(entered) = self.enter() {
            entered.empty_inbox();
        }
    }
}

impl Held {
    /// Drops the references that other threads handed over, and puts off their tasks.
    pub(super) fn empty_inbox(&self) {
        let mut contents = self.inbox.lock();
        let (entries, tasks) = (mem::take(&mut contents.entries), mem::take(&mut contents.tasks));
        drop(contents);
        if !tasks.is_empty() {
            self.defer_all(tasks);
        }
        self.drop_entries(entries);
    }

    /// Has references dropped where they are from now on. For the owner, when no handle is open
    /// any more, and before the loop's own are closed.
    pub(super) fn shut_inbox(&self) {
        let mut contents = self.inbox.lock();
        contents.shut = true;
        let (entries, tasks) = (mem::take(&mut contents.entries), mem::take(&mut contents.tasks));
        drop(contents);
        drop(tasks);
        self.drop_entries(entries);
    }

    fn drop_entries(&self, entries: Vec<InboxEntry>) {
        for entry in entries {
            // SAFETY: the entry carries one reference of the handle's, and this thread owns the
            // loop.
            unsafe { Header::drop_reference(entry.0) };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use crate::{Async, Error, Loop, RunMode, Timer};

    #[test]
    fn tasks_of_other_threads_are_called_by_the_loop_in_their_order() {
        let event_loop = Loop::new().unwrap();
        let wake = Async::new(&event_loop, |wake| drop(wake.close(|_| ()))).unwrap();
        let (sender, called) = mpsc::channel();
        let remote = event_loop.remote();
        let here = std::thread::current().id();
        let other = std::thread::spawn(move || {
            for name in 0..1000 {
                let sender = sender.clone();
                let task = move |_: &crate::Held| {
                    sender.send((name, std::thread::current().id())).unwrap();
                };
                remote.defer(task).unwrap();
            }
            remote.defer(move |_| wake.send().unwrap()).unwrap();
        });
        assert_eq!(event_loop.run(RunMode::Default), Ok(false));
        other.join().unwrap();
        let expected: Vec<_> = (0..1000).map(|name| (name, here)).collect();
        assert_eq!(called.try_iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_loop_that_waits_is_woken_by_a_task() {
        let event_loop = Loop::new().unwrap();
        let timer = Timer::new(&event_loop).unwrap();
        timer.start(Duration::from_secs(60), Duration::ZERO, |_| ()).unwrap();
        let remote = event_loop.remote();
        let other =
            std::thread::spawn(move || remote.defer(move |held| held.event_loop().stop().unwrap()));
        assert_eq!(event_loop.run(RunMode::Default), Ok(true));
        assert_eq!(other.join().unwrap(), Ok(()));
    }

    #[test]
    fn a_closed_loop_takes_no_tasks() {
        let event_loop = Loop::new().unwrap();
        let remote = event_loop.remote();
        let (sender, called) = mpsc::channel::<()>();
        remote.defer(move |_| sender.send(()).unwrap()).unwrap();
        event_loop.close().unwrap();
        assert_eq!(called.try_recv(), Ok(()));
        assert_eq!(remote.defer(|_| ()), Err(Error::LoopClosed));
    }

    #[test]
    fn a_reference_dropped_during_the_last_moments_of_a_loop_is_freed() {
        let event_loop = Loop::new().unwrap();
        let timer = Timer::new(&event_loop).unwrap();
        timer.start(Duration::ZERO, Duration::ZERO, |_| ()).unwrap();
        timer.close(|_| ()).unwrap();
        event_loop.close().unwrap();
        // As if `close` had not quite returned: the loop is still this thread's.
        let held = event_loop.hold_even_closed().unwrap();
        std::thread::spawn(move || drop(timer)).join().unwrap();
        assert_eq!(held.inbox.lock().entries.len(), 0);
    }

    #[test]
    fn a_loop_closes_while_another_thread_drops_what_was_on_it() {
        for _ in 0..500 {
            let event_loop = Loop::new().unwrap();
            let timers: Vec<_> = (0..20).map(|_| Timer::new(&event_loop).unwrap()).collect();
            let references = event_loop.handles().unwrap();
            for timer in &timers {
                timer.close(|_| ()).unwrap();
            }
            std::thread::scope(|scope| {
                scope.spawn(move || drop(references));
                // Fails while the other thread has the loop.
                while event_loop.close().is_err() {}
            });
            assert!(event_loop.is_closed());
            assert_eq!(event_loop.shared().inbox().lock().entries.len(), 0);
        }
    }
}
