//! A queue between threads.

use std::cell::UnsafeCell;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::line::Line;
use super::monitor::{Attempt, block};
use super::sleeper::{Leave, Sleeper, Sleepers, Ticket, lock};

/// Items that some threads put in and others take out, in the same order; bounded if wanted.
///
/// Like Python's `queue.Queue` it counts the items that were put and not yet declared done, and
/// can be shut down. As with all of this module, what may have to wait is an attempt.
pub struct Queue<T> {
    lock: Mutex<()>,
    state: UnsafeCell<State<T>>,
}

// SAFETY: the state is reached through `with`, which holds the lock, and through `peek`, whose
// callers answer for nobody else being there. Items move between threads, hence `T: Send`.
unsafe impl<T: Send> Sync for Queue<T> {}

struct State<T> {
    items: VecDeque<T>,
    maxsize: isize,
    /// Items put and not declared done.
    unfinished: usize,
    shut_down: bool,
    getters: Line,
    putters: Line,
    joiners: Sleepers,
}

/// What an attempt is to do where it cannot be done at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Nothing: it is not tried again.
    Once,
    /// Wait.
    Wait,
    /// Wait; the thread comes from its sleep because it was called.
    Called,
}

/// What came of putting an item in. Where it is not in, here it is again.
#[must_use]
pub enum Put<'a, T> {
    /// It is in.
    Done,
    /// The thread has to sleep on this first.
    Wait(Ticket<'a>, T),
    /// There is no room.
    Full(T),
    /// The queue takes nothing any more.
    ShutDown(T),
    /// There is no memory for one more.
    NoMemory(T),
}

/// What came of taking an item out.
#[must_use]
pub enum Get<'a, T> {
    /// The item.
    Done(T),
    /// The thread has to sleep on this first.
    Wait(Ticket<'a>),
    /// There is none.
    Empty,
    /// There is none, nor ever will be.
    ShutDown,
}

/// An allocation of less is not worth giving back.
const KEPT: usize = 1024;

impl<T> State<T> {
    fn room(&self) -> usize {
        match usize::try_from(self.maxsize) {
            Ok(1..) => (self.maxsize as usize).saturating_sub(self.items.len()),
            _ => usize::MAX,
        }
    }

    fn take(&mut self) -> Option<T> {
        let item = self.items.pop_front();
        let capacity = self.items.capacity();
        if capacity > KEPT && self.items.len() < capacity / 4 {
            self.items.shrink_to(capacity / 2);
        }
        item
    }

    /// Calls those who can have something.
    fn call(&mut self) {
        self.getters.call_for(self.items.len());
        self.putters.call_for(self.room());
    }
}

impl<T: Send> Queue<T> {
    /// An empty queue with room for `maxsize` items; for any number of them if that is not
    /// positive.
    pub const fn new(maxsize: isize) -> Queue<T> {
        let state = State {
            items: VecDeque::new(),
            maxsize,
            unfinished: 0,
            shut_down: false,
            getters: Line::new(),
            putters: Line::new(),
            joiners: Sleepers::new(),
        };
        Queue { lock: Mutex::new(()), state: UnsafeCell::new(state) }
    }

    /// No item is dropped in here: that is the callers', who do not hold the lock.
    #[inline]
    fn with<R>(&self, f: impl FnOnce(&mut State<T>) -> R) -> R {
        let _locked = lock(&self.lock);
        // SAFETY: the lock is held, and no `f` in this file calls a method of the queue.
        f(unsafe { &mut *self.state.get() })
    }

    /// The attempt to put `item` in.
    pub fn attempt_put(&self, item: T, how: How) -> Put<'_, T> {
        self.with(|state| {
            if how == How::Called {
                state.putters.come();
            }
            if state.shut_down {
                return Put::ShutDown(item);
            }
            if state.room() == 0 {
                return match how {
                    How::Once => Put::Full(item),
                    _ => Put::Wait(state.putters.join(self), item),
                };
            }
            if state.items.try_reserve(1).is_err() {
                return Put::NoMemory(item);
            }
            state.items.push_back(item);
            state.unfinished += 1;
            state.call();
            Put::Done
        })
    }

    /// The attempt to take an item out.
    pub fn attempt_get(&self, how: How) -> Get<'_, T> {
        self.with(|state| {
            if how == How::Called {
                state.getters.come();
            }
            match state.take() {
                Some(item) => {
                    state.call();
                    Get::Done(item)
                }
                None if state.shut_down => Get::ShutDown,
                None if how == How::Once => Get::Empty,
                None => Get::Wait(state.getters.join(self)),
            }
        })
    }

    /// Puts `item` in when there is room; gives it back if the queue is shut down or memory short.
    pub fn put(&self, item: T) -> Result<(), T> {
        let mut attempt = self.attempt_put(item, How::Wait);
        loop {
            let (ticket, item) = match attempt {
                Put::Done => return Ok(()),
                Put::Full(item) | Put::ShutDown(item) | Put::NoMemory(item) => return Err(item),
                Put::Wait(ticket, item) => (ticket, item),
            };
            ticket.wait(None);
            attempt = self.attempt_put(item, How::Called);
        }
    }

    /// Takes an item out when there is one; none if the queue is shut down and empty.
    pub fn get(&self) -> Option<T> {
        let mut attempt = self.attempt_get(How::Wait);
        loop {
            let ticket = match attempt {
                Get::Done(item) => return Some(item),
                Get::Empty | Get::ShutDown => return None,
                Get::Wait(ticket) => ticket,
            };
            ticket.wait(None);
            attempt = self.attempt_get(How::Called);
        }
    }

    /// Declares an item that was taken out done; false if all that were put in are.
    pub fn task_done(&self) -> bool {
        self.with(|state| {
            let Some(unfinished) = state.unfinished.checked_sub(1) else { return false };
            state.unfinished = unfinished;
            if unfinished == 0 {
                state.joiners.call_all();
            }
            true
        })
    }

    /// Waits until all items that were put in are declared done.
    pub fn join(&self) {
        // The attempt has no way to fail.
        let _ = block(|| Ok(self.attempt_join()));
    }

    /// The attempt of [`join`](Queue::join).
    pub fn attempt_join(&self) -> Attempt<'_, ()> {
        self.with(|state| match state.unfinished {
            0 => Attempt::Done(()),
            _ => Attempt::Wait(state.joiners.join(false, self)),
        })
    }

    /// Lets nothing in any more. What is in can be taken out, unless that is to end too:
    /// `immediate` takes everything out, as done, and gives it back.
    pub fn shut_down(&self, immediate: bool) -> VecDeque<T> {
        self.with(|state| {
            state.shut_down = true;
            let mut items = VecDeque::new();
            if immediate {
                items = std::mem::take(&mut state.items);
                state.unfinished = state.unfinished.saturating_sub(items.len());
                state.joiners.call_all();
            }
            state.getters.call_all();
            state.putters.call_all();
            items
        })
    }

    /// Takes everything out and leaves the rest as it is.
    pub fn drain(&self) -> VecDeque<T> {
        self.with(|state| {
            let items = std::mem::take(&mut state.items);
            state.call();
            items
        })
    }

    /// How many items are in.
    pub fn len(&self) -> usize {
        self.with(|state| state.items.len())
    }

    /// Whether no item is in.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is no room.
    pub fn is_full(&self) -> bool {
        self.with(|state| state.room() == 0)
    }

    /// How many items there is room for; any number if not positive.
    pub fn maxsize(&self) -> isize {
        self.with(|state| state.maxsize)
    }

    /// Changes that. More items than that may be in already.
    pub fn set_maxsize(&self, maxsize: isize) {
        self.with(|state| {
            state.maxsize = maxsize;
            state.call();
        });
    }

    /// How many items were put in and not declared done.
    pub fn unfinished(&self) -> usize {
        self.with(|state| state.unfinished)
    }

    /// Whether the queue was shut down.
    pub fn is_shut_down(&self) -> bool {
        self.with(|state| state.shut_down)
    }

    /// The items, without the lock.
    ///
    /// # Safety
    ///
    /// While the iterator lives no thread is inside another method of this queue.
    pub unsafe fn peek(&self) -> impl Iterator<Item = &T> {
        // SAFETY: the caller sees to it that nothing changes.
        unsafe { &*self.state.get() }.items.iter()
    }
}

impl<T: Send> Leave for Queue<T> {
    fn leave(&self, sleeper: &Arc<Sleeper>) -> bool {
        self.with(|state| {
            state.getters.remove(sleeper)
                || state.putters.remove(sleeper)
                || state.joiners.remove(sleeper)
        })
    }

    fn abandon(&self, sleeper: &Arc<Sleeper>) {
        if !self.leave(sleeper) {
            // It had been called, for one or the other.
            self.with(|state| {
                state.getters.expect_nobody();
                state.putters.expect_nobody();
                state.call();
            });
        }
    }
}

#[cfg(test)]
mod tests;
