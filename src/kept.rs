//! Descriptors of this library's own that it keeps for longer than a call. Anybody can close them meanwhile (a
//! daemonizer closes them all): what has the number then is somebody else's, and is left alone.

use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::os::fd::AsRawFd;
use std::os::raw::c_int;
use std::sync::atomic::{AtomicU64, Ordering};

/// An open file, as far as the system tells it from others. The two ends of a pipe are told apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct File {
    device: u64,
    number: u64,
    access: c_int,
}

/// What owns a descriptor, and closes it only if it has it still.
pub struct Kept<T: AsRawFd> {
    owner: ManuallyDrop<T>,
    /// Which file it is.
    device: AtomicU64,
    number: AtomicU64,
}

impl<T: AsRawFd> Kept<T> {
    /// Keeps what `owner` owns.
    pub fn new(owner: T) -> Kept<T> {
        let kept = Kept {
            owner: ManuallyDrop::new(owner),
            device: AtomicU64::new(0),
            number: AtomicU64::new(0),
        };
        kept.take_over();
        kept
    }

    /// Takes over what the owner's number stands for by now: the caller has put it there.
    pub fn take_over(&self) {
        if let Some((file, _)) = look(self.owner.as_raw_fd()) {
            self.device.store(file.device, Ordering::Relaxed);
            self.number.store(file.number, Ordering::Relaxed);
        }
    }

    /// Whether the owner's number stands for the same file still.
    pub fn is_there(&self) -> bool {
        look(self.owner.as_raw_fd()).is_some_and(|(file, _)| {
            file.device == self.device.load(Ordering::Relaxed)
                && file.number == self.number.load(Ordering::Relaxed)
        })
    }
}

impl<T: AsRawFd> Deref for Kept<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.owner
    }
}

impl<T: AsRawFd> Drop for Kept<T> {
    fn drop(&mut self) {
        if self.is_there() {
            // SAFETY: it is dropped once, here.
            unsafe { ManuallyDrop::drop(&mut self.owner) };
        }
    }
}

/// Which open file a descriptor is, and whether it blocks.
#[allow(clippy::unnecessary_cast)]
pub(crate) fn look(fd: c_int) -> Option<(File, bool)> {
    // SAFETY: all-zero is a valid value of a C struct of integers.
    let mut stat: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: both calls only ask; the struct is written to.
    let flags = unsafe {
        if libc::fstat(fd, &raw mut stat) != 0 {
            return None;
        }
        libc::fcntl(fd, libc::F_GETFL)
    };
    if flags == -1 {
        return None;
    }
    let file = File {
        device: stat.st_dev as u64,
        number: stat.st_ino as u64,
        access: flags & libc::O_ACCMODE,
    };
    Some((file, flags & libc::O_NONBLOCK == 0))
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read};
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn what_is_there_still_is_closed() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let kept = Kept::new(ours);
        assert!(kept.is_there());
        drop(kept);
        // Its other end is told.
        assert_eq!((&theirs).read(&mut [0]).unwrap(), 0);
    }

    #[test]
    fn a_number_that_is_somebody_elses_is_left_alone() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let kept = Kept::new(ours);
        let fd = kept.as_raw_fd();
        let (another, end) = UnixStream::pair().unwrap();
        // SAFETY: both numbers are open, and the test's own.
        assert_eq!(unsafe { libc::dup2(another.as_raw_fd(), fd) }, fd);
        drop(another);
        assert!(!kept.is_there());
        drop(kept);
        end.set_nonblocking(true).unwrap();
        assert_eq!((&end).read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
        // SAFETY: the number is open, and nobody else's.
        unsafe { libc::close(fd) };
    }

    #[test]
    fn what_was_put_in_its_place_is_taken_over() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let kept = Kept::new(ours);
        let (another, end) = UnixStream::pair().unwrap();
        // SAFETY: both numbers are open, and the test's own.
        unsafe { libc::dup2(another.as_raw_fd(), kept.as_raw_fd()) };
        drop(another);
        kept.take_over();
        drop(kept);
        assert_eq!((&end).read(&mut [0]).unwrap(), 0);
    }
}
