//! Descriptors that somebody else opened, and that libuv makes non-blocking: `O_NONBLOCK` is a property of the open
//! file, which others have too. A standard output that comes back non-blocking loses what is printed to it.
//!
//! So each is given back as it was when its handle closes; where other handles use the same open file, when the last
//! of them does.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::raw::c_int;

use crate::forks::{self, ForkLock};
use crate::kept::{File, Kept, look};
use crate::places;

/// The handles that use an open file.
#[derive(Default)]
struct Users {
    count: usize,
    /// Descriptors that were blocking, of handles that are open.
    open: Vec<c_int>,
    /// Duplicates of those of handles that were closed before others.
    waiting: Vec<Kept<OwnedFd>>,
}

static LENT: ForkLock<BTreeMap<File, Users>> = ForkLock::new(BTreeMap::new());

/// A descriptor that a handle was given. It is to be [given back](Lent::give_back).
pub(crate) struct Lent {
    file: File,
    was_blocking: bool,
    /// In a forked child the file is the parent's as well, and stays as it is.
    forks: usize,
}

impl Lent {
    /// Remembers how a descriptor is, before libuv gets it. `None` for what is not open.
    pub(crate) fn of(fd: c_int) -> Option<Lent> {
        let (file, was_blocking) = look(fd)?;
        let mut lent = LENT.lock();
        let users = lent.entry(file).or_default();
        users.count += 1;
        if was_blocking {
            users.open.push(fd);
        }
        Some(Lent { file, was_blocking, forks: forks::count() })
    }

    /// Has the descriptor be as it was, unless something else has its number by now.
    pub(crate) fn give_back(self, fd: c_int) {
        if self.forks != forks::count() {
            return;
        }
        let mut lent = LENT.lock();
        let Entry::Occupied(mut users) = lent.entry(self.file) else { return };
        users.get_mut().count -= 1;
        let is_last = users.get().count == 0;
        if self.was_blocking {
            let open = &mut users.get_mut().open;
            if let Some(place) = open.iter().position(|its| *its == fd) {
                open.swap_remove(place);
            }
            if look(fd).is_some_and(|(file, _)| file == self.file) {
                if is_last {
                    set_blocking(fd);
                } else if let Ok(duplicate) = places::duplicate(fd, 3) {
                    users.get_mut().waiting.push(Kept::new(duplicate));
                }
            }
        }
        if is_last {
            let users = users.remove();
            drop(lent);
            users.waiting.iter().for_each(|fd| set_blocking(fd.as_raw_fd()));
        }
    }
}

/// Gives back what handles that were never closed have, before the process ends: others may go on with it, a shell with
/// its terminal.
pub fn give_back_descriptors() {
    for (file, users) in LENT.lock().iter_mut() {
        users.waiting.drain(..).for_each(|fd| set_blocking(fd.as_raw_fd()));
        for fd in users.open.drain(..) {
            if look(fd).is_some_and(|(found, _)| found == *file) {
                set_blocking(fd);
            }
        }
    }
}

fn set_blocking(fd: c_int) {
    // SAFETY: to set flags touches no memory.
    unsafe {
        let flags = libc::fcntl(fd, libc::F_GETFL);
        if flags != -1 && flags & libc::O_NONBLOCK != 0 {
            libc::fcntl(fd, libc::F_SETFL, flags & !libc::O_NONBLOCK);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::IntoRawFd;
    use std::os::unix::net::UnixStream;

    use super::*;
    use crate::{Loop, Pipe, Poll, RunMode};

    fn blocks(fd: c_int) -> bool {
        look(fd).unwrap().1
    }

    #[test]
    fn an_open_file_is_given_back_when_its_last_handle_closes() {
        let event_loop = Loop::new().unwrap();
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let mine = ours.as_raw_fd();
        let theirs = ours.try_clone().unwrap().into_raw_fd();
        let pipe = Pipe::new(&event_loop, false).unwrap();
        pipe.open(theirs).unwrap();
        let poll = Poll::new(&event_loop, mine).unwrap();
        assert!(!blocks(mine));
        pipe.close(|_| ()).unwrap();
        event_loop.run(RunMode::Default).unwrap();
        assert!(!blocks(mine));
        poll.close(|_| ()).unwrap();
        assert!(blocks(mine));
        event_loop.run(RunMode::Default).unwrap();
        event_loop.close().unwrap();
    }

    #[test]
    fn what_did_not_block_stays_so() {
        let event_loop = Loop::new().unwrap();
        let (ours, _theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let poll = Poll::new(&event_loop, ours.as_raw_fd()).unwrap();
        poll.close(|_| ()).unwrap();
        assert!(!blocks(ours.as_raw_fd()));
    }
}
