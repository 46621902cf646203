//! The loop's side of its jobs: handing them out, and telling of their end.
//!
//! What is over is told right after the loop has polled, before any check handle of the user's. The
//! loop does not sleep when something is over already, and gives the pool a moment before it does.

use std::cell::{Cell, RefCell, UnsafeCell};
use std::mem;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use libuv_sys2 as uv;

use super::JobRef;
use super::drainer::Drainer;
use super::queue::{Queue, wait_awake};
use crate::r#loop::{Due, Held, LoopInner};
use crate::pool::pool_size;
use crate::trampoline;

/// How long the loop waits for a job before it sleeps, if jobs have just ended and were quick. A job
/// that ends while the loop sleeps costs two context switches and, on a virtual machine, an
/// interrupt of another processor: several times what a look at a warm file takes.
const PAUSE: Duration = Duration::from_micros(20);

/// The same, if they were slow.
const PAUSE_SLOW: Duration = Duration::from_micros(3);

/// How long the loop goes on telling of jobs that end meanwhile before it looks at anything else. A
/// poll costs as much as several callbacks.
const ROUND: Duration = Duration::from_micros(200);

/// The clock is read once in so many jobs.
const CLOCK_EVERY: usize = 16;

/// Milliseconds between two looks at whether jobs get on.
const TICK: u64 = 1;

/// The jobs of a loop. All of it is the loop's owner's; what the pool sees is the `Queue`.
pub(crate) struct Jobs {
    queue: RefCell<Arc<Queue>>,
    drainers: RefCell<Vec<NonNull<Drainer>>>,
    in_flight: Cell<usize>,
    /// Those of them that are long.
    long: Cell<usize>,
    /// Jobs have ended since the loop last polled.
    busy: Cell<bool>,
    /// How many jobs had been run at the last tick.
    ran_before: Cell<Option<usize>>,

    /// The loop polls with jobs in flight, and looks afterwards.
    polled: Cell<bool>,
    /// A handle of the loop's own, as those in `loop/own_handles.rs`.
    tick: UnsafeCell<uv::uv_timer_t>,
}

impl Jobs {
    pub(crate) fn new() -> Jobs {
        Jobs {
            queue: RefCell::new(Arc::new(Queue::new())),
            drainers: RefCell::new(Vec::new()),
            in_flight: Cell::new(0),
            long: Cell::new(0),
            busy: Cell::new(false),
            ran_before: Cell::new(None),
            polled: Cell::new(false),
            // SAFETY: all-zero is a valid, if unusable, value of a C struct of integers and
            // pointers; `init` makes it a handle.
            tick: unsafe { mem::zeroed() },
        }
    }

    /// # Safety
    /// The loop is initialised and nobody else uses it; its allocation, which this is a part of,
    /// stays where it is until the handle is closed. Called once.
    pub(crate) unsafe fn init(&self, event_loop: *mut uv::uv_loop_t) {
        // SAFETY: the caller vouches for loop and memory; these functions do not fail. The
        // handle's `data` stays null, which marks it as the loop's own.
        unsafe {
            uv::uv_timer_init(event_loop, self.tick.get());
            uv::uv_unref(self.handle());
        }
    }

    /// The handle that is the loop's own.
    pub(crate) fn handle(&self) -> *mut uv::uv_handle_t {
        self.tick.get().cast()
    }

    fn queue(&self) -> Arc<Queue> {
        Arc::clone(&self.queue.borrow())
    }

    /// Whether a thread of the pool may still look at the loop though no job is in flight.
    pub(crate) fn are_leaving(&self) -> bool {
        self.in_flight.get() == 0 && !self.drainers.borrow().is_empty()
    }

    /// Has drainers that have nothing to do end at once: no job is in flight.
    pub(crate) fn leave(&self) {
        let queue = self.queue.borrow();
        queue.closing.store(true, Ordering::Relaxed);
        // What still waits was cancelled. It would have a drainer started for each that ends.
        while let Some(job) = queue.waiting.pop() {
            job.forget();
        }
        for drainer in self.drainers.borrow().iter() {
            // SAFETY: it is on the list, and the caller owns the loop.
            unsafe { Drainer::cancel(*drainer) };
        }
    }

    /// Has a job done.
    pub(super) fn push(inner: &LoopInner, job: JobRef) {
        let this = &inner.jobs;
        let queue = this.queue.borrow();
        this.in_flight.set(this.in_flight.get() + 1);
        this.long.set(this.long.get() + usize::from(job.header().long));
        queue.waiting.push(job);
        let drainers = this.drainers.borrow().len();
        let (in_flight, long) = (this.in_flight.get(), this.long.get());
        // One for each that is long, and one for all that are not.
        let wanted = if queue.slow.load(Ordering::Relaxed) {
            in_flight
        } else {
            long + usize::from(in_flight > long)
        };
        if drainers < wanted.min(pool_size()) {
            this.add_drainer(inner);
        } else {
            this.watch();
        }
    }

    /// A job that nobody has begun was taken back.
    pub(super) fn cancelled(&self, inner: &LoopInner, job: JobRef) {
        if self.queue.borrow().hand_over(job) {
            // SAFETY: the caller owns the loop, which is open.
            unsafe { inner.own_handles.wake() };
        }
    }

    fn add_drainer(&self, inner: &LoopInner) {
        let queue = self.queue();
        queue.closing.store(false, Ordering::Relaxed);
        self.drainers.borrow_mut().push(Drainer::start(inner, queue));
    }

    /// Looks after the jobs from time to time, while some wait.
    fn watch(&self) {
        // SAFETY: the caller owns the loop, which is open, and the handle is initialised.
        unsafe {
            if uv::uv_is_active(self.tick.get().cast()) == 0 {
                self.ran_before.set(None);
                uv::uv_timer_start(self.tick.get(), Some(on_tick), TICK, TICK);
            }
        }
    }

    pub(super) fn drainer_ended(inner: &LoopInner, drainer: NonNull<Drainer>) {
        let this = &inner.jobs;
        this.drainers.borrow_mut().retain(|other| *other != drainer);
        if !this.queue.borrow().waiting.is_empty() {
            this.add_drainer(inner);
        }
    }

    /// Before the loop polls. Returns whether something is over, so that it will not sleep.
    pub(crate) fn before_poll(&self, held: &Held, may_block: bool) -> bool {
        if self.in_flight.get() == 0 {
            return false;
        }
        let queue = self.queue.borrow();
        if may_block && self.busy.get() {
            self.wait_for_more(&queue);
        }
        let over = queue.fall_asleep();
        if over {
            held.mark(Due::Jobs);
        } else {
            self.polled.set(true);
            held.own_handles.after_poll_first();
        }
        over
    }

    /// After the loop has polled.
    pub(crate) fn after_poll(&self, held: &Held) {
        if self.polled.replace(false) {
            self.deliver(held);
        }
    }

    /// Tells of what is over.
    pub(crate) fn deliver(&self, inner: &LoopInner) {
        let queue = self.queue();
        queue.sleeps.store(false, Ordering::Relaxed);
        self.tell(inner, &queue, queue.over.len());
        // What ends meanwhile is told of too, but not for long: then it waits for the next round,
        // behind what else the loop has to do.
        let begin = Instant::now();
        while inner.goes_on() && self.is_current(&queue) && begin.elapsed() < ROUND {
            if !self.tell(inner, &queue, CLOCK_EVERY) && !self.wait_for_more(&queue) {
                break;
            }
        }
        if !self.is_current(&queue) {
            return;
        }
        let drainers = self.drainers.borrow().len();
        if (queue.slow.load(Ordering::Relaxed) || self.long.get() > 0)
            && !queue.waiting.is_empty()
            && drainers < pool_size().min(self.in_flight.get())
        {
            self.add_drainer(inner);
        }
    }

    /// Waits a moment for a job that is in flight. Returns whether one is over.
    fn wait_for_more(&self, queue: &Queue) -> bool {
        let pause = if queue.slow.load(Ordering::Relaxed) { PAUSE_SLOW } else { PAUSE };
        let over = self.in_flight.get() > 0 && wait_awake(pause, || !queue.over.is_empty());
        // It is waited for once, not again before the poll.
        self.busy.set(over);
        over
    }

    /// Whether the queue is the loop's still. A callback may have forked, and have had the child's
    /// loop go on with what was in it in a new one.
    fn is_current(&self, queue: &Arc<Queue>) -> bool {
        Arc::ptr_eq(queue, &self.queue.borrow())
    }

    /// Tells of at most so many jobs that are over. Returns whether it were that many.
    fn tell(&self, inner: &LoopInner, queue: &Arc<Queue>, most: usize) -> bool {
        for _ in 0..most {
            if !self.is_current(queue) {
                return false;
            }
            let Some(job) = queue.over.pop() else { return false };
            self.in_flight.set(self.in_flight.get() - 1);
            self.long.set(self.long.get() - usize::from(job.header().long));
            self.busy.set(true);
            job.end(inner);
        }
        true
    }

    /// When the loop stops running.
    pub(crate) fn after_run(&self, inner: &LoopInner) {
        if self.queue.borrow().fall_asleep() {
            // SAFETY: the caller owns the loop, which is open.
            unsafe { inner.own_handles.wake() };
        }
    }

    /// In a forked child, where the pool's threads are gone: what had begun is cancelled, what
    /// waits is begun anew.
    pub(crate) fn after_fork(inner: &LoopInner) {
        let this = &inner.jobs;
        // A thread that stayed behind may have been at work in the queue, and so may the drainers'
        // memory be half used: nobody touches them again.
        mem::forget(mem::replace(&mut *this.queue.borrow_mut(), Arc::new(Queue::new())));
        for drainer in this.drainers.take() {
            // SAFETY: it was on the list, and the caller owns the loop.
            unsafe { Drainer::lose(drainer, inner) };
        }
        let queue = this.queue();
        inner.requests.for_each_job(|request| {
            // SAFETY: the request is a job's, in flight, and the caller owns the loop. The
            // reference of the old queue's is lost with it.
            let job = unsafe { JobRef::of(request) };
            if job.after_fork() { queue.waiting.push(job) } else { queue.over.push(job) }
        });
        // Also for those that are over: it is what keeps the loop going until they are told of.
        if this.in_flight.get() > 0 {
            this.add_drainer(inner);
        }
        this.after_run(inner);
    }
}

unsafe extern "C" fn on_tick(handle: *mut uv::uv_timer_t) {
    // SAFETY: the handle belongs to a live loop of this crate.
    let inner = unsafe { LoopInner::from_raw((*handle).loop_) };
    trampoline::enter(inner, || {
        let jobs = &inner.jobs;
        let queue = jobs.queue();
        if queue.waiting.is_empty() || jobs.drainers.borrow().len() >= pool_size() {
            // SAFETY: the loop is open and ours.
            unsafe { uv::uv_timer_stop(handle) };
            return;
        }
        let ran = queue.ran.load(Ordering::Relaxed);
        if jobs.ran_before.replace(Some(ran)) == Some(ran) {
            jobs.add_drainer(inner);
        }
    });
}
