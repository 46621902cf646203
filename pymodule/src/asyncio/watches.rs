//! `add_reader`, `add_writer` and what sockets wait for: one poll for each descriptor that is watched, by the
//! event loop alone.

use std::cell::RefCell;
use std::collections::VecDeque;

use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};
use pyuv::{Events, Handle as CoreHandle, Held, Loop, Poll};
use rustc_hash::FxHashMap;

use super::ready::Entry;
use super::scheduler::{PART_OF, Scheduler};
use super::sockets::Operation;
use crate::error::to_os_error;
use crate::life::back::Leash;

/// What a descriptor is watched for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Reading,
    Writing,
}

/// Who waits for a direction.
#[derive(Default)]
struct Side {
    /// What `add_reader` or `add_writer` was given.
    handle: Option<Py<PyAny>>,
    /// What sockets are to do, one after the other.
    operations: VecDeque<Py<Operation>>,
}

impl Side {
    fn is_wanted(&self) -> bool {
        self.handle.is_some() || !self.operations.is_empty()
    }
}

struct Watch {
    poll: Poll,
    reader: Side,
    writer: Side,
    /// The poll stays, at rest, when nobody waits any more: the descriptor does not block anyway.
    stays: bool,
}

impl Watch {
    fn side(&mut self, direction: Direction) -> &mut Side {
        match direction {
            Direction::Reading => &mut self.reader,
            Direction::Writing => &mut self.writer,
        }
    }

    fn events(&self) -> Events {
        let mut events = Events::empty();
        events.set(Events::READABLE, self.reader.is_wanted());
        events.set(Events::WRITABLE, self.writer.is_wanted());
        events
    }
}

/// The handles of what is watched. Nothing is dropped while it is borrowed.
#[derive(Default)]
pub struct Watches(RefCell<FxHashMap<i32, Watch>>);

impl Watches {
    /// Puts `handle` in the place of what is there for this descriptor and direction, and gives that.
    pub fn set<'py>(
        slf: &Bound<'py, Scheduler>,
        fd: i32,
        direction: Direction,
        handle: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let this = slf.get();
        let core = this.core()?;
        let held = core.hold().map_err(to_os_error)?;
        let handle = handle.map(Bound::unbind);
        if handle.is_some() {
            this.state(&held).watches.open(core, fd)?;
        }
        let put = |watch: &mut Watch| std::mem::replace(&mut watch.side(direction).handle, handle);
        let old = Watches::change(slf, &held, fd, put)?.flatten();
        Ok(old.map(|old| old.into_bound(slf.py())))
    }

    /// Has `operation` go on when the descriptor is ready for it.
    pub fn wait(
        slf: &Bound<'_, Scheduler>,
        held: &Held,
        fd: i32,
        direction: Direction,
        operation: &Bound<'_, Operation>,
    ) -> PyResult<()> {
        let this = slf.get();
        this.state(held).watches.open(this.core()?, fd)?;
        let operation = operation.clone().unbind();
        let put = |watch: &mut Watch| watch.side(direction).operations.push_back(operation);
        Watches::change(slf, held, fd, put).map(drop)
    }

    /// Has it go on no more.
    pub fn forget(
        slf: &Bound<'_, Scheduler>,
        held: &Held,
        fd: i32,
        direction: Direction,
        operation: &Bound<'_, Operation>,
    ) {
        let take = |watch: &mut Watch| {
            let operations = &mut watch.side(direction).operations;
            let place = operations.iter().position(|its| its.is(operation))?;
            operations.remove(place)
        };
        // To wait for less does not fail.
        let _ = Watches::change(slf, held, fd, take);
    }

    /// Changes who waits for a descriptor, if there is a watch of it, and has the poll follow.
    fn change<T>(
        slf: &Bound<'_, Scheduler>,
        held: &Held,
        fd: i32,
        change: impl FnOnce(&mut Watch) -> T,
    ) -> PyResult<Option<T>> {
        let changed = watches_of(slf, held)
            .0
            .borrow_mut()
            .get_mut(&fd)
            .map(|watch| (watch.events(), change(watch)));
        let Some((before, value)) = changed else { return Ok(None) };
        Watches::follow(slf, held, fd, before)?;
        Ok(Some(value))
    }

    /// There is a watch of the descriptor from now on.
    fn open(&self, core: &Loop, fd: i32) -> PyResult<()> {
        if self.0.borrow().contains_key(&fd) {
            return Ok(());
        }
        let stays = !blocks(fd);
        let poll = Poll::new(core, fd).map_err(to_os_error)?;
        poll.hide(PART_OF).map_err(to_os_error)?;
        let watch = Watch { poll, reader: Side::default(), writer: Side::default(), stays };
        self.0.borrow_mut().insert(fd, watch);
        Ok(())
    }

    /// Has the poll wait for what is wanted now, which was `before`.
    fn follow(slf: &Bound<'_, Scheduler>, held: &Held, fd: i32, before: Events) -> PyResult<()> {
        let watches = watches_of(slf, held);
        let (wanted, stays) = match watches.0.borrow().get(&fd) {
            Some(watch) => (watch.events(), watch.stays),
            None => return Ok(()),
        };
        if wanted == before {
            return Ok(());
        }
        if wanted.is_empty() && stays {
            if let Some(watch) = watches.0.borrow().get(&fd) {
                // One that is closed waits for nothing.
                let _ = watch.poll.stop();
            }
        } else if wanted.is_empty() {
            let watch = watches.0.borrow_mut().remove(&fd);
            if let Some(watch) = watch {
                close(watch.poll);
            }
        } else if let Err(error) = start(watches, fd, wanted, slf.get().leash()?) {
            // As if it had never been watched.
            let watch = watches.0.borrow_mut().remove(&fd);
            if let Some(Watch { poll, reader, writer, .. }) = watch {
                close(poll);
                drop((reader, writer));
            }
            return Err(to_os_error(error));
        }
        Ok(())
    }

    /// Has those go on that wait for these events.
    fn fire(slf: &Bound<'_, Scheduler>, fd: i32, outcome: pyuv::Result<Events>) {
        let this = slf.get();
        let Ok(core) = this.core() else { return };
        let Ok(held) = core.hold() else { return };
        // Of a descriptor that is gone both sides are to learn by themselves.
        let events = outcome.as_ref().copied().unwrap_or(Events::READABLE | Events::WRITABLE);
        if events.contains(Events::READABLE) {
            Watches::go_on(slf, &held, fd, Direction::Reading);
        }
        if events.contains(Events::WRITABLE) {
            Watches::go_on(slf, &held, fd, Direction::Writing);
        }
        if outcome.is_err() {
            // The poll has stopped: it is watched on if the number is somebody's again, or no more.
            let _ = Watches::follow(slf, &held, fd, Events::empty());
        }
    }

    /// Has those go on that wait for a direction: a handle in the next round, operations at once as far as
    /// they come.
    fn go_on(slf: &Bound<'_, Scheduler>, held: &Held, fd: i32, direction: Direction) {
        let py = slf.py();
        let watches = watches_of(slf, held);
        let first = |watch: &mut Watch| {
            let side = watch.side(direction);
            let first = side.operations.front().map(|operation| operation.clone_ref(py));
            (side.handle.as_ref().map(|handle| handle.clone_ref(py)), first)
        };
        let found = watches.0.borrow_mut().get_mut(&fd).map(first);
        let Some((handle, operation)) = found else { return };
        if let Some(handle) = handle {
            slf.get().push(slf.py(), held, Entry::Handle(handle));
        }
        let mut next = operation;
        while let Some(operation) = next.take() {
            let operation = operation.bind(py);
            if !Operation::advance(operation, held) {
                return;
            }
            Watches::forget(slf, held, fd, direction, operation);
            next = watches.0.borrow_mut().get_mut(&fd).and_then(|watch| first(watch).1);
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
            for side in [&watch.reader, &watch.writer] {
                visit.call(&side.handle)?;
                side.operations.iter().try_for_each(|operation| visit.call(operation))?;
            }
        }
        Ok(())
    }
}

fn watches_of<'a>(slf: &'a Bound<'_, Scheduler>, held: &'a Held) -> &'a Watches {
    &slf.get().state(held).watches
}

/// Whether who reads from the descriptor waits until there is something.
fn blocks(fd: i32) -> bool {
    // SAFETY: to ask for flags touches no memory.
    unsafe { libc::fcntl(fd, libc::F_GETFL) & libc::O_NONBLOCK == 0 }
}

fn start(watches: &Watches, fd: i32, events: Events, leash: Leash<Scheduler>) -> pyuv::Result<()> {
    let watches = watches.0.borrow();
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
