//! Copying from one open file to another, a block at a time.

use std::os::fd::AsFd;

use rustix::io::{self, Errno, retry_on_intr};

/// How much the kernel copies at a time.
#[cfg(any(target_os = "linux", target_os = "android"))]
const BLOCK: usize = 4 << 20;

/// Copies a block from where one file stands to where the other does. Returns how many bytes that
/// were: 0 at the end. The kernel does it unless `by_hand` is set, as it is where it will not; then
/// the block goes through `buffer`.
pub(crate) fn copy_block(
    source: impl AsFd,
    target: impl AsFd,
    by_hand: &mut bool,
    buffer: &mut [u8],
) -> io::Result<usize> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if !*by_hand {
        let copied =
            retry_on_intr(|| rustix::fs::copy_file_range(&source, None, &target, None, BLOCK));
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
    let count = retry_on_intr(|| io::read(&source, &mut *buffer))?;
    let mut rest = &buffer[..count];
    while !rest.is_empty() {
        let written = retry_on_intr(|| io::write(&target, rest))?;
        rest = &rest[written..];
    }
    Ok(count)
}
