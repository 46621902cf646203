//! A job on a tree, done by threads of a loop's pool.
//!
//! Each of its workers is a [`Job`] that comes in turns of some milliseconds: in between, the
//! thread is anybody's, and the loop tells of progress. A worker that has found nothing to do ends,
//! and those that go on start another when there is enough to do again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use pyuv::{Error, Job, Loop, Request, Result};

use crate::tree::crew::{Crew, PATIENCE, Scratch, Turn, Work};
use crate::tree::job::{Options, Told, Tree};
use crate::tree::report::{Ended, Progress};

/// How long a worker has a thread of the pool.
const TURN: Duration = Duration::from_millis(4);

type Done<T> = Box<dyn FnOnce(Ended<T>) + Send>;
type Tell<B> = Box<dyn FnMut(Told<B>) + Send>;
/// Those of the workers, by their places.
type Requests = Mutex<Vec<Option<Request>>>;

impl<W: Work> Tree<W> {
    /// Has it done by threads of the loop's pool, then `done` called on the loop's thread. `told`
    /// is called there too, with what there is to tell, and not any more after `done`.
    ///
    /// Neither is called if this fails, or if the loop is dropped before the job is over; what
    /// they hold is dropped then. In a child process that was forked in the middle, a job that had
    /// begun ends with `UV_ECANCELED`.
    pub fn submit(
        self,
        event_loop: &Loop,
        told: impl FnMut(Told<W::Batch>) + Send + 'static,
        done: impl FnOnce(Ended<W::Output>) + Send + 'static,
    ) -> Result<TreeRequest> {
        let crew = Arc::new(Crew::new(self.work?, self.what, self.options.on_error));
        let places = 0..self.options.concurrency;
        let requests = Arc::new(Mutex::new(places.clone().map(|_| None).collect()));
        let shared = Arc::new(Shared {
            crew: Arc::clone(&crew),
            options: self.options,
            requests: Arc::downgrade(&requests),
            desk: Mutex::new(Desk {
                free: places.collect(),
                told: Some(Box::new(told)),
                done: Some(Box::new(done)),
                last: Instant::now(),
            }),
        });
        // At the beginning nobody knows how much there is to do.
        Shared::hire(&shared, event_loop, usize::MAX)?;
        Ok(TreeRequest { crew, requests, event_loop: event_loop.clone() })
    }
}

/// A job on a tree that was submitted. Dropping it cancels nothing.
pub struct TreeRequest {
    crew: Arc<dyn Cancel>,
    requests: Arc<Requests>,
    event_loop: Loop,
}

/// A crew, whatever it works on.
trait Cancel: Send + Sync {
    fn cancel(&self) -> bool;
    fn progress(&self) -> Progress;
}

impl<W: Work> Cancel for Crew<W> {
    fn cancel(&self) -> bool {
        Crew::cancel(self)
    }

    fn progress(&self) -> Progress {
        self.report.progress()
    }
}

impl TreeRequest {
    /// Has the job end with `UV_ECANCELED` as soon as each of its threads is through with the
    /// entry it is at, or with a block of a large file. What it has done stays done. Returns
    /// whether it was still going on.
    ///
    /// On the loop's thread; fails with [`Error::WrongThread`] elsewhere.
    pub fn cancel(&self) -> Result<bool> {
        let _held = match self.event_loop.hold() {
            Err(Error::LoopClosed) => return Ok(false),
            held => held?,
        };
        let cancelled = self.crew.cancel();
        if cancelled {
            // Those that wait for a thread need not get one.
            for request in lock(&self.requests).iter().flatten() {
                request.cancel()?;
            }
        }
        Ok(cancelled)
    }

    /// How far the job is, or was when it ended. From any thread.
    pub fn progress(&self) -> Progress {
        self.crew.progress()
    }
}

impl std::fmt::Debug for TreeRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TreeRequest({:?})", self.progress())
    }
}

/// What the workers share.
struct Shared<W: Work> {
    crew: Arc<Crew<W>>,
    options: Options,
    /// For `cancel`. They hold the loop, so that the loop must not hold them.
    requests: Weak<Requests>,
    desk: Mutex<Desk<W>>,
}

/// What is the loop's thread's.
struct Desk<W: Work> {
    /// Places that no worker has.
    free: Vec<usize>,
    told: Option<Tell<W::Batch>>,
    done: Option<Done<W::Output>>,
    last: Instant,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<W: Work> Shared<W> {
    /// Starts `count` workers, or as many as there are places. Fails if none could be started.
    fn hire(this: &Arc<Shared<W>>, event_loop: &Loop, count: usize) -> Result<()> {
        for _ in 0..count {
            let Some(place) = lock(&this.desk).free.pop() else { break };
            let worker = Worker {
                shared: Arc::clone(this),
                place,
                scratch: Scratch::default(),
                turn: Turn::Idle,
            };
            match event_loop.submit(worker) {
                Ok(request) => this.keep(place, Some(request)),
                Err(error) => {
                    let mut desk = lock(&this.desk);
                    desk.free.push(place);
                    if desk.free.len() == this.options.concurrency {
                        return Err(error);
                    }
                    break;
                }
            }
        }
        Ok(())
    }

    /// Has `cancel` know the request of a worker, or no more.
    fn keep(&self, place: usize, request: Option<Request>) {
        if let Some(requests) = self.requests.upgrade() {
            let old = std::mem::replace(&mut lock(&requests)[place], request);
            drop(old);
        }
    }

    /// Tells what there is to tell: batches, and progress when it is time.
    fn tell(&self) {
        let Some(mut told) = lock(&self.desk).told.take() else { return };
        while let Some(batch) = self.crew.work.take_batch() {
            self.crew.has_room();
            told(Told::Batch(batch));
        }
        let mut desk = lock(&self.desk);
        let due = self.options.progress_every.is_some_and(|every| desk.last.elapsed() >= every);
        if due {
            desk.last = Instant::now();
            drop(desk);
            told(Told::Progress(self.crew.report.progress()));
            desk = lock(&self.desk);
        }
        desk.told = Some(told);
    }
}

/// One thread's part of the job.
struct Worker<W: Work> {
    shared: Arc<Shared<W>>,
    place: usize,
    scratch: Scratch,
    turn: Turn,
}

impl<W: Work> Worker<W> {
    /// In a forked child: leaves alone what a thread that is not there was in the middle of.
    fn lose(&mut self) {
        std::mem::forget(std::mem::take(&mut self.scratch));
        std::mem::forget(Arc::clone(&self.shared.crew));
    }
}

impl<W: Work> Job for Worker<W> {
    fn run(&mut self) {
        let crew = &self.shared.crew;
        if !crew.is_lost() {
            self.turn = crew.turn(&mut self.scratch, Some(Instant::now() + TURN), PATIENCE);
        }
    }

    fn is_long(&self) -> bool {
        true
    }

    fn again(&mut self, event_loop: &Loop) -> bool {
        let shared = &self.shared;
        if shared.crew.is_lost() {
            return false;
        }
        shared.tell();
        let waiting = shared.crew.waiting();
        let idle = self.turn == Turn::Idle && waiting == 0;
        if idle || self.turn == Turn::Over || shared.crew.report.stopped() {
            return false;
        }
        // This worker takes one of the tasks. Without further ones it takes the others too.
        let _ = Shared::hire(shared, event_loop, waiting.saturating_sub(1));
        true
    }

    fn done(&mut self, outcome: Result<()>) {
        if self.shared.crew.is_lost() {
            self.lose();
        } else if let Err(error) = outcome {
            // Cancelled together with the loop's other requests, or by `TreeRequest::cancel`.
            self.shared.crew.report.end(match error {
                Error::Panicked(_) => error,
                _ => self.shared.crew.cancelled(),
            });
        }
        let shared = &self.shared;
        shared.keep(self.place, None);
        let mut desk = lock(&shared.desk);
        desk.free.push(self.place);
        if desk.free.len() < shared.options.concurrency {
            return;
        }
        let (told, done) = (desk.told.take(), desk.done.take());
        drop(desk);
        let ended = shared.crew.ended();
        if let Some(mut told) = told
            && shared.options.progress_every.is_some()
        {
            told(Told::Progress(shared.crew.report.progress()));
        }
        if let Some(done) = done {
            done(ended);
        }
    }
}
