//! Writes that went out at once, and whose callbacks are due.
//!
//! `uv_try_write` reports from inside the call, but a callback never runs there: the loop calls it
//! soon (see `loop/deferral.rs`). Callbacks of a stream keep the order of its writes: those that are
//! due come before that of a write that was queued, and before the close callback.

use std::cell::Cell;
use std::ptr::NonNull;

use super::{Done, View};
use crate::error::{Code, Error};
use crate::handle::Header;
use crate::r#loop::{self, Held};
use crate::trampoline;

/// The writes of a loop whose callbacks are due.
pub(crate) struct Written {
    due: Cell<Vec<Due>>,
    count: Cell<usize>,
}

struct Due {
    /// Alive: its close callback comes after this.
    header: NonNull<Header>,
    done: Done,
    outcome: Result<(), Code>,
}

impl Written {
    pub(crate) fn new() -> Written {
        Written { due: Cell::new(Vec::new()), count: Cell::new(0) }
    }

    fn is_empty(&self) -> bool {
        self.count.get() == 0
    }

    /// Has `done` called soon. The stream counts a request until then.
    pub(super) fn push(held: &Held, header: &Header, done: Done, outcome: Result<(), Code>) {
        header.begin_request();
        let this = &held.written;
        let mut due = this.due.take();
        due.push(Due { header: NonNull::from(header), done, outcome });
        this.due.set(due);
        this.count.set(this.count.get() + 1);
        held.mark(r#loop::Due::Written);
    }

    /// Calls what is due now. For callbacks of libuv's.
    #[inline]
    pub(crate) fn call_all(&self, held: &Held) {
        if !self.is_empty() {
            self.call_some(held);
        }
    }

    fn call_some(&self, held: &Held) {
        let mut now = self.due.take();
        for Due { header, done, outcome } in now.drain(..) {
            self.count.set(self.count.get() - 1);
            // SAFETY: it is alive as long as it is due.
            let header = unsafe { header.as_ref() };
            header.finish_request();
            trampoline::enter(held, || {
                if !held.is_abandoned() {
                    done(&View::new(header), outcome.map_err(Error::from));
                }
            });
            header.close_if_lost();
        }
        if self.is_empty() {
            // The vector is used again.
            self.due.set(now);
        }
    }
}
