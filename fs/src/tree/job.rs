//! A job on a tree that is ready to go, and running it in the calling thread.

use std::ops::ControlFlow;
use std::thread;
use std::time::{Duration, Instant};

use pyuv::{Result, pool_size};

use crate::tree::crew::{Crew, PATIENCE, Scratch, Turn, Work};
use crate::tree::report::{Ended, OnError, Progress};

/// How often the calling thread looks up from its work.
const LOOK_UP: Duration = Duration::from_millis(20);

/// What a job tells while it is under way.
#[derive(Debug)]
pub enum Told<B> {
    /// How far it is; a last time when it is over.
    Progress(Progress),
    /// What it has found since the last time.
    Batch(B),
}

/// A job on a tree, or on many files, that is ready to go: what [`walk`](crate::tree::walk) and
/// its kin give.
///
/// What cannot be (a path that holds a NUL, a missing tree) is the error of its result.
pub struct Tree<W: Work> {
    pub(crate) what: String,
    /// An error here is about an argument.
    pub(crate) work: Result<W>,
    pub(crate) options: Options,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    pub(crate) concurrency: usize,
    pub(crate) on_error: OnError,
    pub(crate) progress_every: Option<Duration>,
}

impl<W: Work> Tree<W> {
    pub(crate) fn new(what: String, work: Result<W>) -> Tree<W> {
        let options = Options {
            concurrency: pool_size(),
            on_error: OnError::default(),
            progress_every: None,
        };
        Tree { what, work, options }
    }

    /// How many threads are at work at most: as many as the loop's pool has, unless something
    /// less is asked for. 0 is 1.
    #[must_use]
    pub fn concurrency(mut self, threads: usize) -> Self {
        self.options.concurrency = threads.clamp(1, pool_size());
        self
    }

    /// What becomes of the job when a path fails. The path that the job was given is different:
    /// where it fails, so does the job.
    #[must_use]
    pub fn on_error(mut self, on_error: OnError) -> Self {
        self.options.on_error = on_error;
        self
    }

    /// Has [`Told::Progress`] told, at most once in such a time.
    #[must_use]
    pub fn progress_every(mut self, time: Duration) -> Self {
        self.options.progress_every = Some(time);
        self
    }

    pub(crate) fn change(mut self, change: impl FnOnce(&mut W)) -> Self {
        if let Ok(work) = &mut self.work {
            change(work);
        }
        self
    }

    /// Does it now, in this thread and, where there is enough to do, others beside it.
    pub fn run(self) -> Ended<W::Output> {
        self.run_with(|_| ControlFlow::Continue(()), || ControlFlow::Continue(()))
    }

    /// [`run`](Tree::run), with `told` called for what there is to tell, and `go_on` asked some 50
    /// times a second, both in this thread. A break of either is
    /// [`cancel`](crate::tree::TreeRequest::cancel).
    pub fn run_with(
        self,
        mut told: impl FnMut(Told<W::Batch>) -> ControlFlow<()>,
        mut go_on: impl FnMut() -> ControlFlow<()>,
    ) -> Ended<W::Output> {
        let Tree { what, work, options } = self;
        let work = match work {
            Ok(work) => work,
            Err(error) => return Ended { result: Err(error), errors: Vec::new() },
        };
        let crew = Crew::new(work, what, options.on_error);
        let mut last = Instant::now();
        thread::scope(|scope| {
            let (mut helpers, mut broken) = (0, false);
            let mut scratch = Scratch::default();
            loop {
                // The first look is early: most jobs have something for others to do by then.
                let look_up = if helpers == 0 { PATIENCE } else { LOOK_UP };
                let turn = crew.turn(&mut scratch, Some(Instant::now() + look_up), look_up);
                if !broken {
                    let mut answer = go_on();
                    while answer.is_continue()
                        && let Some(batch) = crew.work.take_batch()
                    {
                        crew.has_room();
                        answer = told(Told::Batch(batch));
                    }
                    if let Some(every) = options.progress_every
                        && answer.is_continue()
                        && (last.elapsed() >= every || turn == Turn::Over && crew.is_over())
                    {
                        last = Instant::now();
                        answer = told(Told::Progress(crew.report.progress()));
                    }
                    broken = answer.is_break();
                    if broken {
                        crew.cancel();
                    }
                }
                if turn == Turn::Over {
                    if crew.is_over() {
                        break;
                    }
                    crew.wait(LOOK_UP);
                }
                while helpers + 1 < options.concurrency && crew.waiting() > helpers {
                    helpers += 1;
                    let crew = &crew;
                    let help = move || {
                        let mut scratch = Scratch::default();
                        while crew.turn(&mut scratch, None, LOOK_UP) != Turn::Over {}
                    };
                    // Where the system has no further thread, those that there are do it.
                    let _ = thread::Builder::new().spawn_scoped(scope, help);
                }
            }
        });
        crew.ended()
    }
}
