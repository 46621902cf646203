//! Small pieces of work for the thread pool, which does them in a stream.
//!
//! `uv_queue_work` takes a lock, a wakeup of a pool thread and one of the loop for each piece of
//! work: several times what the piece costs where it is a look at a warm file. Jobs wait in a
//! queue of their loop's instead, which a [drainer](drainer), one `uv_work_t`, does one after the
//! other on a thread of the pool; the loop takes what is done off a second queue when it comes
//! by ([delivery]), and is woken for it only when it sleeps.

use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::error::{Code, Error, Result};
use crate::r#loop::{Loop, LoopInner};
use crate::pool;
use crate::request::{self, Request};
use crate::trampoline::{self, panic_message};

mod delivery;
mod drainer;
mod queue;
#[cfg(test)]
mod tests;

pub(crate) use delivery::Jobs;

/// A piece of work for the thread pool, done in place, and what comes of it.
///
/// It is made and dropped on the loop's thread; only [`run`](Job::run) is called elsewhere.
pub trait Job: Send + 'static {
    /// Does the work, on a thread of the pool.
    fn run(&mut self);

    /// Tells of the end, on the loop's thread: fine once `run` has returned, `UV_ECANCELED` if it
    /// was cancelled before `run`, [`Error::Panicked`] if `run` panicked.
    ///
    /// It is not called if the loop is dropped before.
    fn done(&mut self, outcome: Result<()>);

    /// Whether `run` holds its thread for a while, as work that comes in turns does. The loop's
    /// other jobs then look for another thread at once, without having waited in vain first.
    fn is_long(&self) -> bool {
        false
    }

    /// Whether the job is to be run once more, behind those that wait: asked on the loop's thread
    /// each time that `run` has returned, and `done` is called when the answer is no. So a job of
    /// many turns leaves the pool to others in between.
    fn again(&mut self, event_loop: &Loop) -> bool {
        let _ = event_loop;
        false
    }
}

impl Loop {
    /// Has a thread of the pool do `job`, as soon as those that were submitted before it have
    /// begun. Jobs that block do not hold up the others as long as the pool has threads.
    pub fn submit<J: Job>(&self, job: J) -> Result<Request> {
        let entered = self.enter()?;
        pool::ensure()?;
        let allocation = Box::into_raw(Box::new(Allocation {
            header: Header {
                request: request::Header::of_job(self.shared(), free::<J>),
                state: AtomicU8::new(WAITING),
                panic: UnsafeCell::new(None),
                long: job.is_long(),
                run: run::<J>,
                again: again::<J>,
                end: end::<J>,
            },
            job: UnsafeCell::new(Some(job)),
        }));
        // SAFETY: from Box::into_raw, so not null and whole. One of the two references that a request
        // begins with is the queue's, the other the caller's.
        unsafe {
            let header = NonNull::new_unchecked(allocation.cast::<Header>());
            entered.requests.insert(header.cast());
            Jobs::push(&entered, JobRef(header));
            Ok(Request::new(header.cast(), self))
        }
    }
}

/// Nobody has begun it.
const WAITING: u8 = 0;
/// A thread of the pool has it.
const RUNNING: u8 = 1;
/// `run` has returned.
const RAN: u8 = 2;
/// Nobody will begin it.
const CANCELLED: u8 = 3;

/// The part of a job's allocation that does not depend on what it is.
#[repr(C)]
pub(crate) struct Header {
    request: request::Header,
    state: AtomicU8,
    /// Written by the pool's thread before it says `RAN`, read by the loop's thread after.
    panic: UnsafeCell<Option<String>>,
    long: bool,
    run: unsafe fn(NonNull<Header>),
    again: unsafe fn(NonNull<Header>, &Loop) -> bool,
    end: unsafe fn(NonNull<Header>, Option<Result<()>>),
}

#[repr(C)]
struct Allocation<J> {
    header: Header,
    /// The pool's thread's while `RUNNING`, the loop's thread's before and after.
    job: UnsafeCell<Option<J>>,
}

/// # Safety
/// The header is that of an `Allocation<J>` that is `RUNNING`, and this thread runs it.
unsafe fn run<J: Job>(header: NonNull<Header>) {
    // SAFETY: the header is the allocation's first field, and the job this thread's.
    if let Some(job) = unsafe { &mut *header.cast::<Allocation<J>>().as_ref().job.get() } {
        job.run();
    }
}

/// # Safety
/// The header is that of an `Allocation<J>` that has run, and the caller owns the loop.
unsafe fn again<J: Job>(header: NonNull<Header>, event_loop: &Loop) -> bool {
    // SAFETY: the header is the allocation's first field, and the job this thread's.
    let job = unsafe { &mut *header.cast::<Allocation<J>>().as_ref().job.get() };
    job.as_mut().is_some_and(|job| job.again(event_loop))
}

/// Tells the job of its end, if there is an outcome to tell of, or drops it.
///
/// # Safety
/// The header is that of an `Allocation<J>` that is over, and the caller owns the loop.
unsafe fn end<J: Job>(header: NonNull<Header>, outcome: Option<Result<()>>) {
    // SAFETY: the header is the allocation's first field, and the job this thread's.
    let job = unsafe { &mut *header.cast::<Allocation<J>>().as_ref().job.get() };
    match (outcome, &mut *job) {
        (Some(outcome), Some(job)) => job.done(outcome),
        _ => *job = None,
    }
}

/// # Safety
/// Nobody uses the allocation any more, which was leaked from a Box of this type.
unsafe fn free<J>(header: NonNull<request::Header>) {
    // SAFETY: the caller says so; the header is its first field.
    drop(unsafe { Box::from_raw(header.cast::<Allocation<J>>().as_ptr()) });
}

/// A job on its way between the loop and the pool: one reference to it, given up by
/// [`forget`](JobRef::forget) or [`end`](JobRef::end).
struct JobRef(NonNull<Header>);

// SAFETY: what the pool's threads touch of a job is atomic, or theirs by its state.
unsafe impl Send for JobRef {}

impl JobRef {
    fn header(&self) -> &Header {
        // SAFETY: this reference keeps the allocation alive.
        unsafe { self.0.as_ref() }
    }

    fn step(&self, from: u8, to: u8) -> bool {
        self.header().state.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Runs the job, on a thread of the pool, unless it has been cancelled. Returns whether it
    /// ran.
    fn run(&self) -> bool {
        if !self.step(WAITING, RUNNING) {
            return false;
        }
        let header = self.header();
        // SAFETY: the step above made the job this thread's.
        let outcome = catch_unwind(AssertUnwindSafe(|| unsafe { (header.run)(self.0) }));
        if let Err(payload) = outcome {
            // SAFETY: the loop's thread reads it after the store below.
            unsafe { *header.panic.get() = Some(panic_message(payload)) };
        }
        header.state.store(RAN, Ordering::Release);
        true
    }

    /// Gives up a reference to a job that has come back to the loop on another way.
    fn forget(self) {
        // SAFETY: this value's own reference.
        unsafe { request::Header::drop_reference(self.0.cast()) };
    }

    /// Tells the job how it ended and drops it, on the loop's thread; or has it run once more, if
    /// it wants that.
    fn end(self, inner: &LoopInner) {
        let header = self.header();
        if self.wants_another_turn(inner) {
            header.state.store(WAITING, Ordering::Release);
            return Jobs::push(inner, self);
        }
        header.request.ended(inner);
        let outcome = if header.state.load(Ordering::Acquire) == RAN {
            // SAFETY: the pool's thread is done with it.
            match unsafe { (*header.panic.get()).take() } {
                Some(message) => Err(Error::panicked(message)),
                None => Ok(()),
            }
        } else {
            Err(Error::new(Code::ECANCELED, "a job"))
        };
        if !inner.is_abandoned() {
            // SAFETY: the job is over and the loop the caller's.
            trampoline::enter(inner, || unsafe { (header.end)(self.0, Some(outcome)) });
        }
        // SAFETY: as above.
        trampoline::enter(inner, || unsafe { (header.end)(self.0, None) });
        self.forget();
    }

    fn wants_another_turn(&self, inner: &LoopInner) -> bool {
        let header = self.header();
        let mut again = false;
        if header.state.load(Ordering::Acquire) == RAN
            // SAFETY: the pool's thread is done with it.
            && unsafe { (*header.panic.get()).is_none() }
            && !inner.is_abandoned()
        {
            // Not the last reference: whoever runs the loop has one.
            let event_loop = inner.event_loop();
            trampoline::enter(inner, || {
                // SAFETY: the job has run and the loop is the caller's.
                again = unsafe { (header.again)(self.0, &event_loop) };
            });
        }
        again
    }

    /// In a forked child, where no thread of the pool is left: what is to become of the job.
    /// Returns whether it still waits to be done.
    fn after_fork(&self) -> bool {
        self.step(RUNNING, CANCELLED);
        self.header().state.load(Ordering::Acquire) == WAITING
    }

    /// A further reference to the job of a request.
    ///
    /// # Safety
    /// The pointer is to the whole of a job that is in flight, and the caller owns its loop.
    unsafe fn of(request: NonNull<request::Header>) -> JobRef {
        // SAFETY: the caller says so.
        unsafe { request.as_ref() }.add_reference();
        JobRef(request.cast())
    }
}

/// Takes a job back that nobody has begun.
///
/// # Safety
/// The pointer is to the whole of a job that is in flight on the loop.
pub(crate) unsafe fn cancel(inner: &LoopInner, request: NonNull<request::Header>) -> bool {
    // SAFETY: the caller says so. The queue of those that wait keeps its reference, and whoever
    // takes the job off it sees that it is not to be run.
    let job = unsafe { JobRef::of(request) };
    let cancelled = job.step(WAITING, CANCELLED);
    if cancelled {
        inner.jobs.cancelled(inner, job);
    } else {
        job.forget();
    }
    cancelled
}
