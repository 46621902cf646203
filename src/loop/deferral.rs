//! What the loop's owner has put off: it is done soon, at the beginning of an iteration or right after
//! the poll, one batch after the other. What has something put off is alive and does not sleep.
//!
//! To put something off costs a push and a flag: there is no handle, and no system call. What comes
//! from other threads is in the [inbox](super::inbox) first.

use std::cell::{Cell, RefCell};
use std::mem;

use libuv_sys2 as uv;

use super::Held;
#[cfg(unix)]
use crate::internals::pending::Pending;
use crate::trampoline;

pub(super) type Task = Box<dyn FnOnce(&Held) + Send>;

/// What there can be to do.
#[derive(Clone, Copy)]
pub(crate) enum Due {
    /// Callbacks of writes that went out at once (`stream/written.rs`).
    Written = 1,
    /// Jobs of the pool that are over (`job/delivery.rs`).
    Jobs = 2,
    /// Closures, in [`Deferral::tasks`].
    Tasks = 4,
}

pub(crate) struct Deferral {
    /// Which of [`Due`].
    due: Cell<u8>,
    tasks: RefCell<Vec<Task>>,
    pending: Pending,
}

impl Deferral {
    pub(super) fn new() -> Deferral {
        Deferral { due: Cell::new(0), tasks: RefCell::default(), pending: Pending::new() }
    }

    /// # Safety
    /// `event_loop` is the initialised loop that this is a part of, and stays where it is; called
    /// once.
    pub(super) unsafe fn init(&self, event_loop: *mut uv::uv_loop_t) {
        // SAFETY: the caller says so.
        unsafe { self.pending.init(event_loop, do_due) };
    }

    pub(super) fn is_empty(&self) -> bool {
        self.due.get() == 0
    }
}

impl Held {
    /// Has `task` called soon, by the loop and in the order of these calls. It is dropped with the loop
    /// if that does not run again.
    ///
    /// For what another thread has to tell there is [`Remote`](super::Remote).
    pub fn defer(&self, task: impl FnOnce(&Held) + Send + 'static) {
        self.defer_all([Box::new(task) as Task]);
    }

    pub(super) fn defer_all(&self, tasks: impl IntoIterator<Item = Task>) {
        self.deferral.tasks.borrow_mut().extend(tasks);
        self.mark(Due::Tasks);
    }

    /// Has what is due done soon.
    #[inline]
    pub(crate) fn mark(&self, due: Due) {
        let before = self.deferral.due.get();
        self.deferral.due.set(before | due as u8);
        if before == 0 {
            self.deferral.pending.feed(self);
        }
    }

    /// Drops what was put off. For a loop that does not run again.
    pub(super) fn drop_tasks(&self) {
        let tasks = mem::take(&mut *self.deferral.tasks.borrow_mut());
        for task in tasks {
            trampoline::guard(self, || drop(task));
        }
    }
}

/// Does what is due now; what that puts off is another batch.
///
/// # Safety
/// For [`Pending`]: a callback of the loop's.
unsafe fn do_due(held: &Held) {
    let due = held.deferral.due.replace(0);
    let is_due = |what: Due| due & what as u8 != 0;
    if is_due(Due::Written) {
        held.written.call_all(held);
    }
    if is_due(Due::Jobs) {
        trampoline::enter(held, || held.jobs.deliver(held));
    }
    if is_due(Due::Tasks) {
        let tasks = mem::take(&mut *held.deferral.tasks.borrow_mut());
        for task in tasks {
            trampoline::enter(held, || {
                if !held.is_abandoned() {
                    task(held);
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use crate::{Error, Idle, Loop, RunMode, Timer};

    #[test]
    fn tasks_are_called_in_order_and_keep_the_loop_going() {
        let event_loop = Loop::new().unwrap();
        let (sender, called) = mpsc::channel();
        let held = event_loop.hold().unwrap();
        for name in 0..3 {
            let sender = sender.clone();
            held.defer(move |held| {
                sender.send(name).unwrap();
                held.defer(move |_| sender.send(name + 10).unwrap());
            });
        }
        assert!(called.try_recv().is_err());
        assert_eq!(event_loop.timeout(), Ok(Some(Duration::ZERO)));
        assert_eq!(event_loop.run(RunMode::Default), Ok(false));
        assert_eq!(called.try_iter().collect::<Vec<_>>(), [0, 1, 2, 10, 11, 12]);
        drop(held);
        assert_eq!(event_loop.close(), Ok(()));
    }

    #[test]
    fn an_iteration_with_a_task_does_not_wait() {
        let event_loop = Loop::new().unwrap();
        let timer = Timer::new(&event_loop).unwrap();
        timer.start(Duration::from_secs(60), Duration::ZERO, |_| ()).unwrap();
        let (sender, called) = mpsc::channel();
        event_loop.hold().unwrap().defer(move |_| sender.send(()).unwrap());
        assert_eq!(event_loop.run(RunMode::Once), Ok(true));
        assert_eq!(called.try_recv(), Ok(()));
    }

    #[test]
    fn one_that_goes_on_for_ever_leaves_room_for_others() {
        fn again(held: &crate::Held) {
            held.defer(again);
        }
        let event_loop = Loop::new().unwrap();
        again(&event_loop.hold().unwrap());
        let timer = Timer::new(&event_loop).unwrap();
        let stopped = event_loop.clone();
        timer
            .start(Duration::from_millis(1), Duration::ZERO, move |_| stopped.stop().unwrap())
            .unwrap();
        assert_eq!(event_loop.run(RunMode::Default), Ok(true));
    }

    #[test]
    fn a_task_that_panics_is_an_error_and_the_others_are_called() {
        let event_loop = Loop::new().unwrap();
        let (sender, called) = mpsc::channel();
        let held = event_loop.hold().unwrap();
        held.defer(|_| std::panic::resume_unwind(Box::new("boom")));
        held.defer(move |_| sender.send(()).unwrap());
        drop(held);
        assert_eq!(event_loop.run(RunMode::Default), Err(Error::panicked("boom")));
        assert_eq!(called.try_recv(), Ok(()));
    }

    #[test]
    fn a_loop_that_is_dropped_drops_its_tasks() {
        let event_loop = Loop::new().unwrap();
        let idle = Idle::new(&event_loop).unwrap();
        idle.start(|_| ()).unwrap();
        let (sender, called) = mpsc::channel::<()>();
        event_loop.hold().unwrap().defer(move |_| sender.send(()).unwrap());
        drop((idle, event_loop));
        assert_eq!(called.try_recv(), Err(mpsc::TryRecvError::Disconnected));
    }
}
