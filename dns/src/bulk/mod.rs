//! Many names, each asked for once: lines of names in, lines of JSON out.
//!
//! A [`Bulk`] keeps so many questions in flight on a [`Channel`], asks failures again after a pause, and
//! passes over what is answered already. It reads no file and writes none: whoever has the loop
//! gives it names when it [wants](Bulk::wants_names) some and takes the lines that it has, in a
//! `Check` handle's callback for instance, once in each turn of the loop.
//!
//! A line has `name`, as it stood in the list, `type` and `status` ([`Code::word`]); with `NOERROR`
//! the `answer` section as [`json`](crate::json) has it, else the `reason` in words. A name that
//! cannot be asked for and a type that does not exist are results too, `BADNAME`.
//!
//! # Example
//! `examples/bulk.rs` is a whole program.

mod answered;
mod lines;
mod results;
mod run;

use std::mem;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pyuv::{Loop, Timer};

pub use self::answered::Answered;
use self::run::{Run, State};
use crate::channel::Channel;
use crate::error::{Error, Result};
use crate::options::DEFAULT_MAX_IN_FLIGHT;
use crate::registry::RecordType;

/// How a [`Bulk`] asks.
pub struct BulkOptions {
    /// The type to ask for where a line names none.
    pub record_type: RecordType,
    /// How many questions are in flight, those that wait to be asked again included. The channel's
    /// own `max_in_flight` holds too.
    pub concurrency: usize,
    /// How often a failure is asked again.
    pub retries: u32,
    /// How long it waits before.
    pub retry_pause: Duration,
    /// What is not asked for.
    pub answered: Answered,
}

impl Default for BulkOptions {
    fn default() -> BulkOptions {
        BulkOptions {
            record_type: RecordType::A,
            concurrency: DEFAULT_MAX_IN_FLIGHT,
            retries: 1,
            retry_pause: Duration::from_millis(500),
            answered: Answered::default(),
        }
    }
}

/// One question for each of many names; see the [module](self).
///
/// Dropped with questions in flight it forgets them. It belongs to the thread that has the loop.
pub struct Bulk {
    run: Arc<Run>,
    event_loop: Loop,
}

/// What the handle that waits for a failure's turn is part of.
const PART_OF: &str = "a bulk of DNS queries";

/// Names are wanted when less text than this is left.
const LOW: usize = 1 << 15;

impl Bulk {
    /// A run that has no names yet.
    pub fn new(channel: &Channel, options: BulkOptions) -> Result<Bulk> {
        if options.concurrency == 0 {
            return Err(Error::Invalid("concurrency 0 asks nothing".to_owned()));
        }
        let event_loop = channel.event_loop().clone();
        let timer = Timer::new(&event_loop)?;
        timer.hide(PART_OF)?;
        let state = State { answered: options.answered, ..State::default() };
        let run = Run {
            core: channel.weak_core(),
            timer,
            record_type: options.record_type,
            concurrency: options.concurrency,
            retries: options.retries,
            retry_pause: options.retry_pause,
            state: Mutex::new(state),
        };
        Ok(Bulk { run: Arc::new(run), event_loop })
    }

    /// Takes more of the list: lines of `NAME [TYPE]`, in pieces that may end anywhere. Empty lines
    /// and those that begin with `#` are passed over.
    pub fn push(&self, names: &[u8]) -> Result<()> {
        let held = self.event_loop.hold()?;
        self.run.lock().lines.push(names);
        self.run.fill(&held);
        Ok(())
    }

    /// Says that the list ends here.
    pub fn end(&self) -> Result<()> {
        let held = self.event_loop.hold()?;
        self.run.lock().lines.end();
        self.run.fill(&held);
        Ok(())
    }

    /// Asks for nothing more. Failures that wait are results now; what is in flight goes on.
    pub fn stop(&self) -> Result<()> {
        let _held = self.event_loop.hold()?;
        self.run.timer.stop()?;
        let mut state = self.run.lock();
        state.stopped = true;
        for failure in mem::take(&mut state.again) {
            state.busy -= 1;
            state.failure(&failure.question, &failure.error);
        }
        Ok(())
    }

    /// Whether it is time for more names.
    pub fn wants_names(&self) -> bool {
        let state = self.run.lock();
        !state.stopped && !state.lines.is_ended() && state.lines.left() < LOW
    }

    /// Whether every question has its result: the list has ended, or it was stopped.
    pub fn is_done(&self) -> bool {
        let state = self.run.lock();
        state.busy == 0 && (state.stopped || state.lines.is_over())
    }

    /// How many bytes of results there are to take.
    pub fn ready(&self) -> usize {
        self.run.lock().results.lines().len()
    }

    /// The results that were not taken yet, whole lines.
    pub fn take(&self) -> String {
        self.run.lock().results.take()
    }

    /// How many questions have no result yet, of those that were begun.
    pub fn busy(&self) -> usize {
        self.run.lock().busy
    }

    /// How many failures were asked again.
    pub fn retried(&self) -> u64 {
        self.run.lock().retried
    }

    /// How many results there are of each status.
    pub fn counts(&self) -> Vec<(&'static str, u64)> {
        self.run.lock().results.counts()
    }
}
