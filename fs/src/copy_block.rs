//! Copying from one open file to another, a block at a time.

use std::os::fd::OwnedFd;

use rustix::fs::Stat;
use rustix::io::{self, Errno, retry_on_intr};

use crate::holes::Holes;

/// How much the kernel copies at a time.
#[cfg(any(target_os = "linux", target_os = "android"))]
const BLOCK: u64 = 4 << 20;

/// How the blocks of a file are copied.
pub(crate) struct Blocks {
    /// Through a buffer: the kernel will not.
    by_hand: bool,
    holes: Option<Holes>,
}

impl Blocks {
    /// For a file that is copied from its beginning. Where its copy is no plain file, holes are written too.
    pub(crate) fn of(stat: &Stat, by_hand: bool, is_plain: bool) -> Blocks {
        Blocks { by_hand, holes: Holes::of(stat).filter(|_| is_plain) }
    }

    /// Copies a block from where one file stands to where the other does, through `buffer` if need be. Returns how
    /// many bytes that were, and holes before it: 0 at the end.
    pub(crate) fn copy(
        &mut self,
        source: &OwnedFd,
        target: &OwnedFd,
        buffer: &mut [u8],
    ) -> io::Result<usize> {
        let Some(holes) = &mut self.holes else {
            return copy_block(source, target, &mut self.by_hand, buffer, u64::MAX);
        };
        match holes.next(source, target) {
            Ok((passed, 0)) => Ok(passed as usize),
            Ok((passed, length)) => {
                let copied = copy_block(source, target, &mut self.by_hand, buffer, length)?;
                holes.copied(copied);
                Ok(passed as usize + copied)
            }
            Err(Errno::INVAL | Errno::OPNOTSUPP | Errno::NOSYS) => {
                self.holes = None;
                self.copy(source, target, buffer)
            }
            Err(errno) => Err(errno),
        }
    }
}

/// Copies a block of at most `most` bytes. The kernel does it unless `by_hand` is set, as it is where it will not; then
/// the block goes through `buffer`.
fn copy_block(
    source: &OwnedFd,
    target: &OwnedFd,
    by_hand: &mut bool,
    buffer: &mut [u8],
    most: u64,
) -> io::Result<usize> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if !*by_hand {
        let length = BLOCK.min(most) as usize;
        let copied =
            retry_on_intr(|| rustix::fs::copy_file_range(source, None, target, None, length));
        match copied {
            // Some filesystems tell so of files that have no content before they are read.
            Ok(0) => *by_hand = true,
            // Other filesystems, an old kernel, or a filter that does not know the call.
            Err(Errno::XDEV | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::PERM) => {
                *by_hand = true;
            }
            outcome => return outcome,
        }
    }
    let length = buffer.len().min(usize::try_from(most).unwrap_or(usize::MAX));
    let count = retry_on_intr(|| io::read(source, &mut buffer[..length]))?;
    let mut rest = &buffer[..count];
    while !rest.is_empty() {
        let written = retry_on_intr(|| io::write(target, rest))?;
        rest = &rest[written..];
    }
    Ok(count)
}
