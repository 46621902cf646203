//! `add_reader` and `add_writer`: one poll for each descriptor that is watched, by the event loop alone.

use std::cell::RefCell;
use std::collections::HashMap;

use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};
use pyuv::{Events, Handle as CoreHandle, Poll};

use super::ready::Entry;
use super::scheduler::{PART_OF, Scheduler, State};
use crate::error::to_os_error;
use crate::life::back::Leash;

/// What a descriptor is watched for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Reading,
    Writing,
}

struct Watch {
    poll: Poll,
    reader: Option<Py<PyAny>>,
    writer: Option<Py<PyAny>>,
}

impl Watch {
    fn place(&mut self, direction: Direction) -> &mut Option<Py<PyAny>> {
        match direction {
            Direction::Reading => &mut self.reader,
            Direction::Writing => &mut self.writer,
        }
    }

    fn events(&self) -> Events {
        let mut events = Events::empty();
        events.set(Events::READABLE, self.reader.is_some());
        events.set(Events::WRITABLE, self.writer.is_some());
        events
    }
}

/// The handles of what is watched. Nothing is dropped while it is borrowed.
#[derive(Default)]
pub struct Watches(RefCell<HashMap<i32, Watch>>);

impl Watches {
    /// Puts `handle` in the place of what is there for this descriptor and direction, and gives that.
    pub fn set<'py>(
        slf: &Bound<'py, Scheduler>,
        fd: i32,
        direction: Direction,
        handle: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = slf.py();
        let this = slf.get();
        let core = this.core()?;
        let held = core.hold().map_err(to_os_error)?;
        let watches = &this.state(&held).watches.0;
        let mut handle = handle.map(Bound::unbind);
        if !watches.borrow().contains_key(&fd) {
            if handle.is_none() {
                return Ok(None);
            }
            let poll = Poll::new(core, fd).map_err(to_os_error)?;
            poll.hide(PART_OF).map_err(to_os_error)?;
            let watch = Watch { poll, reader: None, writer: None };
            watches.borrow_mut().insert(fd, watch);
        }
        let (old, wanted) = {
            let mut watches = watches.borrow_mut();
            let Some(watch) = watches.get_mut(&fd) else { return Ok(None) };
            let old = std::mem::replace(watch.place(direction), handle.take());
            (old, watch.events())
        };
        if wanted.is_empty() {
            let watch = watches.borrow_mut().remove(&fd);
            if let Some(watch) = watch {
                close(watch.poll);
            }
        } else if let Err(error) = start(this.state(&held), fd, wanted, this.leash()?) {
            // As if it had never been watched.
            let watch = watches.borrow_mut().remove(&fd);
            if let Some(Watch { poll, reader, writer }) = watch {
                close(poll);
                drop((reader, writer));
            }
            return Err(to_os_error(error));
        }
        Ok(old.map(|old| old.into_bound(py)))
    }

    /// Has the handles called that wait for these events.
    fn fire(slf: &Bound<'_, Scheduler>, fd: i32, outcome: pyuv::Result<Events>) {
        let py = slf.py();
        let this = slf.get();
        let Ok(core) = this.core() else { return };
        let Ok(held) = core.hold() else { return };
        let state = this.state(&held);
        // Of a failure, as of a connection that was refused, both sides are to learn by themselves.
        let events = outcome.as_ref().copied().unwrap_or(Events::READABLE | Events::WRITABLE);
        let mut due = [None, None];
        if let Some(watch) = state.watches.0.borrow().get(&fd) {
            let waits = |event: Events, handle: &Option<Py<PyAny>>| {
                handle.as_ref().filter(|_| events.contains(event)).map(|it| it.clone_ref(py))
            };
            due = [waits(Events::READABLE, &watch.reader), waits(Events::WRITABLE, &watch.writer)];
        }
        for handle in due.into_iter().flatten() {
            this.push(&held, Entry::Handle(handle));
        }
        if outcome.is_err() {
            let wanted = state.watches.0.borrow().get(&fd).map(Watch::events);
            // libuv has stopped the poll; a descriptor that is gone is watched no more.
            if let (Some(wanted), Ok(leash)) = (wanted, this.leash()) {
                let _ = start(state, fd, wanted, leash);
            }
        }
    }

    /// Watches nothing any more.
    pub fn clear(&self) {
        let watches = self.0.take();
        for watch in watches.into_values() {
            close(watch.poll);
            drop((watch.reader, watch.writer));
        }
    }

    pub fn visit(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        for watch in self.0.borrow().values() {
            visit.call(&watch.reader)?;
            visit.call(&watch.writer)?;
        }
        Ok(())
    }
}

fn start(state: &State, fd: i32, events: Events, leash: Leash<Scheduler>) -> pyuv::Result<()> {
    let watches = state.watches.0.borrow();
    let Some(watch) = watches.get(&fd) else { return Ok(()) };
    watch.poll.start(events, move |_, outcome| {
        // SAFETY: callbacks of the core run attached.
        if let Some(slf) = unsafe { leash.object() } {
            Watches::fire(&slf, fd, outcome);
        }
    })
}

/// Closes a poll; where its loop is another thread's, that one does.
fn close(poll: Poll) {
    if poll.close(|_| ()).is_err() {
        CoreHandle::from(poll).discard();
    }
}
