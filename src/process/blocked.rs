//! Children of a thread that has `SIGCHLD` blocked, as it may have from the process that started this one.
//!
//! Where all threads have, no handler hears of the end of a child. So that is watched for by a descriptor of the
//! child (`pidfd_open`) as well: the mask stays as it is, for somebody may wait for the signal in another way.

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::raw::c_int;

use crate::error::{Code, Error, Result};
use crate::internals::child_watcher;
use crate::kept::Kept;
use crate::r#loop::{Held, Loop};
use crate::poll::{Events, Poll};

/// A descriptor of a process: readable when that has ended.
fn descriptor_of(pid: c_int) -> Result<OwnedFd> {
    // SAFETY: the call takes two numbers and makes a descriptor, which is nobody else's.
    unsafe {
        match libc::syscall(libc::SYS_pidfd_open, pid, 0) {
            -1 => {
                let error = std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::ENOSYS);
                Err(Error::new(
                    Code(-error),
                    "SIGCHLD is blocked, and the child's end would not be seen",
                ))
            }
            fd => Ok(OwnedFd::from_raw_fd(fd as c_int)),
        }
    }
}

fn is_blocked() -> bool {
    let mut mask = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: no mask is set; the present one is written to our place, and then looked at.
    unsafe {
        libc::pthread_sigmask(libc::SIG_BLOCK, std::ptr::null(), mask.as_mut_ptr()) == 0
            && libc::sigismember(mask.as_ptr(), libc::SIGCHLD) == 1
    }
}

/// Before a child is started: a place for its descriptor, if it will need one. Fails where the system has none.
pub(super) fn reserve() -> Result<Option<OwnedFd>> {
    is_blocked().then(|| descriptor_of(std::process::id() as c_int)).transpose()
}

/// Watches for the end of a child. Returns the number of its descriptor.
pub(super) fn watch(event_loop: &Loop, pid: c_int, place: OwnedFd) -> Result<c_int> {
    drop(place);
    let fd = Kept::new(descriptor_of(pid)?);
    let number = fd.as_raw_fd();
    let poll = Poll::new(event_loop, number)?;
    poll.hide("a process")?;
    poll.set_ref(false)?;
    poll.start_unchecked(Events::READABLE, move |poll, _| {
        // The descriptor is the closure's, which goes with the handle.
        let _ = &fd;
        let event_loop = poll.event_loop();
        if let Ok(held) = event_loop.hold() {
            child_watcher::look(&held);
        }
        let _ = poll.close(|_| ());
    })?;
    Ok(number)
}

/// Before the process's handle is closed.
pub(super) fn forget(held: &Held, number: c_int) {
    held.for_each_handle(|header| {
        let is_it = |poll: &Poll| poll.fileno() == Ok(number);
        if header.is_hidden() && header.view().downcast_ref::<Poll>().is_some_and(is_it) {
            header.close_silently();
        }
    });
}
