//! `uv_work_t`: a function on the thread pool.

use std::os::raw::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};

use libuv_sys2 as uv;

use crate::error::{Code, Error, Result};
use crate::r#loop::{Held, Loop};
use crate::request::{self, RawRequest, Request};
use crate::trampoline::panic_message;

/// What goes to the pool thread and what comes back.
struct Job {
    work: Option<Box<dyn FnOnce() + Send>>,
    panic: Option<String>,
}

// SAFETY: libuv hangs nothing on a uv_work_t, whose fields may all be zero.
unsafe impl RawRequest for uv::uv_work_t {
    unsafe fn cleanup(_request: *mut Self) {}
}

impl Loop {
    /// Runs `work` on a thread of the pool, then `done` on the loop's thread (`uv_queue_work`).
    ///
    /// `done` gets `UV_ECANCELED` if the request was cancelled, [`Error::Panicked`] if `work`
    /// panicked.
    pub fn queue_work(
        &self,
        work: impl FnOnce() + Send + 'static,
        done: impl FnOnce(Result<()>) + Send + 'static,
    ) -> Result<Request> {
        self.queue_work_held(work, move |_, outcome| done(outcome))
    }

    /// [`queue_work`](Loop::queue_work) with a `done` that is shown that the loop is held.
    pub fn queue_work_held(
        &self,
        work: impl FnOnce() + Send + 'static,
        done: impl FnOnce(&Held, Result<()>) + Send + 'static,
    ) -> Result<Request> {
        unsafe extern "C" fn on_work(request: *mut uv::uv_work_t) {
            // SAFETY: `reserved` is the job, which this thread alone uses until the loop hears of
            // the end of the work.
            let job = unsafe { &mut *(*request).reserved[0].cast::<Job>() };
            if let Some(work) = job.work.take()
                && let Err(payload) = catch_unwind(AssertUnwindSafe(work))
            {
                job.panic = Some(panic_message(payload));
            }
        }
        unsafe extern "C" fn on_done(request: *mut uv::uv_work_t, status: c_int) {
            // SAFETY: libuv's callback for a request that was submitted below.
            unsafe { request::complete(request, status) };
        }
        let mut job = Box::new(Job { work: Some(Box::new(work)), panic: None });
        let for_pool = std::ptr::from_mut(&mut *job);
        let job = SharedJob(Box::into_raw(job));
        debug_assert_eq!(for_pool, job.0);
        // SAFETY: uv_queue_work gets the request and a callback that completes it; the job lives
        // in `done`.
        unsafe {
            request::submit::<uv::uv_work_t>(
                self,
                || "uv_queue_work".to_owned(),
                |event_loop, request| {
                    (*request).reserved[0] = for_pool.cast();
                    uv::uv_queue_work(event_loop, request, Some(on_work), Some(on_done))
                },
                move |held, _request, status| {
                    let panic = job.take_panic();
                    drop(job);
                    let outcome = match (status, panic) {
                        (_, Some(message)) => Err(Error::panicked(message)),
                        (0, None) => Ok(()),
                        (status, None) => Err(Error::new(Code(status), "queue_work")),
                    };
                    done(held, outcome);
                },
            )
        }
    }
}

/// The job, owned by the request's `done` and lent to the pool thread in between.
struct SharedJob(*mut Job);

// SAFETY: the job is Send, and the two threads use it one after the other.
unsafe impl Send for SharedJob {}

impl SharedJob {
    fn take_panic(&self) -> Option<String> {
        // SAFETY: called by the loop's thread, after the pool thread is done with it.
        unsafe { (*self.0).panic.take() }
    }
}

impl Drop for SharedJob {
    fn drop(&mut self) {
        // SAFETY: from Box::into_raw; dropped after the pool thread is done with it or was never
        // given it.
        drop(unsafe { Box::from_raw(self.0) });
    }
}

#[cfg(test)]
mod tests {
    // Panics without a message, which would come between the lines of the tests' report.
    use std::panic::resume_unwind;
    use std::sync::mpsc;

    use crate::{Code, Error, Loop, RunMode};

    #[test]
    fn works_elsewhere_and_reports_here() {
        let event_loop = Loop::new().unwrap();
        let (sender, receiver) = mpsc::channel();
        let here = std::thread::current().id();
        let done = sender.clone();
        event_loop
            .queue_work(
                move || sender.send(std::thread::current().id() != here).unwrap(),
                move |outcome| done.send(outcome.is_ok()).unwrap(),
            )
            .unwrap();
        assert!(event_loop.is_alive().unwrap());
        event_loop.run(RunMode::Default).unwrap();
        assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [true, true]);
    }

    #[test]
    fn what_has_not_begun_can_be_cancelled() {
        let event_loop = Loop::new().unwrap();
        let (release, gate) = mpsc::channel::<()>();
        let gate = std::sync::Arc::new(std::sync::Mutex::new(gate));
        let (sender, receiver) = mpsc::channel();
        // More jobs than the pool has threads, all of which wait: the last ones are queued.
        let mut requests = Vec::new();
        for _ in 0..1100 {
            let (gate, sender) = (gate.clone(), sender.clone());
            requests.push(
                event_loop
                    .queue_work(
                        move || {
                            let _ = gate.lock().unwrap().recv();
                        },
                        move |outcome| sender.send(outcome).unwrap(),
                    )
                    .unwrap(),
            );
        }
        let last = requests.pop().unwrap();
        assert_eq!(last.cancel(), Ok(true));
        assert_eq!(last.cancel(), Ok(false));
        assert!(event_loop.close().unwrap_err().to_string().contains("requests in flight"));
        drop(release);
        event_loop.run(RunMode::Default).unwrap();
        let outcomes: Vec<_> = receiver.try_iter().collect();
        assert_eq!(outcomes.len(), 1100);
        let cancelled = Err(Error::new(Code::ECANCELED, "queue_work"));
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == cancelled).count(), 1);
        event_loop.close().unwrap();
    }

    #[test]
    fn a_panic_on_the_pool_is_reported() {
        let event_loop = Loop::new().unwrap();
        let (sender, receiver) = mpsc::channel();
        event_loop
            .queue_work(
                || resume_unwind(Box::new("boom")),
                move |outcome| sender.send(outcome).unwrap(),
            )
            .unwrap();
        event_loop.run(RunMode::Default).unwrap();
        assert_eq!(receiver.recv().unwrap(), Err(Error::panicked("boom")));
    }

    #[test]
    fn a_loop_dropped_with_work_in_flight_is_freed_later_and_calls_nothing() {
        let event_loop = Loop::new().unwrap();
        let (release, gate) = mpsc::channel::<()>();
        let (sender, receiver) = mpsc::channel::<()>();
        event_loop
            .queue_work(
                move || {
                    let _ = gate.recv();
                },
                move |_| sender.send(()).unwrap(),
            )
            .unwrap();
        drop(event_loop);
        drop(release);
        // The sender goes when the loop is freed, without having sent.
        while receiver.try_recv() == Err(mpsc::TryRecvError::Empty) {
            drop(Loop::new().unwrap());
            std::thread::yield_now();
        }
        assert_eq!(receiver.recv(), Err(mpsc::RecvError));
    }
}
