//! What a folder holds, a part at a time, as the system tells it.

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

use rustix::fs::FileType;
use rustix::io;

use crate::dirent::DirentType;

/// Names and kinds of entries, in one piece of memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Each ends in a NUL.
    names: Vec<u8>,
    /// Where each name begins.
    entries: Vec<(usize, DirentType)>,
}

impl Listing {
    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Each entry's name and kind.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&CStr, DirentType)> {
        self.entries.iter().map(|(start, kind)| (self.name(*start), *kind))
    }

    fn name(&self, start: usize) -> &CStr {
        CStr::from_bytes_until_nul(&self.names[start..]).unwrap_or_default()
    }

    pub(crate) fn get(&self, index: usize) -> (&CStr, DirentType) {
        let (start, kind) = self.entries[index];
        (self.name(start), kind)
    }

    pub(crate) fn set_kind(&mut self, index: usize, kind: DirentType) {
        self.entries[index].1 = kind;
    }

    fn push(&mut self, name: &CStr, kind: FileType) {
        if !matches!(name.to_bytes(), b"." | b"..") {
            self.entries.push((self.names.len(), kind_of(kind)));
            self.names.extend_from_slice(name.to_bytes_with_nul());
        }
    }

    /// Adds what the system tells in one call, from where the open folder stands. Returns whether
    /// there may be more.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(crate) fn read(
        &mut self,
        folder: &OwnedFd,
        buffer: &mut [MaybeUninit<u8>],
    ) -> io::Result<bool> {
        let mut raw = rustix::fs::RawDir::new(folder, buffer);
        loop {
            let Some(entry) = raw.next() else { return Ok(false) };
            let entry = entry?;
            self.push(entry.file_name(), entry.file_type());
            if raw.is_buffer_empty() {
                return Ok(true);
            }
        }
    }

    /// Adds all of it: elsewhere the place in a folder belongs to the C library's own stream.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub(crate) fn read(
        &mut self,
        folder: &OwnedFd,
        _buffer: &mut [MaybeUninit<u8>],
    ) -> io::Result<bool> {
        let mut stream = rustix::fs::Dir::read_from(folder)?;
        while let Some(entry) = stream.read() {
            let entry = entry?;
            self.push(entry.file_name(), entry.file_type());
        }
        Ok(false)
    }
}

pub(crate) fn kind_of(kind: FileType) -> DirentType {
    match kind {
        FileType::RegularFile => DirentType::File,
        FileType::Directory => DirentType::Dir,
        FileType::Symlink => DirentType::Link,
        FileType::Fifo => DirentType::Fifo,
        FileType::Socket => DirentType::Socket,
        FileType::CharacterDevice => DirentType::Char,
        FileType::BlockDevice => DirentType::Block,
        FileType::Unknown => DirentType::Unknown,
    }
}
