//! Operations that are functions: everything they do in one trip to the thread pool.

use pyuv::{Code, Error, Job, Loop, Request, Result};

use crate::operation::Operation;

/// A function that blocks, and what it is about, for the error of one that was cancelled.
pub(crate) struct Function<F> {
    pub(crate) what: String,
    /// An error here is about an argument.
    pub(crate) work: Result<F>,
}

impl<F, Output> Operation for Function<F>
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
        let work = Some(self.work?);
        event_loop.submit(OnPool { what: self.what, work, given: None, done: Some(done) })
    }
}

struct OnPool<F, Output, D> {
    what: String,
    work: Option<F>,
    /// What the function gave. It is dropped with this if nobody is left to be told: a folder is
    /// closed then.
    given: Option<Result<Output>>,
    done: Option<D>,
}

impl<F, Output, D> Job for OnPool<F, Output, D>
where
    F: FnOnce() -> Result<Output> + Send + 'static,
    Output: Send + 'static,
    D: FnOnce(Result<Output>) + Send + 'static,
{
    fn run(&mut self) {
        self.given = self.work.take().map(|work| work());
    }

    fn done(&mut self, outcome: Result<()>) {
        let Some(done) = self.done.take() else { return };
        // What the function held is let go here, also if it never ran.
        drop(self.work.take());
        done(match (outcome, self.given.take()) {
            (Ok(()), Some(given)) => given,
            (Err(error @ Error::Panicked(_)), _) => Err(error),
            (outcome, _) => {
                let code = outcome.err().and_then(|error| error.code());
                Err(Error::new(code.unwrap_or(Code::UNKNOWN), std::mem::take(&mut self.what)))
            }
        });
    }
}
