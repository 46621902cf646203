//! A file that takes another's place at once, or not at all.

use std::ffi::{CStr, CString};
use std::hash::{BuildHasher, Hasher, RandomState};

use pyuv::Code;
use pyuv::buffer::Buffer;

use crate::folder::{Entry, Folder};
use crate::open_file::OpenFile;

/// Has `path` lead to a file that holds `pieces`, as [`replace_file`](crate::replace_file) says.
/// Gives how many bytes that are, or why not, and how many there are nevertheless.
///
/// # Safety
/// The memory of the pieces may be read.
pub(crate) unsafe fn replace(
    path: &CStr,
    mode: Option<u32>,
    pieces: &[Buffer],
) -> Result<u64, (Code, u64)> {
    let place = Place::find(path).map_err(nothing)?;
    let new = NewFile::make(&place, mode).map_err(nothing)?;
    // SAFETY: the caller's word.
    let (written, outcome) = unsafe { new.file.write(pieces) };
    outcome.map_err(nothing)?;
    new.take_over().map_err(nothing)?;
    place.folder.sync().map_err(|code| (code, written))?;
    Ok(written)
}

fn nothing(code: Code) -> (Code, u64) {
    (code, 0)
}

/// A name in a folder, and what has it.
struct Place {
    folder: Folder,
    name: CString,
    old: Entry,
}

impl Place {
    /// Where `path` leads, through symbolic links.
    fn find(path: &CStr) -> Result<Place, Code> {
        let path = behind_links(path.to_bytes().to_vec())?;
        let (folder, name) = split(&path);
        if path.is_empty() {
            return Err(Code::ENOENT);
        }
        let folder = Folder::open(&c_string(folder))?;
        let name = c_string(name);
        let old = folder.look(&name)?;
        match old {
            Entry::Folder => Err(Code::EISDIR),
            Entry::Other => Err(Code::EINVAL),
            Entry::Nothing if name.is_empty() => Err(Code::EISDIR),
            Entry::Nothing | Entry::File(_) => Ok(Place { folder, name, old }),
        }
    }
}

/// The new file under a name of its own, which is gone with this unless it took over.
struct NewFile<'a> {
    place: &'a Place,
    /// None once it has taken over.
    name: Option<CString>,
    file: OpenFile,
    keep: bool,
}

impl<'a> NewFile<'a> {
    fn make(place: &'a Place, mode: Option<u32>) -> Result<NewFile<'a>, Code> {
        // What the old file keeps from others, nobody is to see before the new one does.
        let keep = mode.is_none() && matches!(place.old, Entry::File(_));
        let mode = if keep { 0o600 } else { mode.unwrap_or(0o666) };
        loop {
            let name = c_string(format!(".pyuv-{:016x}.tmp", random()).as_bytes());
            match place.folder.create(&name, mode) {
                Err(Code::EEXIST) => (),
                outcome => {
                    return outcome.map(|file| NewFile { place, name: Some(name), file, keep });
                }
            }
        }
    }

    fn take_over(mut self) -> Result<(), Code> {
        if let (true, Entry::File(attributes)) = (self.keep, self.place.old) {
            attributes.give(&self.file)?;
        }
        self.file.sync()?;
        if let Some(name) = &self.name {
            self.place.folder.rename(name, &self.place.name)?;
        }
        self.name = None;
        Ok(())
    }
}

impl Drop for NewFile<'_> {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            let _ = self.place.folder.remove(name);
        }
    }
}

/// A number that nobody foresees.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// The path without the symbolic link that it may be, and the one that this leads to, and so on.
/// There may be nothing at its end.
#[cfg(unix)]
fn behind_links(mut path: Vec<u8>) -> Result<Vec<u8>, Code> {
    use crate::operation::Operation;

    /// As many as Linux follows.
    const MOST: usize = 40;
    for _ in 0..=MOST {
        let target = match crate::readlink(path.as_slice()).run() {
            Ok(target) => target,
            Err(error) => match error.code() {
                // No link, or nothing at all.
                Some(Code::EINVAL | Code::ENOENT) => return Ok(path),
                code => return Err(code.unwrap_or(Code::UNKNOWN)),
            },
        };
        // The system may have a reason not to follow it, as in folders where everybody can make links.
        if let Some(code) = crate::stat(path.as_slice()).run().err().and_then(|error| error.code())
            && code != Code::ENOENT
        {
            return Err(code);
        }
        path = if target.starts_with(b"/") {
            target
        } else {
            [split(&path).0, b"/", &target].concat()
        };
    }
    Err(Code::ELOOP)
}

/// A symbolic link is replaced itself.
#[cfg(not(unix))]
fn behind_links(path: Vec<u8>) -> Result<Vec<u8>, Code> {
    Ok(path)
}

/// The folder that a path names last, and the name in it.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    let is_end = |byte: &u8| *byte == b'/' || (cfg!(windows) && *byte == b'\\');
    match path.iter().rposition(is_end) {
        None => (b".", path),
        Some(0) => (b"/", &path[1..]),
        Some(end) => (&path[..end], &path[end + 1..]),
    }
}

fn c_string(path: &[u8]) -> CString {
    CString::new(path).expect("a part of a C string")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_folder_and_a_name() {
        assert_eq!(split(b"name"), (b".".as_slice(), b"name".as_slice()));
        assert_eq!(split(b"/name"), (b"/".as_slice(), b"name".as_slice()));
        assert_eq!(split(b"a/b/name"), (b"a/b".as_slice(), b"name".as_slice()));
        assert_eq!(split(b"a/b/"), (b"a/b".as_slice(), b"".as_slice()));
    }
}
