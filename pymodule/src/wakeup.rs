//! Ctrl-C: waking a sleeping loop for Python's signal handlers.
//!
//! libuv goes back to sleep after EINTR, so a signal alone does not end a poll. While `run` is on
//! the main thread, `signal.set_wakeup_fd` points to a socket that the loop watches.

use std::io::{ErrorKind, Read};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use pyuv::{Events, Kept, Poll};

use crate::error::UVError;
use crate::error::to_py;
use crate::life::back::Back;
use crate::r#loop::Loop;
use crate::once::{Once, intern};

/// A loop's wakeup: a socket pair, and the handle that watches it.
pub struct Wakeup {
    poll: Option<Poll>,
    ends: Arc<Ends>,
}

struct Ends {
    read: Kept<UnixStream>,
    write: Kept<UnixStream>,
    /// The wakeup fd that was set before ours, which gets its signals still; -1 for none.
    previous: AtomicI32,
    /// Somebody listens to signals: Python's wakeup fd stays here between runs.
    kept: AtomicBool,
    /// How many runs of the loop it is installed for.
    runs: AtomicUsize,
}

impl Wakeup {
    pub fn new(event_loop: &Bound<'_, Loop>, core: &pyuv::Loop) -> PyResult<Wakeup> {
        let (read, write) = UnixStream::pair()?;
        let (read, write) = (unpolled(core, read)?, unpolled(core, write)?);
        read.set_nonblocking(true)?;
        write.set_nonblocking(true)?;
        let previous = AtomicI32::new(-1);
        let ends = Arc::new(Ends {
            read: Kept::new(read),
            write: Kept::new(write),
            previous,
            kept: AtomicBool::new(false),
            runs: AtomicUsize::new(0),
        });
        let poll = Poll::new(core, ends.read.as_raw_fd()).map_err(to_py::<UVError>)?;
        let for_callback = ends.clone();
        // The Python loop is alive whenever the core loop runs: `run` and `close` hold it.
        let event_loop = Back::new(event_loop);
        let watch = || -> pyuv::Result<()> {
            poll.hide("the loop's wakeup")?;
            poll.set_ref(false)?;
            poll.start_unchecked(Events::READABLE, move |_, _| {
                let signals = for_callback.drain();
                // SAFETY: callbacks run attached, on a loop whose Python object is alive.
                let Some(event_loop) = &(unsafe { event_loop.object() }) else { return };
                let py = event_loop.py();
                if let Err(error) = crate::signals::check(py) {
                    Loop::handle_exception(event_loop, error, None);
                }
                if let Some(listener) = event_loop.get().signal_listener.get(py)
                    && let Err(error) = listener.call1((PyBytes::new(py, &signals),))
                {
                    Loop::handle_exception(event_loop, error, None);
                }
            })
        };
        watch().map_err(to_py::<UVError>)?;
        Ok(Wakeup { poll: Some(poll), ends })
    }

    /// Points Python's wakeup fd here until the guard goes.
    pub fn install<'py>(&self, py: Python<'py>) -> PyResult<Installed<'py>> {
        let ends = self.ends.clone();
        let before = set_wakeup_fd(py, ends.number())?;
        let outer = ends.previous.load(Ordering::Relaxed);
        let was_kept = ends.kept.load(Ordering::Relaxed);
        if !was_kept {
            // Ours itself, where somebody saw it in a callback and set it later: nobody else's.
            let forward_to = if before == ends.number() { -1 } else { before };
            ends.previous.store(forward_to, Ordering::Relaxed);
        }
        ends.runs.fetch_add(1, Ordering::Relaxed);
        Ok(Installed { py, ends, before, outer, was_kept })
    }

    /// Has Python's wakeup fd point here between runs, too, or only during those. Gives its number.
    pub fn keep(&self, py: Python<'_>, kept: bool) -> PyResult<i32> {
        let ends = &self.ends;
        let ours = ends.number();
        let was_kept = ends.kept.load(Ordering::Relaxed);
        if kept || ends.runs.load(Ordering::Relaxed) > 0 {
            let before = set_wakeup_fd(py, ours)?;
            if kept && !was_kept && before != ours {
                ends.previous.store(before, Ordering::Relaxed);
            }
        } else if was_kept {
            set_wakeup_fd(py, ends.previous.swap(-1, Ordering::Relaxed))?;
        }
        ends.kept.store(kept, Ordering::Relaxed);
        Ok(ours)
    }

    /// Gives a forked child a pair of its own under the same numbers: the parent's end would take
    /// the child's signals.
    pub fn fork(&self) -> std::io::Result<()> {
        let (read, write) = UnixStream::pair()?;
        for (new, old) in [(&read, &self.ends.read), (&write, &self.ends.write)] {
            new.set_nonblocking(true)?;
            if !old.is_there() {
                return Err(std::io::Error::from_raw_os_error(libc::EBADF));
            }
            // SAFETY: both fds are open and ours.
            if unsafe { libc::dup3(new.as_raw_fd(), old.as_raw_fd(), libc::O_CLOEXEC) } == -1 {
                return Err(std::io::Error::last_os_error());
            }
            old.take_over();
        }
        Ok(())
    }
}

impl Drop for Wakeup {
    fn drop(&mut self) {
        if let Some(poll) = self.poll.take() {
            // The handle goes before the fds: libuv deregisters by number.
            let ends = self.ends.clone();
            if poll.close(move |_| drop(ends)).is_err() {
                // Closed already, with its loop, or to be closed by the thread that has it.
                pyuv::Handle::from(poll).discard();
            }
        }
    }
}

impl Ends {
    /// The end that signals are written to.
    fn number(&self) -> i32 {
        self.write.as_raw_fd()
    }

    /// Empties the socket, and passes on to the earlier wakeup fd what was meant for it too. Gives the
    /// numbers of the signals.
    fn drain(&self) -> Vec<u8> {
        let mut all = Vec::new();
        let mut signals = [0; 256];
        loop {
            match (&*self.read).read(&mut signals) {
                Ok(0) => return all,
                Ok(count) => {
                    all.extend_from_slice(&signals[..count]);
                    let previous = self.previous.load(Ordering::Relaxed);
                    if previous != -1 {
                        // SAFETY: the buffer is valid for `count`; a full or closed fd is its
                        // owner's affair, as it is for CPython itself.
                        unsafe { libc::write(previous, signals.as_ptr().cast(), count) };
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return all,
            }
        }
    }
}

/// The same socket under a number that no `Poll` of the loop has. One whose fd was closed under it
/// is to learn that, not to get ours.
fn unpolled(core: &pyuv::Loop, socket: UnixStream) -> PyResult<UnixStream> {
    if !core.polls(socket.as_raw_fd()).map_err(to_py::<UVError>)? {
        return Ok(socket);
    }
    // The clone gets another number because this one is still open.
    unpolled(core, socket.try_clone()?)
}

/// Python's wakeup fd is ours.
pub struct Installed<'py> {
    py: Python<'py>,
    ends: Arc<Ends>,
    before: i32,
    outer: i32,
    was_kept: bool,
}

impl Drop for Installed<'_> {
    fn drop(&mut self) {
        let ends = &self.ends;
        ends.runs.fetch_sub(1, Ordering::Relaxed);
        if ends.kept.load(Ordering::Relaxed) {
            return;
        }
        // Where it was kept when this began, what came before that comes back.
        let before = if self.was_kept {
            ends.previous.swap(-1, Ordering::Relaxed)
        } else {
            ends.previous.store(self.outer, Ordering::Relaxed);
            self.before
        };
        if let Err(error) = set_wakeup_fd(self.py, before) {
            // The earlier fd was closed meanwhile: there is nothing to go back to.
            drop(error);
            if let Err(error) = set_wakeup_fd(self.py, -1) {
                error.write_unraisable(self.py, None);
            }
        }
    }
}

/// Looks up now what `Loop.run` needs of the standard library: later there may be no fd to import
/// with.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    setter(module.py()).map(|_| ())
}

fn setter(py: Python<'_>) -> PyResult<&Py<PyAny>> {
    static SET: Once<Py<PyAny>> = Once::new();
    SET.get_or_try_init(py, || {
        PyResult::Ok(py.import("signal")?.getattr("set_wakeup_fd")?.unbind())
    })
}

fn set_wakeup_fd(py: Python<'_>, fd: i32) -> PyResult<i32> {
    let set = setter(py)?;
    let keywords = pyo3::types::PyDict::new(py);
    keywords.set_item(intern!(py, "warn_on_full_buffer"), false)?;
    set.bind(py).call((fd,), Some(&keywords))?.extract()
}
