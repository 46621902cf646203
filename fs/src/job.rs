//! Operations that are functions: everything they do in one trip to the thread pool.

use std::sync::{Arc, Mutex, PoisonError};

use pyuv::{Code, Error, Loop, Request, Result};

use crate::operation::Operation;

/// A function that blocks, and what it is about, for the error of one that was cancelled.
pub(crate) struct Job<F> {
    pub(crate) what: String,
    /// An error here is about an argument.
    pub(crate) work: Result<F>,
}

impl<F, Output> Operation for Job<F>
where
    F: FnOnce() -> Result<Output> + Send + 'static,
    Output: Send + 'static,
{
    type Output = Output;

    fn run(self) -> Result<Output> {
        self.work?()
    }

    fn submit(
        self,
        event_loop: &Loop,
        done: impl FnOnce(Result<Output>) + Send + 'static,
    ) -> Result<Request> {
        let Job { what, work } = self;
        let work = work?;
        // What it gives is dropped with this if nobody is left to be told: a file is closed then.
        let given = Arc::new(Mutex::new(None));
        let place = given.clone();
        event_loop.queue_work(
            move || {
                let outcome = work();
                *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
            },
            move |ended| {
                let outcome = given.lock().unwrap_or_else(PoisonError::into_inner).take();
                done(match (ended, outcome) {
                    (Ok(()), Some(outcome)) => outcome,
                    (Ok(()), None) => Err(Error::new(Code::UNKNOWN, what)),
                    (Err(Error::Uv { code, .. }), _) => Err(Error::new(code, what)),
                    (Err(error), _) => Err(error),
                });
            },
        )
    }
}
