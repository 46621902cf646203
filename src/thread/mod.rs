//! Locks and their kin: [`Mutex`], [`RwLock`], [`Condition`], [`Semaphore`], [`Barrier`]; and
//! [`Queue`], which libuv has not.
//!
//! They do what libuv's `uv_mutex_t`, `uv_rwlock_t`, `uv_cond_t`, `uv_sem_t` and `uv_barrier_t` do
//! but do not stand on them. libuv answers misuse with `abort()`, most of it can only be seen by
//! knowing who holds what, and a thread inside `uv_mutex_lock` cannot be called back. So each
//! primitive here is a small state and a queue of sleepers under one short-lived
//! [`std::sync::Mutex`]: misuse is an [`Error`](crate::Error), every sleep can end early, and
//! there is nothing that could be destroyed while in use.
//!
//! # Attempts and tickets
//!
//! Whatever may block comes twice: as a plain blocking call, and as an *attempt*, which never
//! blocks: it is either [`Done`](Attempt::Done), or gives a [`Ticket`] to sleep on. A thread
//! whose ticket was called attempts again. The second form is for callers who must let go of
//! something, or look at something, while they sleep.
//!
//! A ticket that is dropped unused leaves the queue, and passes on the call it may have had.
//!
//! # fork
//!
//! In a child the sleepers of the parent are gone: they are not called and not counted. What a
//! thread that is not in the child held, stays held there.

mod barrier;
mod condition;
mod line;
mod monitor;
mod mutex;
mod queue;
mod rwlock;
mod semaphore;
mod sleeper;

pub use barrier::Barrier;
pub use condition::{Condition, Released};
pub use monitor::Attempt;
pub use mutex::Mutex;
pub use queue::{Get, How, Put, Queue};
pub use rwlock::RwLock;
pub use semaphore::Semaphore;
pub use sleeper::Ticket;

/// A number for the calling thread that no other thread ever has; not 0.
fn this_thread() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};

    static NEXT: AtomicU64 = AtomicU64::new(1);
    thread_local! {
        static THIS: u64 = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    THIS.with(|this| *this)
}
