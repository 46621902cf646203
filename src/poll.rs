//! `uv_poll_t`: waits for an fd of somebody else's.
//!
//! The fd stays its owner's, who closes the handle first and the fd after. One that was closed
//! after `start` is found when the loop next polls (`internals/registration.rs`), and its callback gets
//! `UV_EBADF`.

use std::cell::Cell;
use std::os::raw::c_int;

use libuv_sys2 as uv;

use crate::error::{Code, Error, Result};
use crate::handle::{Handle, Header, dispatch, handle_kind};
use crate::internals::registration;
#[cfg(target_os = "linux")]
use crate::internals::resting;
#[cfg(unix)]
use crate::lent::Lent;
use crate::r#loop::{Held, Loop};
use crate::places;

bitflags::bitflags! {
    /// What a [`Poll`] waits for, and what it saw (`uv_poll_event`).
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct Events: i32 {
        /// `UV_READABLE`
        const READABLE = uv::uv_poll_event_UV_READABLE as i32;
        /// `UV_WRITABLE`
        const WRITABLE = uv::uv_poll_event_UV_WRITABLE as i32;
        /// `UV_DISCONNECT`
        const DISCONNECT = uv::uv_poll_event_UV_DISCONNECT as i32;
        /// `UV_PRIORITIZED`
        const PRIORITIZED = uv::uv_poll_event_UV_PRIORITIZED as i32;
    }
}

/// An fd or, on Windows, a socket.
pub type Fd = uv::uv_os_sock_t;

/// Has its callback called when an fd is readable or writable (`uv_poll_t`).
///
/// One `Poll` per fd and loop: a second fails with `UV_EEXIST`. Close it before the fd.
#[repr(transparent)]
pub struct Poll(Handle);

type Callback = Box<dyn FnMut(&Poll, Result<Events>) + Send>;

/// What a `Poll` knows beside libuv's struct.
pub struct Watched {
    fd: Fd,
    /// What it waits for; nothing when it is stopped.
    wanted: Cell<Events>,
    /// The kernel has refused to wait for the fd.
    lost: Cell<bool>,
    /// How the fd is to be given back.
    #[cfg(unix)]
    lent: Cell<Option<Lent>>,
}

impl Watched {
    fn error(&self, code: Code) -> Error {
        Error::new(code, format!("fd {}", self.fd))
    }

    /// Whether somebody has the descriptor open.
    fn is_open(&self) -> bool {
        #[cfg(unix)]
        return places::is_open(self.fd);
        #[cfg(not(unix))]
        false
    }
}

// SAFETY: the struct is transparent over a Handle, made by `create` alone, with `uv_poll_init_socket`.
handle_kind!(unsafe Poll, uv::uv_poll_t, Callback, Watched {
    fn before_close(&self, held: &Held) {
        let _ = held;
        #[cfg(unix)]
        if let Some(lent) = self.watched(held).lent.take() {
            lent.give_back(self.watched(held).fd);
        }
    }

    fn fd_lost(&self, held: &Held, code: Code) {
        let watched = self.watched(held);
        watched.lost.set(true);
        watched.wanted.set(Events::empty());
        // SAFETY: the handle is open, a Poll, and its loop is ours, which runs callbacks.
        unsafe {
            uv::uv_poll_stop(self.uv());
            dispatch::<Poll>(self.uv(), |callback, poll, _| callback(poll, Err(watched.error(code))));
        }
    }
});

impl Poll {
    /// A new, inactive handle for `fd`, which becomes non-blocking until the handle is closed (`uv_poll_init_socket`).
    ///
    /// Fails with `UV_EBADF` for what is not open, `UV_EPERM` for what cannot be waited for
    /// (regular files), `UV_EEXIST` for what is being waited for on this loop.
    pub fn new(event_loop: &Loop, fd: Fd) -> Result<Poll> {
        Error::check(if i64::from(fd) < 0 { Code::EBADF.0 } else { 0 }, format_args!("fd {fd}"))?;
        let watched = Watched {
            fd,
            wanted: Cell::new(Events::empty()),
            lost: Cell::new(false),
            #[cfg(unix)]
            lent: Cell::new(None),
        };
        event_loop.enter()?.make_way(fd);
        #[cfg(unix)]
        let lent = Lent::of(fd);
        let made: Result<Poll> = Handle::create(event_loop, watched, "", |event_loop, handle| {
            // SAFETY: the loop is open and ours; the handle's memory is its own.
            unsafe { uv::uv_poll_init_socket(event_loop, handle, fd) }
        })
        .map_err(|error| error.about(format_args!("fd {fd}")));
        #[cfg(unix)]
        match (&made, lent) {
            (Ok(poll), lent) => poll.watched(&*poll.hold()?).lent.set(lent),
            (Err(_), Some(lent)) => lent.give_back(fd),
            (Err(_), None) => {}
        }
        made
    }

    /// The fd.
    pub fn fileno(&self) -> Result<Fd> {
        let entered = self.enter()?;
        Ok(self.watched(&entered).fd)
    }

    /// Has `callback` called when one of `events` is there (`uv_poll_start`). On an active handle
    /// this replaces events and callback.
    ///
    /// Fails with `UV_EBADF` when the fd has been closed. When that happens later the callback
    /// gets the error and the handle stops.
    pub fn start(
        &self,
        events: Events,
        callback: impl FnMut(&Poll, Result<Events>) + Send + 'static,
    ) -> Result<()> {
        let entered = self.enter()?;
        let watched = self.watched(&entered);
        places::check_open(watched.fd)?;
        if watched.lost.get() {
            // Its callback may be restarting it, without end if nothing has changed.
            let status = registration::status(&entered, watched.fd);
            Error::check(status, format_args!("fd {}", watched.fd))?;
            watched.lost.set(false);
        }
        self.start_unchecked(events, callback)
    }

    /// [`start`](Poll::start) for an fd that the caller opened and closes only after this handle:
    /// spares two system calls. If the fd is closed first, libuv aborts the process.
    pub fn start_unchecked(
        &self,
        events: Events,
        callback: impl FnMut(&Poll, Result<Events>) + Send + 'static,
    ) -> Result<()> {
        let entered = self.enter()?;
        // SAFETY: the handle is a Poll.
        unsafe { self.set_callback::<Poll>(&entered, Box::new(callback)) };
        self.set_events(events)
    }

    /// Changes what an active handle waits for, and keeps its callback; for an fd as in
    /// [`start_unchecked`](Poll::start_unchecked).
    pub fn set_events(&self, events: Events) -> Result<()> {
        let entered = self.enter()?;
        let (watched, events) = (self.watched(&entered), events & Events::all());
        watched.wanted.set(events);
        #[cfg(target_os = "linux")]
        // SAFETY: the handle is open, a Poll, and its loop is ours; its callback is the one below.
        if unsafe { resting::set(&entered, self.uv(), events) } {
            return Ok(());
        }
        // SAFETY: as above; libuv knows all the flags.
        let status = unsafe { uv::uv_poll_start(self.uv(), events.bits(), Some(trampoline)) };
        Error::check(status, format_args!("fd {}", watched.fd)).map(drop)
    }

    /// Waits no more (`uv_poll_stop`). On Linux the kernel learns of it when the loop next polls, unless the
    /// handle has been started again by then: who stops and starts it for each answer pays for one call.
    pub fn stop(&self) -> Result<()> {
        let entered = self.enter()?;
        self.watched(&entered).wanted.set(Events::empty());
        #[cfg(target_os = "linux")]
        // SAFETY: the handle is open, a Poll, and its loop is ours.
        if unsafe { resting::set(&entered, self.uv(), Events::empty()) } {
            return Ok(());
        }
        // SAFETY: as above.
        unsafe { uv::uv_poll_stop(self.uv()) };
        Ok(())
    }

    fn watched<'a>(&'a self, held: &'a Held) -> &'a Watched {
        // SAFETY: this handle is a Poll.
        unsafe { self.extra::<Poll>(held) }
    }
}

unsafe extern "C" fn trampoline(handle: *mut uv::uv_poll_t, status: c_int, events: c_int) {
    // SAFETY: libuv gives the handle that this was started with.
    unsafe {
        dispatch::<Poll>(handle, |callback, poll, held| {
            let watched = poll.watched(held);
            let wanted = watched.wanted.get();
            if wanted.is_empty() {
                // It was stopped after the kernel had told of the event.
                return;
            }
            let mut outcome = Code::check(status).map(|_| Events::from_bits_truncate(events));
            if outcome.is_err() {
                // libuv says so of every error that epoll tells of, such as that of a connection which was
                // refused, and has stopped the handle.
                watched.wanted.set(Events::empty());
                if watched.is_open() && poll.set_events(wanted).is_ok() {
                    // Whoever asks the descriptor is told which error it is.
                    outcome = Ok(Events::READABLE | Events::WRITABLE);
                }
            }
            callback(poll, outcome.map_err(|code| watched.error(code)));
        });
    }
}

impl Loop {
    /// Whether an active `Poll` of this loop has the number `fd`, its owner's or, where that was
    /// closed too early, anybody's by now.
    pub fn polls(&self, fd: Fd) -> Result<bool> {
        let entered = self.enter()?;
        let mut found = false;
        entered.for_each_handle(|header: &Header| {
            let handle = header.to_handle();
            found |= header.is_open()
                && header.is_active()
                && handle
                    .downcast_ref::<Poll>()
                    .is_some_and(|poll| poll.watched(&entered).fd == fd);
        });
        Ok(found)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Write;
    use std::os::fd::{AsRawFd, IntoRawFd};
    use std::os::unix::net::UnixStream;
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::RunMode;

    type Seen = Arc<Mutex<Vec<Result<Events>>>>;

    fn note(seen: &Seen) -> impl FnMut(&Poll, Result<Events>) + Send + use<> {
        let seen = seen.clone();
        move |poll, outcome| {
            seen.lock().unwrap().push(outcome);
            if !poll.is_closing() {
                poll.close(|_| ()).unwrap();
            }
        }
    }

    #[test]
    fn reports_what_is_readable() {
        let event_loop = Loop::new().unwrap();
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let poll = Poll::new(&event_loop, ours.as_raw_fd()).unwrap();
        assert_eq!(poll.fileno(), Ok(ours.as_raw_fd()));
        let seen = Seen::default();
        poll.start(Events::READABLE, note(&seen)).unwrap();
        theirs.write_all(b"x").unwrap();
        event_loop.run(RunMode::Default).unwrap();
        assert_eq!(*seen.lock().unwrap(), [Ok(Events::READABLE)]);
    }

    #[test]
    fn a_closed_fd_is_refused() {
        let event_loop = Loop::new().unwrap();
        let (ours, _theirs) = UnixStream::pair().unwrap();
        // A number that no other test is given meanwhile: the system gives the lowest.
        let ours = places::duplicate(ours.as_raw_fd(), 690).unwrap();
        let fd = ours.as_raw_fd();
        let poll = Poll::new(&event_loop, fd).unwrap();
        drop(ours);
        let error = poll.start(Events::READABLE, |_, _| ()).unwrap_err();
        assert_eq!(error, Error::new(Code::EBADF, format!("fd {fd}")));
        assert_eq!(Poll::new(&event_loop, -1).unwrap_err().code(), Some(Code::EBADF));
    }

    #[test]
    fn an_fd_closed_before_the_loop_polls_is_an_error_not_an_abort() {
        let event_loop = Loop::new().unwrap();
        let (ours, _theirs) = UnixStream::pair().unwrap();
        // A number that no other test is given meanwhile: the system gives the lowest.
        let ours = places::duplicate(ours.as_raw_fd(), 700).unwrap();
        let fd = ours.as_raw_fd();
        let poll = Poll::new(&event_loop, fd).unwrap();
        let seen = Seen::default();
        poll.start(Events::READABLE, note(&seen)).unwrap();
        drop(ours);
        event_loop.run(RunMode::Default).unwrap();
        assert_eq!(*seen.lock().unwrap(), [Err(Error::new(Code::EBADF, format!("fd {fd}")))]);
    }

    #[test]
    fn an_fd_that_becomes_a_file_before_the_loop_polls_is_an_error_not_an_abort() {
        let event_loop = Loop::new().unwrap();
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let file = std::fs::File::open("/etc/passwd").unwrap();
        let fd = ours.into_raw_fd();
        let poll = Poll::new(&event_loop, fd).unwrap();
        let seen = Seen::default();
        poll.start(Events::READABLE, note(&seen)).unwrap();
        // SAFETY: both fds are open and this test's own.
        assert_eq!(unsafe { libc::dup2(file.as_raw_fd(), fd) }, fd);
        event_loop.run(RunMode::Default).unwrap();
        assert_eq!(*seen.lock().unwrap(), [Err(Error::new(Code::EPERM, format!("fd {fd}")))]);
        // SAFETY: the fd is this test's own.
        unsafe { libc::close(fd) };
    }

    #[test]
    fn regular_files_and_second_watchers_are_refused() {
        let event_loop = Loop::new().unwrap();
        let file = std::fs::File::open("/etc/passwd").unwrap();
        assert_eq!(Poll::new(&event_loop, file.as_raw_fd()).unwrap_err().code(), Some(Code::EPERM));
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let first = Poll::new(&event_loop, ours.as_raw_fd()).unwrap();
        first.start(Events::READABLE, |_, _| ()).unwrap();
        assert_eq!(
            Poll::new(&event_loop, ours.as_raw_fd()).unwrap_err().code(),
            Some(Code::EEXIST)
        );
    }

    #[test]
    fn a_handle_closed_before_the_loop_polls_is_forgotten() {
        let event_loop = Loop::new().unwrap();
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let poll = Poll::new(&event_loop, ours.as_raw_fd()).unwrap();
        poll.start(Events::READABLE, |_, _| panic!("called")).unwrap();
        poll.close(|_| ()).unwrap();
        drop(poll);
        assert_eq!(event_loop.run(RunMode::Default), Ok(false));
        assert_eq!(event_loop.run(RunMode::Default), Ok(false));
    }

    #[test]
    fn a_number_that_comes_again_is_waited_for_with_the_same_events() {
        let event_loop = Loop::new().unwrap();
        let (first, _peer) = UnixStream::pair().unwrap();
        let first = places::duplicate(first.as_raw_fd(), 710).unwrap();
        let number = first.as_raw_fd();
        let poll = Poll::new(&event_loop, number).unwrap();
        poll.start(Events::READABLE, |_, _| panic!("nothing to read")).unwrap();
        event_loop.run(RunMode::NoWait).unwrap();
        poll.stop().unwrap();
        drop(first);
        let (second, mut peer) = UnixStream::pair().unwrap();
        let second = places::duplicate(second.as_raw_fd(), number).unwrap();
        assert_eq!(second.as_raw_fd(), number);
        let seen = Seen::default();
        poll.start(Events::READABLE, note(&seen)).unwrap();
        peer.write_all(b"x").unwrap();
        event_loop.run(RunMode::Default).unwrap();
        assert_eq!(*seen.lock().unwrap(), [Ok(Events::READABLE)]);
    }

    #[test]
    fn a_number_of_a_poll_at_rest_is_another_handle_s() {
        let event_loop = Loop::new().unwrap();
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let ours = places::duplicate(ours.as_raw_fd(), 720).unwrap();
        let number = ours.as_raw_fd();
        let poll = Poll::new(&event_loop, number).unwrap();
        poll.start(Events::READABLE, |_, _| panic!("stopped")).unwrap();
        event_loop.run(RunMode::NoWait).unwrap();
        poll.stop().unwrap();
        let other = Poll::new(&event_loop, number).unwrap();
        let seen = Seen::default();
        other.start(Events::READABLE, note(&seen)).unwrap();
        theirs.write_all(b"x").unwrap();
        event_loop.run(RunMode::Default).unwrap();
        assert_eq!(*seen.lock().unwrap(), [Ok(Events::READABLE)]);
    }

    #[test]
    fn one_that_was_stopped_after_the_kernel_told_hears_nothing() {
        let event_loop = Loop::new().unwrap();
        let pairs: Vec<_> = (0..2).map(|_| UnixStream::pair().unwrap()).collect();
        let polls: Arc<Vec<Poll>> = Arc::new(
            pairs
                .iter()
                .map(|(ours, _)| Poll::new(&event_loop, ours.as_raw_fd()).unwrap())
                .collect(),
        );
        let seen = Arc::new(Mutex::new(0));
        for poll in polls.iter() {
            let (polls, seen) = (polls.clone(), seen.clone());
            poll.start(Events::READABLE, move |_, _| {
                *seen.lock().unwrap() += 1;
                polls.iter().for_each(|poll| poll.stop().unwrap());
            })
            .unwrap();
        }
        // Both hang up, which libuv tells whoever waits for anything.
        let _ours: Vec<_> = pairs.into_iter().map(|(ours, _theirs)| ours).collect();
        event_loop.run(RunMode::Default).unwrap();
        assert_eq!(*seen.lock().unwrap(), 1);
        // Their callbacks hold them, and live as long as they.
        polls.iter().for_each(|poll| poll.close(|_| ()).unwrap());
        event_loop.run(RunMode::Default).unwrap();
    }

    #[test]
    fn an_error_that_epoll_tells_of_is_the_descriptor_s_to_tell() {
        let event_loop = Loop::new().unwrap();
        let (reader, writer) = std::io::pipe().unwrap();
        let poll = Poll::new(&event_loop, writer.as_raw_fd()).unwrap();
        let seen = Seen::default();
        poll.start(Events::DISCONNECT, note(&seen)).unwrap();
        // POLLERR, for whoever writes to it.
        drop(reader);
        event_loop.run(RunMode::Default).unwrap();
        assert_eq!(*seen.lock().unwrap(), [Ok(Events::READABLE | Events::WRITABLE)]);
    }
}
