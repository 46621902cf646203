//! `flags` and `io_watcher` of a `uv_poll_t`: stopping and starting one without a system call.
//!
//! `uv_poll_stop` and `uv_poll_start` (`unix/poll.c` of 1.53) tell the kernel at once, each time, and a program
//! that waits for one answer after another pays for both each time. Here a poll that is stopped rests: libuv's
//! table keeps it, with nothing that it waits for, until the kernel is told before the next poll
//! (`registration.rs`), unless it was started again by then.
//!
//! A number that a resting poll has may be somebody else's by now. Whoever brings the loop a descriptor has
//! [`let_go`] called first; a descriptor of libuv's own making gets its place in the table when it is registered.

use std::os::raw::c_uint;

use libuv_sys2 as uv;

use super::registration::{enqueue, is_queued, place_of};
use crate::r#loop::Held;
use crate::poll::{Events, Fd};

/// `UV_HANDLE_ACTIVE`, `UV_HANDLE_REF` (`uv-common.h`).
const ACTIVE: c_uint = 4;
const REFERENCED: c_uint = 8;

/// Has a poll wait for `events`, or rest if there are none. `false` where libuv has to: for one that it has not
/// started before, or has stopped.
///
/// # Safety
/// The handle is an open `uv_poll_t` of the loop that is held.
pub(crate) unsafe fn set(held: &Held, poll: *mut uv::uv_poll_t, events: Events) -> bool {
    // SAFETY: the caller says so. It is what libuv does in `uv__handle_start` and `uv__handle_stop`, and for
    // its watcher but for the table and the kernel. The kernel is told even if the events are what it knows:
    // the number may be another file's by now.
    unsafe {
        let watcher = &raw mut (*poll).io_watcher;
        let place = place_of(held.uv(), (*watcher).fd);
        if held.uses_io_uring() || place.is_none_or(|place| *place != watcher) {
            return false;
        }
        (*watcher).pevents = bits(events);
        if !is_queued(watcher) {
            enqueue(held, watcher);
        }
        let rests = events.is_empty();
        if ((*poll).flags & ACTIVE == 0) != rests {
            (*poll).flags ^= ACTIVE;
            let active = &raw mut (*held.uv()).active_handles;
            match (*poll).flags & REFERENCED {
                0 => {}
                _ if rests => *active -= 1,
                _ => *active += 1,
            }
        }
        if rests {
            held.resting.set(true);
        }
    }
    true
}

/// Has a poll at rest leave the number `fd` to another handle.
pub(crate) fn let_go(held: &Held, fd: Fd) {
    if !held.resting.get() {
        return;
    }
    // SAFETY: the caller owns the loop, which is open. A watcher that is in the table without anything to
    // wait for is that of a poll at rest, an open handle.
    unsafe {
        let Some(place) = place_of(held.uv(), fd) else { return };
        let watcher = *place;
        if !watcher.is_null() && (*watcher).pevents == 0 {
            let offset = std::mem::offset_of!(uv::uv_poll_t, io_watcher);
            uv::uv_poll_stop(watcher.byte_sub(offset).cast());
        }
    }
}

/// What the kernel calls the events.
fn bits(events: Events) -> c_uint {
    let names = [
        (Events::READABLE, libc::EPOLLIN),
        (Events::WRITABLE, libc::EPOLLOUT),
        (Events::DISCONNECT, libc::EPOLLRDHUP),
        (Events::PRIORITIZED, libc::EPOLLPRI),
    ];
    let wanted = names.into_iter().filter(|(event, _)| events.contains(*event));
    wanted.fold(0, |bits, (_, name)| bits | name as c_uint)
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    use super::*;
    use crate::{Loop, Poll, RunMode};

    #[test]
    fn what_libuv_would_do_is_what_it_finds() {
        let event_loop = Loop::new().unwrap();
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let poll = Poll::new(&event_loop, ours.as_raw_fd()).unwrap();
        let held = event_loop.hold().unwrap();
        let seen = || {
            // SAFETY: the handle is open, a Poll, and its loop is this thread's.
            unsafe {
                let raw: *mut uv::uv_poll_t = poll.uv();
                let watcher = (*raw).io_watcher;
                ((*raw).flags, watcher.pevents, (*held.uv()).active_handles, (*held.uv()).nfds)
            }
        };
        let all = [Events::READABLE, Events::WRITABLE | Events::DISCONNECT, Events::all()];
        let at_rest = seen();
        for events in all {
            poll.start(events, |_, _| ()).unwrap();
            let by_libuv = seen();
            // SAFETY: as above.
            unsafe {
                assert!(set(&held, poll.uv(), Events::empty()));
                assert_eq!((seen().0, seen().1, seen().2), (at_rest.0, at_rest.1, at_rest.2));
                assert!(set(&held, poll.uv(), events));
                assert_eq!(seen(), by_libuv);
                assert!(set(&held, poll.uv(), Events::empty()));
                uv::uv_poll_stop(poll.uv());
            }
            assert_eq!(seen(), at_rest);
        }
        drop(held);
        poll.close(|_| ()).unwrap();
        event_loop.run(RunMode::Default).unwrap();
        event_loop.close().unwrap();
    }
}
