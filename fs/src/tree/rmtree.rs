//! `rmtree`: removing a tree.

use std::ffi::{CStr, CString};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use pyuv::{Code, Error, Result};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, openat, unlinkat};
use rustix::io::{self, Errno};

use crate::dirent::DirentType;
use crate::path::PathArg;
use crate::tree::folder::{Folder, Side};
use crate::tree::forest::{At, Forest, In, Visit};
use crate::tree::job::Tree;
use crate::tree::listing::Listing;
use crate::tree::report::Progress;

/// How often a folder is read again because it was not empty when everything in it had been
/// removed: filesystems may pass over entries while others are removed, and others may add some.
const PASSES: u8 = 16;

/// So many entries are removed between two looks at the clock.
const BETWEEN: usize = 64;

/// What [`rmtree`] has removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Removed {
    /// Entries that were no folders.
    pub files: u64,
    /// Folders, the tree's own included.
    pub folders: u64,
    /// Paths that failed. Folders that could not be removed only because of them do not count.
    pub errors: u64,
}

/// See [`rmtree`].
pub struct RmTree {
    /// The folder that the tree is in.
    above: CString,
    /// The tree's name there.
    name: CString,
    above_fd: OnceLock<OwnedFd>,
}

/// What is remembered of a folder.
#[derive(Default)]
pub struct Emptied {
    /// Something was removed from it since it was last read from its beginning.
    some: AtomicBool,
    passes: AtomicU8,
}

/// Removes a folder and everything in it. Symbolic links are removed and never followed.
///
/// Everything is removed by its name in its open folder (`unlinkat`), and each folder is opened
/// in the one it is in without following links (`openat`): whatever others move or put in its place
/// meanwhile, nothing is removed that was not in the tree. What others have removed before it
/// is no error.
///
/// Fails with `UV_ENOENT`, `UV_ENOTDIR` for what is no folder, a symbolic link to one included,
/// `UV_EACCES`, and before it removes anything with `UV_EINVAL` for a path that ends in `.` or
/// `..`, and for `/`. With [`OnError::Continue`](crate::tree::OnError::Continue) the path itself
/// may be left over: see [`Removed::errors`].
pub fn rmtree<'a>(path: impl Into<PathArg<'a>>) -> Tree<Forest<RmTree>> {
    let path = path.into();
    let what = path.describe();
    let work: Result<_> = path.check().and_then(|()| {
        let root = path.to_c_string();
        let (above, name) = split(&root)
            .ok_or_else(|| Error::new(Code::EINVAL, format!("not a name in a folder: {what}")))?;
        Ok(Forest::new(RmTree { above, name, above_fd: OnceLock::new() }, root))
    });
    Tree::new(what, work)
}

/// A path's folder and the name there. None where the last part is no name.
fn split(path: &CStr) -> Option<(CString, CString)> {
    let bytes = path.to_bytes();
    if bytes.is_empty() {
        // The system's error for it is the right one.
        return Some((c".".to_owned(), CString::default()));
    }
    let end = bytes.iter().rposition(|byte| *byte != b'/')? + 1;
    let start = bytes[..end].iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    let name = &bytes[start..end];
    if matches!(name, b"." | b"..") {
        return None;
    }
    let above = if start == 0 { b"." } else { &bytes[..start] };
    Some((CString::new(above).ok()?, CString::new(name).ok()?))
}

impl RmTree {
    /// Removes an entry that is no folder. Returns whether it is one.
    fn unlink(&self, at: &At<'_, Self>, name: &CStr, hands: &mut In<'_, Self>) -> bool {
        match unlinkat(at.fd, name, AtFlags::empty()) {
            Ok(()) => {
                hands.report.add_files(1);
                at.folder.extra.some.store(true, Ordering::Relaxed);
            }
            Err(Errno::NOENT) => {}
            // POSIX has EPERM for a folder.
            Err(errno @ (Errno::ISDIR | Errno::PERM)) => match at.kind(name, hands) {
                Some(DirentType::Dir) => return true,
                Some(_) => at.fail(name, errno, hands),
                None => {}
            },
            Err(errno) => at.fail(name, errno, hands),
        }
        false
    }

    /// Removes an empty folder.
    fn rmdir(&self, forest: &Forest<Self>, folder: &Folder<Emptied>) -> io::Result<()> {
        match (&folder.parent, self.above_fd.get()) {
            (Some(parent), _) => {
                let fd = forest.open.fd(parent, Side::Source)?;
                unlinkat(fd, folder.name(), AtFlags::REMOVEDIR)?;
                parent.extra.some.store(true, Ordering::Relaxed);
                Ok(())
            }
            (None, Some(above)) => unlinkat(above, &self.name, AtFlags::REMOVEDIR),
            (None, None) => Err(Errno::BADF),
        }
    }
}

impl Visit for RmTree {
    type Extra = Emptied;
    type Part = ();
    type Batch = ();
    type Output = Removed;

    fn begin(
        &self,
        forest: &Forest<Self>,
        _hands: &mut In<'_, Self>,
    ) -> io::Result<Option<OwnedFd>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        #[cfg(any(target_os = "linux", target_os = "android"))]
        // Needs no permission to read it.
        let flags = flags | OFlags::PATH;
        let above = openat(CWD, &self.above, flags, Mode::empty())?;
        let fd = forest.open.open(&above, &self.name)?;
        let _ = self.above_fd.set(above);
        Ok(Some(fd))
    }

    fn cannot_open(
        &self,
        forest: &Forest<Self>,
        parent: &Arc<Folder<Emptied>>,
        name: &CStr,
        errno: Errno,
        hands: &mut In<'_, Self>,
    ) {
        if errno == Errno::NOENT {
            return;
        }
        let Ok(fd) = forest.open.fd(parent, Side::Source) else {
            return forest.fail(parent, Some(name), errno, hands);
        };
        // What was a folder is none any more, or one that cannot be read but may be empty.
        let is_folder = !matches!(errno, Errno::NOTDIR | Errno::LOOP);
        let flags = if is_folder { AtFlags::REMOVEDIR } else { AtFlags::empty() };
        match unlinkat(fd, name, flags) {
            Ok(()) => {
                parent.extra.some.store(true, Ordering::Relaxed);
                hands.report.add_folders(u64::from(is_folder));
                hands.report.add_files(u64::from(!is_folder));
            }
            Err(_) => forest.fail(parent, Some(name), errno, hands),
        }
    }

    fn entries(
        &self,
        at: &At<'_, Self>,
        listing: &mut Listing,
        from: usize,
        hands: &mut In<'_, Self>,
    ) -> usize {
        let mut index = from;
        while index < listing.len() && !hands.stopped() {
            let (name, kind) = listing.get(index);
            index += 1;
            if kind == DirentType::Dir || self.unlink(at, name, hands) {
                at.child(name, hands);
            }
            if index.is_multiple_of(BETWEEN) && hands.late() {
                break;
            }
        }
        index
    }

    fn part(&self, _forest: &Forest<Self>, _part: (), _hands: &mut In<'_, Self>) {}

    fn leave(
        &self,
        forest: &Forest<Self>,
        folder: &Arc<Folder<Emptied>>,
        hands: &mut In<'_, Self>,
    ) -> bool {
        if folder.failed.load(Ordering::Relaxed) {
            return false;
        }
        match self.rmdir(forest, folder) {
            Ok(()) => hands.report.add_folders(1),
            Err(Errno::NOENT) => {}
            Err(Errno::NOTEMPTY | Errno::EXIST)
                if folder.extra.some.swap(false, Ordering::Relaxed)
                    && folder.extra.passes.fetch_add(1, Ordering::Relaxed) < PASSES =>
            {
                return true;
            }
            Err(errno) => forest.fail(folder, None, errno, hands),
        }
        false
    }

    fn output(&self, progress: Progress) -> Removed {
        let Progress { files, folders, errors, .. } = progress;
        Removed { files, folders, errors }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_name_in_a_folder() {
        let parts = |path: &CStr| {
            split(path).map(|(above, name)| {
                format!("{}|{}", above.to_string_lossy(), name.to_string_lossy())
            })
        };
        assert_eq!(parts(c"a").unwrap(), ".|a");
        assert_eq!(parts(c"a/").unwrap(), ".|a");
        assert_eq!(parts(c"/a").unwrap(), "/|a");
        assert_eq!(parts(c"a/../b//").unwrap(), "a/../|b");
        for none in [c"/", c"//", c".", c"..", c"a/.", c"a/..", c"a/../"] {
            assert_eq!(parts(none), None, "{none:?}");
        }
    }
}
