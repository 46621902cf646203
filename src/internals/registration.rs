//! `watcher_queue`, `watchers` and `nfds`: telling the kernel which descriptors the loop waits for, before libuv
//! does.
//!
//! libuv tells it at the beginning of the poll phase, and aborts the process where the kernel
//! refuses: for a descriptor that somebody closed behind its handle's back, and whose number may
//! be that of a regular file by now. So what it has queued for that is looked at just before, and
//! a refusal becomes an error of the handle ([`Kind::fd_lost`](crate::handle::Kind::fd_lost)).
//!
//! On Linux the descriptor is registered here, exactly as `uv__io_poll` in `unix/linux.c` of 1.53
//! would, and libuv finds nothing left to do: a question of its own would cost a system call for
//! each.

use std::os::raw::{c_int, c_uint};
use std::ptr::{self, NonNull};

use libuv_sys2 as uv;

use crate::error::Code;
use crate::handle::Header;
use crate::r#loop::Held;
#[cfg(all(unix, not(target_os = "linux")))]
use crate::places;
use crate::poll::Fd;

/// Registers what is queued, and has the handles told whose descriptors cannot be.
pub(crate) fn register(held: &Held) {
    #[cfg(target_os = "linux")]
    if held.resting.take() {
        // SAFETY: the caller owns the loop, which is open.
        unsafe { take_out_resting(held) };
    }
    // A handle that is told may start others, or close them.
    while let Some((watcher, code)) = register_until_refused(held) {
        if let Some(header) = find(held, watcher) {
            // SAFETY: a handle found on the loop is alive; its memory is freed in the poll phase
            // at the earliest.
            unsafe { header.as_ref() }.fd_lost(code);
        }
    }
}

/// The watcher that was refused, which libuv has forgotten then, and why.
fn register_until_refused(held: &Held) -> Option<(*mut uv::uv__io_t, Code)> {
    // SAFETY: the caller owns the loop, which is open. The queue is a circle of fields of
    // watchers, each part of a handle on this loop or of the loop itself; nothing runs meanwhile
    // that could change it.
    unsafe {
        let event_loop = held.uv();
        let head = &raw mut (*event_loop).watcher_queue;
        let mut entry = (*head).next;
        while entry != head {
            let next = (*entry).next;
            let watcher = of_queue(entry);
            #[cfg(target_os = "linux")]
            take_place(event_loop, watcher);
            match try_register(held, watcher) {
                Ok(true) => {
                    (*watcher).events = (*watcher).pevents;
                    unlink(entry);
                }
                Ok(false) => {}
                Err(_) if watcher == &raw mut (*event_loop).async_io_watcher => {
                    unlink(entry);
                    held.own_fds.look(event_loop);
                    held.stop();
                }
                Err(code) => {
                    forget(event_loop, watcher);
                    return Some((watcher, code));
                }
            }
            entry = next;
        }
        None
    }
}

/// Tells the kernel of polls that were stopped and not started again (`resting.rs`), before anybody else's
/// descriptor of the same number is registered.
///
/// # Safety
/// The loop is open and the caller's.
#[cfg(target_os = "linux")]
unsafe fn take_out_resting(held: &Held) {
    // SAFETY: the caller says so; the queue is as for `register_until_refused`.
    unsafe {
        let event_loop = held.uv();
        let head = &raw mut (*event_loop).watcher_queue;
        let mut entry = (*head).next;
        while entry != head {
            let watcher = of_queue(entry);
            entry = (*entry).next;
            if (*watcher).pevents != 0 {
                continue;
            }
            if (*watcher).events != 0 && !take_out(held, (*watcher).fd) {
                held.orphans.suspect();
            }
            forget(event_loop, watcher);
        }
    }
}

/// Gives a watcher its place in libuv's table, if it has found a poll at rest there.
///
/// # Safety
/// As for `try_register`.
#[cfg(target_os = "linux")]
unsafe fn take_place(event_loop: *mut uv::uv_loop_t, watcher: *mut uv::uv__io_t) {
    // SAFETY: the caller says so.
    unsafe {
        if let Some(place) = place_of(event_loop, (*watcher).fd)
            && (*place).is_null()
        {
            *place = watcher;
            (*event_loop).nfds += 1;
        }
    }
}

/// Registers everything that the loop waits for with an epoll that knows of nothing yet.
///
/// # Safety
/// The loop is open and the caller's, and does not use io_uring.
#[cfg(target_os = "linux")]
pub(super) unsafe fn register_again(held: &Held) {
    // SAFETY: the caller says so; the table has `nwatchers` entries, which are null or watchers.
    unsafe {
        let event_loop = held.uv();
        for fd in 0..(*event_loop).nwatchers {
            let watcher = *(*event_loop).watchers.add(fd as usize);
            if watcher.is_null() || (*watcher).events == 0 {
                continue;
            }
            (*watcher).events = 0;
            if try_register(held, watcher).is_ok() {
                (*watcher).events = (*watcher).pevents;
            } else if !is_queued(watcher) {
                // Its handle is told before the next poll.
                enqueue(held, watcher);
            }
        }
    }
}

/// Whether the kernel knows of the watcher now; `false` leaves that to libuv.
///
/// # Safety
/// The loop is open and the caller's, and the watcher is one of its queue.
#[cfg(target_os = "linux")]
unsafe fn try_register(held: &Held, watcher: *mut uv::uv__io_t) -> std::result::Result<bool, Code> {
    // SAFETY: the caller says so; the event is a valid one.
    unsafe {
        let event_loop = held.uv();
        let (backend, fd) = ((*event_loop).backend_fd, (*watcher).fd);
        let mut events = (*watcher).pevents;
        if watcher == &raw mut (*event_loop).async_io_watcher {
            // It is never read, and so only what is new may wake the loop.
            events |= libc::EPOLLET as u32;
        }
        let control = |operation| {
            let data = held.orphans.data(fd, operation == libc::EPOLL_CTL_ADD);
            let mut event = libc::epoll_event { events, u64: data };
            match libc::epoll_ctl(backend, operation, fd, &raw mut event) {
                0 => 0,
                _ => std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EBADF),
            }
        };
        let is_new = (*watcher).events == 0;
        let mut error = control(if is_new { libc::EPOLL_CTL_ADD } else { libc::EPOLL_CTL_MOD });
        if is_new && error == libc::EEXIST {
            error = control(libc::EPOLL_CTL_MOD);
        } else if !is_new && error == libc::ENOENT {
            // The number is another file's by now.
            held.orphans.suspect();
            error = control(libc::EPOLL_CTL_ADD);
        }
        if error == 0 { Ok(true) } else { Err(Code(-error)) }
    }
}

/// # Safety
/// The loop is open and the caller's, and the watcher is one of its queue.
#[cfg(all(unix, not(target_os = "linux")))]
unsafe fn try_register(held: &Held, watcher: *mut uv::uv__io_t) -> std::result::Result<bool, Code> {
    // SAFETY: as above.
    let status = unsafe { status(held, (*watcher).fd) };
    Code::check(status).map(|_| false)
}

/// libuv's code for whether the kernel would wait for a descriptor: 0 if so.
#[cfg(target_os = "linux")]
pub(crate) fn status(held: &Held, fd: Fd) -> c_int {
    let mut event = libc::epoll_event { events: 0, u64: u64::MAX };
    // SAFETY: the caller owns the loop, which is open; the event is a valid one.
    unsafe {
        let backend = uv::uv_backend_fd(held.uv());
        if libc::epoll_ctl(backend, libc::EPOLL_CTL_ADD, fd, &raw mut event) == 0 {
            libc::epoll_ctl(backend, libc::EPOLL_CTL_DEL, fd, &raw mut event);
            return 0;
        }
    }
    match std::io::Error::last_os_error().raw_os_error() {
        Some(libc::EEXIST) => 0,
        error => -error.unwrap_or(libc::EBADF),
    }
}

/// libuv's code for whether the kernel would wait for a descriptor: 0 if so.
#[cfg(all(unix, not(target_os = "linux")))]
pub(crate) fn status(_held: &Held, fd: Fd) -> c_int {
    if places::is_open(fd) { 0 } else { Code::EBADF.0 }
}

/// The place of a number in libuv's table, if that is long enough: it holds null or the watcher of that
/// descriptor.
///
/// # Safety
/// The loop is open and the caller's.
pub(super) unsafe fn place_of(
    event_loop: *mut uv::uv_loop_t,
    fd: Fd,
) -> Option<*mut *mut uv::uv__io_t> {
    // SAFETY: the caller says so; the table has `nwatchers` entries.
    unsafe {
        // A negative one is larger than any table is long.
        let is_there = (fd as c_uint) < (*event_loop).nwatchers;
        is_there.then(|| (*event_loop).watchers.add(fd as usize))
    }
}

/// Has the kernel wait for a number no more. Whether it did.
#[cfg(target_os = "linux")]
pub(super) fn take_out(held: &Held, fd: Fd) -> bool {
    let mut event = libc::epoll_event { events: 0, u64: 0 };
    // SAFETY: the caller owns the loop, which is open; the event is a valid one.
    unsafe {
        libc::epoll_ctl((*held.uv()).backend_fd, libc::EPOLL_CTL_DEL, fd, &raw mut event) == 0
    }
}

/// The watcher whose entry of the queue this is.
///
/// # Safety
/// It is that of a watcher.
unsafe fn of_queue(entry: *mut uv::uv__queue) -> *mut uv::uv__io_t {
    // SAFETY: the caller says so.
    unsafe { entry.byte_sub(std::mem::offset_of!(uv::uv__io_t, watcher_queue)).cast() }
}

/// Whether the kernel is to be told of a watcher.
///
/// # Safety
/// It is initialised, and its loop the caller's.
#[cfg(target_os = "linux")]
pub(super) unsafe fn is_queued(watcher: *mut uv::uv__io_t) -> bool {
    // SAFETY: the caller says so; an entry that is in no queue is linked to itself.
    unsafe {
        let entry = &raw mut (*watcher).watcher_queue;
        (*entry).next != entry
    }
}

/// Has the kernel told of a watcher, which is in no queue.
///
/// # Safety
/// As for [`is_queued`], of the loop that is held.
#[cfg(target_os = "linux")]
pub(super) unsafe fn enqueue(held: &Held, watcher: *mut uv::uv__io_t) {
    // SAFETY: the caller says so; the queue is a circle that begins in the loop.
    unsafe {
        let head = &raw mut (*held.uv()).watcher_queue;
        let entry = &raw mut (*watcher).watcher_queue;
        (*entry).next = head;
        (*entry).prev = (*head).prev;
        (*(*head).prev).next = entry;
        (*head).prev = entry;
    }
}

/// Takes an entry out of its queue.
///
/// # Safety
/// The entry is linked into a queue of the caller's loop.
unsafe fn unlink(entry: *mut uv::uv__queue) {
    // SAFETY: the caller says so; an entry linked to itself is in no queue.
    unsafe {
        (*(*entry).prev).next = (*entry).next;
        (*(*entry).next).prev = (*entry).prev;
        (*entry).next = entry;
        (*entry).prev = entry;
    }
}

/// Has libuv wait for nothing of a watcher, as `uv__io_stop` for all its events does.
///
/// # Safety
/// As for `try_register`.
unsafe fn forget(event_loop: *mut uv::uv_loop_t, watcher: *mut uv::uv__io_t) {
    // SAFETY: the caller says so.
    unsafe {
        unlink(&raw mut (*watcher).watcher_queue);
        (*watcher).pevents = 0;
        (*watcher).events = 0;
        if let Some(place) = place_of(event_loop, (*watcher).fd)
            && *place == watcher
        {
            *place = ptr::null_mut();
            (*event_loop).nfds -= 1;
        }
    }
}

/// The open handle that a watcher is part of.
fn find(held: &Held, watcher: *mut uv::uv__io_t) -> Option<NonNull<Header>> {
    let mut found = None;
    held.for_each_handle(|header: &Header| {
        if header.is_open() && header.contains(watcher.addr()) {
            found = Some(NonNull::from(header));
        }
    });
    found
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    use super::*;
    use crate::{Events, Loop, Poll, RunMode};

    fn queued(held: &Held) -> bool {
        // SAFETY: the loop is open and this thread's.
        unsafe {
            let head = &raw mut (*held.uv()).watcher_queue;
            (*head).next != head
        }
    }

    #[test]
    fn nothing_is_left_for_libuv() {
        let event_loop = Loop::new().unwrap();
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let poll = Poll::new(&event_loop, ours.as_raw_fd()).unwrap();
        poll.start(Events::READABLE, |_, _| ()).unwrap();
        let held = event_loop.hold().unwrap();
        assert!(queued(&held));
        // SAFETY: the loop is open and this thread's.
        let before = unsafe { (*held.uv()).nfds };
        register(&held);
        assert!(!queued(&held));
        // SAFETY: as above; the table has that many places.
        unsafe {
            assert_eq!((*held.uv()).nfds, before);
            assert!(!(*(*held.uv()).watchers.add(ours.as_raw_fd() as usize)).is_null());
        }
    }

    #[test]
    fn what_is_refused_is_forgotten() {
        let event_loop = Loop::new().unwrap();
        event_loop.run(RunMode::NoWait).unwrap();
        let (ours, _theirs) = UnixStream::pair().unwrap();
        // A number that no other test is given meanwhile: the system gives the lowest.
        let ours = crate::places::duplicate(ours.as_raw_fd(), 800).unwrap();
        let number = ours.as_raw_fd();
        let poll = Poll::new(&event_loop, number).unwrap();
        poll.start(Events::READABLE, |_, _| ()).unwrap();
        let held = event_loop.hold().unwrap();
        // SAFETY: the loop is open and this thread's.
        let before = unsafe { (*held.uv()).nfds };
        drop(ours);
        register(&held);
        assert!(!queued(&held));
        // SAFETY: as above; the table has that many places.
        unsafe {
            assert_eq!((*held.uv()).nfds, before - 1);
            assert!((*(*held.uv()).watchers.add(number as usize)).is_null());
        }
    }
}
