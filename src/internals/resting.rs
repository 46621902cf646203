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

use super::registration::{enqueue, is_queued};
use crate::r#loop::Held;
use crate::poll::{Events, Fd};

/// `UV_HANDLE_ACTIVE`, `UV_HANDLE_REF` (`uv-common.h`).
const ACTIVE: c_uint = 4;
const REFERENCED: c_uint = 8;

/// Whether libuv's table has the poll, at rest or not.
///
/// # Safety
/// The handle is an initialised `uv_poll_t` of the loop that is held.
unsafe fn is_known(held: &Held, poll: *mut uv::uv_poll_t) -> bool {
    // SAFETY: the caller says so; the table has `nwatchers` entries.
    unsafe {
        let (event_loop, watcher) = (held.uv(), &raw mut (*poll).io_watcher);
        let fd = (*watcher).fd as c_uint;
        fd < (*event_loop).nwatchers && *(*event_loop).watchers.add(fd as usize) == watcher
    }
}

/// Stops a poll. `false` where libuv has to.
///
/// # Safety
/// The handle is an open `uv_poll_t` of the loop that is held.
pub(crate) unsafe fn stop(held: &Held, poll: *mut uv::uv_poll_t) -> bool {
    // SAFETY: the caller says so. What libuv does itself in `uv__handle_stop`, and for its watcher but
    // for the table and the kernel.
    unsafe {
        if held.uses_io_uring() || !is_known(held, poll) {
            return false;
        }
        (*poll).io_watcher.pevents = 0;
        if !is_queued(&raw mut (*poll).io_watcher) {
            enqueue(held, &raw mut (*poll).io_watcher);
        }
        if (*poll).flags & ACTIVE != 0 {
            (*poll).flags &= !ACTIVE;
            if (*poll).flags & REFERENCED != 0 {
                (*held.uv()).active_handles -= 1;
            }
        }
        held.resting.set(true);
    }
    true
}

/// Starts one that libuv has started before, and that was not stopped or rests. `false` where libuv has to.
///
/// # Safety
/// As for [`stop`].
pub(crate) unsafe fn start(held: &Held, poll: *mut uv::uv_poll_t, events: Events) -> bool {
    // SAFETY: as above, for `uv__handle_start`. The kernel is told even if the events are what it knows: the
    // number may be another file's by now.
    unsafe {
        if events.is_empty() || !is_known(held, poll) || held.uses_io_uring() {
            return false;
        }
        (*poll).io_watcher.pevents = bits(events);
        if !is_queued(&raw mut (*poll).io_watcher) {
            enqueue(held, &raw mut (*poll).io_watcher);
        }
        if (*poll).flags & ACTIVE == 0 {
            (*poll).flags |= ACTIVE;
            if (*poll).flags & REFERENCED != 0 {
                (*held.uv()).active_handles += 1;
            }
        }
    }
    true
}

/// Has a poll at rest leave the number `fd` to another handle.
pub(crate) fn let_go(held: &Held, fd: Fd) {
    if !held.resting.get() || fd < 0 {
        return;
    }
    // SAFETY: the caller owns the loop, which is open. A watcher that is in the table without anything to
    // wait for is that of a poll at rest, an open handle.
    unsafe {
        let event_loop = held.uv();
        if fd as c_uint >= (*event_loop).nwatchers {
            return;
        }
        let watcher = *(*event_loop).watchers.add(fd as usize);
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
                assert!(stop(&held, poll.uv()));
                assert_eq!((seen().0, seen().1, seen().2), (at_rest.0, at_rest.1, at_rest.2));
                assert!(start(&held, poll.uv(), events));
                assert_eq!(seen(), by_libuv);
                assert!(stop(&held, poll.uv()));
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
