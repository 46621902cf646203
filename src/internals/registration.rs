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
            let offset = std::mem::offset_of!(uv::uv__io_t, watcher_queue);
            let watcher: *mut uv::uv__io_t = entry.byte_sub(offset).cast();
            match try_register(event_loop, watcher) {
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

/// Whether the kernel knows of the watcher now; `false` leaves that to libuv.
///
/// # Safety
/// The loop is open and the caller's, and the watcher is one of its queue.
#[cfg(target_os = "linux")]
unsafe fn try_register(
    event_loop: *mut uv::uv_loop_t,
    watcher: *mut uv::uv__io_t,
) -> std::result::Result<bool, Code> {
    // SAFETY: the caller says so; the event is a valid one.
    unsafe {
        let (backend, fd) = ((*event_loop).backend_fd, (*watcher).fd);
        let mut events = (*watcher).pevents;
        if watcher == &raw mut (*event_loop).async_io_watcher {
            // It is never read, and so only what is new may wake the loop.
            events |= libc::EPOLLET as u32;
        }
        let mut event = libc::epoll_event { events, u64: u64::from(fd as c_uint) };
        let mut control = |operation| match libc::epoll_ctl(backend, operation, fd, &raw mut event)
        {
            0 => 0,
            _ => std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EBADF),
        };
        let mut error = match (*watcher).events {
            0 => control(libc::EPOLL_CTL_ADD),
            _ => control(libc::EPOLL_CTL_MOD),
        };
        if (*watcher).events == 0 && error == libc::EEXIST {
            error = control(libc::EPOLL_CTL_MOD);
        }
        if error == 0 { Ok(true) } else { Err(Code(-error)) }
    }
}

/// # Safety
/// The loop is open and the caller's, and the watcher is one of its queue.
#[cfg(all(unix, not(target_os = "linux")))]
unsafe fn try_register(
    event_loop: *mut uv::uv_loop_t,
    watcher: *mut uv::uv__io_t,
) -> std::result::Result<bool, Code> {
    // SAFETY: the loop is one of this crate; the caller says the rest.
    let held = unsafe { Held::from_raw(event_loop) };
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
    // SAFETY: the caller says so; libuv's table has `nwatchers` entries, which are null or the
    // watcher of that descriptor.
    unsafe {
        unlink(&raw mut (*watcher).watcher_queue);
        (*watcher).pevents = 0;
        (*watcher).events = 0;
        let fd = (*watcher).fd as c_uint;
        if fd < (*event_loop).nwatchers {
            let place = (*event_loop).watchers.add(fd as usize);
            if *place == watcher {
                *place = ptr::null_mut();
                (*event_loop).nfds -= 1;
            }
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
