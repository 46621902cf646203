//! `du`: how much a tree takes.

use std::collections::HashSet;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyuv::Result;
use rustix::fs::{AtFlags, CWD, FileType, Stat, statat};
use rustix::io::{self, Errno};

use crate::identity::Identity;
use crate::path::PathArg;
use crate::tree::forest::{At, Forest, In, Visit};
use crate::tree::job::Tree;
use crate::tree::listing::Listing;
use crate::tree::report::Progress;

/// The unit of `st_blocks`, in bytes.
const BLOCK: u64 = 512;

/// So many entries are looked at between two looks at the clock.
const BETWEEN: usize = 64;

/// What a tree takes, as [`du`] gives it. What has several names in the tree counts once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// The lengths of files and symbolic links, in bytes. What folders and others say of theirs
    /// means nothing, and does not count.
    pub bytes: u64,
    /// What the filesystem has allocated for all of it, folders too, in bytes.
    pub allocated: u64,
    /// Plain files.
    pub files: u64,
    /// Folders, the tree's own included.
    pub folders: u64,
    /// Symbolic links.
    pub links: u64,
    /// Everything else: pipes, sockets, devices.
    pub others: u64,
    /// Paths that failed, and so are missing here.
    pub errors: u64,
}

impl Usage {
    // The fields' types differ between platforms.
    #[allow(clippy::unnecessary_cast)]
    fn add(&mut self, kind: FileType, stat: &Stat) {
        self.allocated += stat.st_blocks as u64 * BLOCK;
        match kind {
            FileType::RegularFile => {
                self.files += 1;
                self.bytes += stat.st_size as u64;
            }
            FileType::Symlink => {
                self.links += 1;
                self.bytes += stat.st_size as u64;
            }
            FileType::Directory => self.folders += 1,
            _ => self.others += 1,
        }
    }
}

/// See [`du`].
#[derive(Default)]
pub struct Du {
    total: Mutex<Usage>,
    /// Files with further names.
    seen: Mutex<HashSet<Identity>>,
}

/// Adds up what a tree takes, as the program of that name does: hard links count once, symbolic
/// links for themselves. A `path` that is no folder is a tree of one.
///
/// Fails with `UV_ENOENT`, `UV_EACCES`, `UV_ELOOP`.
///
/// ```
/// let usage = pyuv_fs::tree::du("src").run().result?;
/// println!("{} bytes in {} files", usage.bytes, usage.files);
/// # Ok::<(), pyuv::Error>(())
/// ```
pub fn du<'a>(path: impl Into<PathArg<'a>>) -> Tree<Forest<Du>> {
    let path = path.into();
    let work: Result<_> = path.check().map(|()| Forest::new(Du::default(), path.to_c_string()));
    Tree::new(path.describe(), work)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Du {
    /// Whether a file is met by another of its names.
    #[allow(clippy::unnecessary_cast)]
    fn is_again(&self, kind: FileType, stat: &Stat) -> bool {
        stat.st_nlink as u64 > 1
            && kind != FileType::Directory
            && !lock(&self.seen).insert(Identity::of(stat))
    }

    fn add(&self, part: &Usage, hands: &In<'_, Self>) {
        hands.report.add_files(part.files + part.links + part.others);
        hands.report.add_folders(part.folders);
        hands.report.add_bytes(part.bytes);
        let mut total = lock(&self.total);
        total.bytes += part.bytes;
        total.allocated += part.allocated;
        total.files += part.files;
        total.folders += part.folders;
        total.links += part.links;
        total.others += part.others;
    }
}

impl Visit for Du {
    type Extra = ();
    type Part = ();
    type Batch = ();
    type Output = Usage;

    fn begin(
        &self,
        forest: &Forest<Self>,
        hands: &mut In<'_, Self>,
    ) -> io::Result<Option<OwnedFd>> {
        let stat = statat(CWD, &forest.root, AtFlags::SYMLINK_NOFOLLOW)?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        let mut own = Usage::default();
        own.add(kind, &stat);
        self.add(&own, hands);
        if kind == FileType::Directory {
            forest.open.open(CWD, &forest.root).map(Some)
        } else {
            Ok(None)
        }
    }

    fn entries(
        &self,
        at: &At<'_, Self>,
        listing: &mut Listing,
        from: usize,
        hands: &mut In<'_, Self>,
    ) -> usize {
        let mut part = Usage::default();
        let mut index = from;
        while index < listing.len() {
            let (name, _) = listing.get(index);
            index += 1;
            match statat(at.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => {
                    let kind = FileType::from_raw_mode(stat.st_mode);
                    if !self.is_again(kind, &stat) {
                        part.add(kind, &stat);
                    }
                    if kind == FileType::Directory {
                        at.child(name, hands);
                    }
                }
                // It was removed since the folder was read.
                Err(Errno::NOENT) => {}
                Err(errno) => at.fail(name, errno, hands),
            }
            if index.is_multiple_of(BETWEEN) && hands.late() {
                break;
            }
        }
        self.add(&part, hands);
        index
    }

    fn part(&self, _forest: &Forest<Self>, _part: (), _hands: &mut In<'_, Self>) {}

    fn output(&self, progress: Progress) -> Usage {
        Usage { errors: progress.errors, ..*lock(&self.total) }
    }
}
