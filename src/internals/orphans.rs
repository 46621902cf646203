//! What epoll tells of files that nobody waits for any more.
//!
//! epoll forgets a file when its last descriptor is closed. Where somebody else has another one, as a child has
//! that was started meanwhile, a descriptor that is closed before the kernel was told to wait no more leaves its
//! file in the epoll for good, under a number that is nobody's or another file's by now: libuv (`uv__io_poll` in
//! `unix/linux.c` of 1.53) would be woken by it for ever.
//!
//! So each event carries how often its number was added, in the half of its data that libuv does not look at.
//! One whose number was added again, or cannot be taken out, is an orphan's, and the loop goes on with a new
//! epoll under the old one's number. Nobody looks before something has gone wrong when the kernel was told.

use std::cell::{Cell, RefCell};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::raw::{c_int, c_uint};

use super::own_fds::Own;
use super::registration;
use crate::r#loop::Held;

#[derive(Default)]
pub(crate) struct Orphans {
    /// There may be some.
    suspected: Cell<bool>,
    /// How often each number was added.
    added: RefCell<Vec<u32>>,
}

impl Orphans {
    /// The data of the event by which the kernel tells of a number, which is being added or only changed.
    pub(super) fn data(&self, fd: c_int, adds: bool) -> u64 {
        let (mut added, place) = (self.added.borrow_mut(), fd as usize);
        if added.len() <= place {
            added.resize(place + 1, 0);
        }
        if adds {
            added[place] = added[place].wrapping_add(1);
        }
        u64::from(added[place]) << 32 | u64::from(fd as c_uint)
    }

    /// A file may have been left in the epoll.
    pub(super) fn suspect(&self) {
        self.suspected.set(true);
    }

    /// Whether it is worth to [`sift`].
    #[inline]
    pub(super) fn are_suspected(&self) -> bool {
        self.suspected.get()
    }

    fn is_current(&self, data: u64) -> bool {
        let fd = data as u32 as usize;
        self.added.borrow().get(fd).is_some_and(|added| u64::from(*added) == data >> 32)
    }
}

/// Takes the events of orphans out of what epoll has found, and gives how many are left.
///
/// # Safety
/// There are `count` events of the loop's epoll, whose numbers are in libuv's table, and the loop runs on this
/// thread without io_uring.
#[cold]
pub(super) unsafe fn sift(held: &Held, events: *mut libc::epoll_event, count: c_int) -> c_int {
    let mut left = 0;
    // SAFETY: the caller says so; the struct may be packed.
    unsafe {
        let event_loop = held.uv();
        for index in 0..count as usize {
            let event = events.add(index).read_unaligned();
            let (data, fd) = (event.u64, event.u64 as u32 as c_int);
            let place = registration::place_of(event_loop, fd);
            let is_ours = if place.is_some_and(|place| !(*place).is_null()) {
                held.orphans.is_current(data)
            } else {
                // libuv has done with it, and leaves it to the first event to take it out.
                registration::take_out(held, fd)
            };
            if is_ours {
                events.add(left).write_unaligned(event);
                left += 1;
            }
        }
        if left < count as usize {
            renew(held);
        }
    }
    left as c_int
}

/// Has the loop go on with a new epoll, which knows of what is waited for and of nothing else. Where the system
/// has none to give it goes on as it is.
///
/// # Safety
/// As for [`sift`].
unsafe fn renew(held: &Held) {
    // SAFETY: the new descriptor is ours, and takes the number of one of the loop's own.
    unsafe {
        let new = libc::epoll_create1(libc::EPOLL_CLOEXEC);
        if new == -1 {
            return;
        }
        let (new, backend) = (OwnedFd::from_raw_fd(new), (*held.uv()).backend_fd);
        if !held.own_fds.has(Own::Backend, backend)
            || libc::dup3(new.as_raw_fd(), backend, libc::O_CLOEXEC) == -1
        {
            return;
        }
        held.own_fds.mark(Own::Backend, backend);
        registration::register_again(held);
    }
    held.orphans.suspected.set(false);
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixStream;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;
    use crate::{Check, Events, Loop, Poll, RunMode, Timer, places};

    /// A poll that has been polled, stopped, and whose descriptor is closed, while somebody else has the file
    /// with something to read; and the number.
    fn orphan(event_loop: &Loop, number: c_int) -> (Poll, UnixStream, UnixStream) {
        let (kept, mut theirs) = UnixStream::pair().unwrap();
        let ours = places::duplicate(kept.as_raw_fd(), number).unwrap();
        assert_eq!(ours.as_raw_fd(), number);
        let poll = Poll::new(event_loop, number).unwrap();
        poll.start(Events::READABLE, |_, _| panic!("nothing to read yet")).unwrap();
        event_loop.run(RunMode::NoWait).unwrap();
        poll.stop().unwrap();
        drop(ours);
        theirs.write_all(b"x").unwrap();
        (poll, kept, theirs)
    }

    /// Runs the loop for a while, and gives how often it has polled.
    fn polls(event_loop: &Loop) -> usize {
        let count = Arc::new(AtomicUsize::new(0));
        let check = Check::new(event_loop).unwrap();
        let counted = count.clone();
        check
            .start(move |_| {
                counted.fetch_add(1, Ordering::Relaxed);
            })
            .unwrap();
        check.set_ref(false).unwrap();
        let timer = Timer::new(event_loop).unwrap();
        timer.start(Duration::from_millis(50), Duration::ZERO, |_| ()).unwrap();
        event_loop.run(RunMode::Default).unwrap();
        check.close(|_| ()).unwrap();
        timer.close(|_| ()).unwrap();
        event_loop.run(RunMode::NoWait).unwrap();
        count.load(Ordering::Relaxed)
    }

    #[test]
    fn a_file_that_somebody_else_holds_does_not_wake_the_loop() {
        let event_loop = Loop::new().unwrap();
        let (_poll, _kept, _theirs) = orphan(&event_loop, 820);
        assert!(polls(&event_loop) < 10);
        assert!(!event_loop.hold().unwrap().orphans.are_suspected());
    }

    #[test]
    fn nor_is_it_taken_for_who_has_its_number() {
        let event_loop = Loop::new().unwrap();
        let (poll, _kept, _theirs) = orphan(&event_loop, 821);
        let (other, mut peer) = UnixStream::pair().unwrap();
        let _other = places::duplicate(other.as_raw_fd(), 821).unwrap();
        let seen = Arc::new(AtomicUsize::new(0));
        let count = seen.clone();
        poll.start(Events::READABLE, move |poll, outcome| {
            assert_eq!(outcome, Ok(Events::READABLE));
            count.fetch_add(1, Ordering::Relaxed);
            poll.stop().unwrap();
        })
        .unwrap();
        poll.set_ref(false).unwrap();
        assert!(polls(&event_loop) < 10);
        assert_eq!(seen.load(Ordering::Relaxed), 0);
        poll.set_ref(true).unwrap();
        peer.write_all(b"y").unwrap();
        event_loop.run(RunMode::Once).unwrap();
        assert_eq!(seen.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn the_others_are_waited_for_all_the_same() {
        let event_loop = Loop::new().unwrap();
        let (other, mut peer) = UnixStream::pair().unwrap();
        let watcher = Poll::new(&event_loop, other.as_raw_fd()).unwrap();
        watcher
            .start(Events::READABLE, |poll, outcome| {
                assert_eq!(outcome, Ok(Events::READABLE));
                poll.close(|_| ()).unwrap();
            })
            .unwrap();
        let (_poll, _kept, _theirs) = orphan(&event_loop, 822);
        watcher.set_ref(false).unwrap();
        assert!(polls(&event_loop) < 10);
        watcher.set_ref(true).unwrap();
        peer.write_all(b"y").unwrap();
        assert_eq!(event_loop.run(RunMode::Default), Ok(false));
        // Another thread can wake it still.
        let sender =
            crate::Async::new(&event_loop, |handle| handle.close(|_| ()).unwrap()).unwrap();
        let sender = Arc::new(sender);
        let other_thread = sender.clone();
        let thread = std::thread::spawn(move || other_thread.send().unwrap());
        assert_eq!(event_loop.run(RunMode::Default), Ok(false));
        thread.join().unwrap();
    }
}
