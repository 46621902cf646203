//! `uv_work_t`s that do the jobs of a loop on the thread pool.
//!
//! One drainer is best while jobs are quick: a second only takes turns with it at the locks. It
//! keeps its thread for a moment when nothing waits, since a callback that has just heard of one
//! job often submits the next.
//!
//! Jobs that block must not hold up others. So a further drainer is started, up to as many as the
//! pool has threads, when a job was slow and others wait, and when others wait and none has ended
//! between two ticks of a timer. And a drainer leaves the pool now and then, queues up behind
//! whatever else wants a thread, and goes on.

use std::os::raw::c_int;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use libuv_sys2 as uv;

use super::delivery::Jobs;
use super::queue::{Queue, wait_awake};
use crate::internals::lost_requests;
use crate::r#loop::{LoopInner, LoopShared};
use crate::trampoline;

/// How long a drainer waits for another job before it gives its thread back.
const LINGER: Duration = Duration::from_micros(10);

/// How long it does if it has been busy for longer than that.
const LINGER_LONG: Duration = Duration::from_micros(50);

/// A job that takes longer is one that blocks: it was not memory that answered.
const SLOW: Duration = Duration::from_micros(50);

/// How long a drainer keeps a thread of the pool from other users.
const SLICE: Duration = Duration::from_millis(5);

#[repr(C)]
pub(super) struct Drainer {
    uv: uv::uv_work_t,
    event_loop: NonNull<LoopShared>,
    queue: Arc<Queue>,
    /// The pool's thread is through with it.
    ended: AtomicBool,
}

impl Drainer {
    /// Starts a drainer on the pool.
    pub(super) fn start(inner: &LoopInner, queue: Arc<Queue>) -> NonNull<Drainer> {
        let drainer = Box::new(Drainer {
            // SAFETY: all fields of a uv_work_t may be zero; uv_queue_work sets them.
            uv: unsafe { std::mem::zeroed() },
            event_loop: NonNull::from(inner.shared()),
            queue,
            ended: AtomicBool::new(false),
        });
        let drainer = NonNull::from(Box::leak(drainer));
        // SAFETY: the loop is open and the caller's. The allocation is freed in `on_end`, and the
        // loop outlives it: see `LoopInner::run_closing`.
        let status = unsafe {
            uv::uv_queue_work(inner.uv(), drainer.as_ptr().cast(), Some(on_work), Some(on_end))
        };
        debug_assert_eq!(status, 0, "uv_queue_work refuses only a missing function");
        drainer
    }

    /// In a forked child: has the loop `inner` not wait for a drainer whose thread is gone.
    ///
    /// # Safety
    /// It is a drainer of that loop's that has not been told of, and the caller owns the loop.
    pub(super) unsafe fn lose(drainer: NonNull<Drainer>, inner: &LoopInner) {
        // SAFETY: the caller says so. One that has ended is libuv's to tell of; of any other
        // libuv has only the count.
        unsafe {
            if !drainer.as_ref().ended.load(Ordering::Acquire) {
                lost_requests::discount(inner);
            }
        }
    }

    /// Takes the drainer off the pool if it has not begun.
    ///
    /// # Safety
    /// It has not ended, and the caller owns the loop.
    pub(super) unsafe fn cancel(drainer: NonNull<Drainer>) {
        // SAFETY: the caller says so. Where it runs, it hears of it by `closing`.
        unsafe { uv::uv_cancel(drainer.as_ptr().cast()) };
    }
}

unsafe extern "C" fn on_work(request: *mut uv::uv_work_t) {
    // SAFETY: the request is the drainer's first field, and lives until `on_end`.
    let drainer = unsafe { &*request.cast::<Drainer>() };
    let wake = || {
        // SAFETY: the loop closes its handles only after the last drainer has ended.
        unsafe { drainer.event_loop.as_ref().wake() }
    };
    drain(&drainer.queue, wake);
    drainer.ended.store(true, Ordering::Release);
}

unsafe extern "C" fn on_end(request: *mut uv::uv_work_t, _status: c_int) {
    let drainer = NonNull::new(request.cast::<Drainer>()).expect("libuv gives the request");
    // SAFETY: libuv is done with the request, which came from a Box.
    let ended = unsafe { Box::from_raw(drainer.as_ptr()) };
    // SAFETY: the loop outlives its drainers; this is a callback of libuv's.
    let inner = unsafe { ended.event_loop.as_ref().held() };
    trampoline::enter(inner, || Jobs::drainer_ended(inner, drainer));
}

/// Does jobs until none waits or the time is up. Calls `wake` when the loop has to look.
fn drain(queue: &Queue, wake: impl Fn()) {
    let begin = Instant::now();
    let mut now = begin;
    while now - begin < SLICE {
        let Some(job) = queue.waiting.pop() else {
            // The longer it has had something to do, the sooner there is more.
            if !linger(queue, (now - begin).clamp(LINGER, LINGER_LONG)) {
                return;
            }
            now = Instant::now();
            continue;
        };
        if !job.run() {
            job.forget();
            continue;
        }
        let before = std::mem::replace(&mut now, Instant::now());
        let slow = now - before > SLOW;
        if queue.slow.load(Ordering::Relaxed) != slow {
            queue.slow.store(slow, Ordering::Relaxed);
        }
        queue.ran.fetch_add(1, Ordering::Relaxed);
        if queue.hand_over(job) || (slow && !queue.waiting.is_empty()) {
            wake();
        }
    }
}

/// Waits a moment for a job. Returns whether there is one.
fn linger(queue: &Queue, limit: Duration) -> bool {
    wait_awake(limit, || !queue.waiting.is_empty() || queue.closing.load(Ordering::Relaxed))
        && !queue.waiting.is_empty()
}
