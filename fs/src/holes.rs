//! Files with holes: parts that were never written, take no room and read as zeros.

use std::os::fd::OwnedFd;

use rustix::fs::{SeekFrom, Stat, fstat, ftruncate, seek};
use rustix::io::{self, Errno};

/// The way through a file from one part with content to the next.
pub(crate) struct Holes {
    /// How far the copy is.
    position: u64,
    /// Where the part with content ends.
    end: u64,
}

impl Holes {
    /// None for a file that has none: it takes as much room as it is long.
    #[allow(clippy::unnecessary_cast)]
    pub(crate) fn of(stat: &Stat) -> Option<Holes> {
        let room = (stat.st_blocks as u64).saturating_mul(512);
        (room < stat.st_size as u64).then_some(Holes { position: 0, end: 0 })
    }

    /// Brings both files to where there is content. Gives how many bytes of holes were passed over, and how many
    /// of content come next: none at the end. Fails with `EINVAL` where the filesystem does not know.
    pub(crate) fn next(&mut self, source: &OwnedFd, target: &OwnedFd) -> io::Result<(u64, u64)> {
        if self.position < self.end {
            return Ok((0, self.end - self.position));
        }
        let (passed, length) = match seek(source, SeekFrom::Data(self.position)) {
            Ok(start) => {
                self.end = seek(source, SeekFrom::Hole(start))?;
                seek(source, SeekFrom::Start(start))?;
                seek(target, SeekFrom::Start(start))?;
                (start - self.position, self.end - start)
            }
            Err(Errno::NXIO) => {
                let length = fstat(source)?.st_size as u64;
                let passed = length.saturating_sub(self.position);
                if passed > 0 {
                    ftruncate(target, length)?;
                }
                (passed, 0)
            }
            Err(errno) => return Err(errno),
        };
        self.position += passed;
        self.end = self.end.max(self.position);
        Ok((passed, length))
    }

    /// So many bytes of content were copied.
    pub(crate) fn copied(&mut self, length: usize) {
        self.position += length as u64;
    }
}
