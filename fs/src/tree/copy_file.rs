//! The copy of one file, a block at a time.

use std::ffi::CStr;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, fstat, ftruncate, openat, unlinkat};
use rustix::io::{self, Errno};

use crate::copy_block::Blocks;
use crate::identity::Identity;

/// A file of at most this length is read and written; larger ones are left to the kernel.
const SMALL: u64 = 128 << 10;

/// A file and its copy.
pub(crate) struct CopyFile {
    source: OwnedFd,
    target: OwnedFd,
    pub(crate) stat: Stat,
    /// Whether other names of the file wait for it.
    pub(crate) leads: bool,
    blocks: Blocks,
    /// The folder and the name of a copy that is made anew, until it is whole: it is removed again
    /// otherwise.
    unfinished: Option<(Arc<OwnedFd>, Box<CStr>)>,
}

impl Drop for CopyFile {
    fn drop(&mut self) {
        if let Some((folder, name)) = self.unfinished.take() {
            // Nothing more can be done about it.
            let _ = unlinkat(&folder, &*name, AtFlags::empty());
        }
    }
}

/// What is at a name instead of a plain file.
pub(crate) enum Source {
    File(OwnedFd, Stat),
    Other(FileType),
}

/// Opens a file to be copied. Not a symbolic link: that is `ELOOP`.
pub(crate) fn open_source(folder: &OwnedFd, name: &CStr) -> io::Result<Source> {
    // If a pipe has come in its place, nobody waits for its writer.
    let flags =
        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let fd = openat(folder, name, flags, Mode::empty())?;
    let stat = fstat(&fd)?;
    Ok(match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Source::File(fd, stat),
        other => Source::Other(other),
    })
}

/// Makes a copy of a file with these permissions, empty. Returns whether it is made anew: one that
/// is there is overwritten if `over` says so; a symbolic link that is there is replaced, and what
/// it leads to left alone. Fails with `EINVAL` for the original itself by another of its names,
/// with `EEXIST` for what is no plain file.
pub(crate) fn open_target(
    folder: &OwnedFd,
    name: &CStr,
    stat: &Stat,
    over: bool,
) -> io::Result<(OwnedFd, bool)> {
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    // Nobody else has a look at it before it has its owner and its permissions.
    let mode = Mode::from_raw_mode(stat.st_mode) & Mode::RWXU | Mode::WUSR;
    let fresh = || openat(folder, name, flags | OFlags::CREATE | OFlags::EXCL, mode);
    match fresh() {
        Err(Errno::EXIST) if over => {}
        made => return Ok((made?, true)),
    }
    let opened = match openat(folder, name, flags, Mode::empty()) {
        Err(Errno::LOOP) => {
            unlinkat(folder, name, AtFlags::empty())?;
            return Ok((fresh()?, true));
        }
        opened => opened?,
    };
    let found = fstat(&opened)?;
    if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
        return Err(Errno::EXIST);
    }
    if Identity::of(&found) == Identity::of(stat) {
        // A further name of the original, whose content would go before it is read.
        return Err(Errno::INVAL);
    }
    ftruncate(&opened, 0)?;
    Ok((opened, false))
}

impl CopyFile {
    pub(crate) fn new(
        (source, stat): (OwnedFd, Stat),
        (target, is_fresh): (OwnedFd, bool),
        folder: &Arc<OwnedFd>,
        name: &CStr,
    ) -> CopyFile {
        CopyFile {
            source,
            target,
            stat,
            leads: false,
            blocks: Blocks::of(&stat, stat.st_size as u64 <= SMALL, true),
            unfinished: is_fresh.then(|| (Arc::clone(folder), name.into())),
        }
    }

    /// Copies a block. Returns how many bytes that were, holes among them: 0 at the end.
    pub(crate) fn step(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.blocks.copy(&self.source, &self.target, buffer)
    }

    /// The copy is whole: it stays.
    pub(crate) fn end(&mut self) {
        self.unfinished = None;
    }

    pub(crate) fn source(&self) -> &OwnedFd {
        &self.source
    }

    pub(crate) fn target(&self) -> &OwnedFd {
        &self.target
    }
}
