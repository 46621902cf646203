//! `walk`: what a tree holds.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyuv::Result;
use rustix::io;

use crate::dirent::DirentType;
use crate::path::PathArg;
use crate::tree::forest::{At, Forest, In, Visit};
use crate::tree::job::Tree;
use crate::tree::listing::Listing;
use crate::tree::report::Progress;

/// So many entries may wait to be taken, before the walk waits.
const UNTAKEN: usize = 16 << 10;

/// A folder of a tree, and what it holds, or a part of that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalkFolder {
    /// The path that was given, joined with the names on the way.
    pub path: Vec<u8>,
    /// The entries, without `.` and `..`, in the order of the filesystem.
    pub entries: Listing,
}

/// See [`walk`].
pub struct Walk {
    in_batches: bool,
    found: Mutex<Vec<WalkFolder>>,
    untaken: AtomicUsize,
}

/// Goes through a tree and gives each of its folders, the tree's own included, with what it holds.
///
/// A folder with many entries comes in several parts, and so may any other while signals arrive.
/// Folders come in no order, but for that the first part of one comes before those in it. What is
/// removed or added meanwhile may be in it or not. Symbolic links are entries and not followed,
/// neither is `path` itself unless it ends in a slash.
///
/// Fails with `UV_ENOENT`, `UV_ENOTDIR`, `UV_EACCES`, `UV_ELOOP` for a link.
///
/// ```
/// let ended = pyuv_fs::tree::walk("src").run();
/// for folder in ended.result? {
///     println!("{}: {} entries", String::from_utf8_lossy(&folder.path), folder.entries.len());
/// }
/// # Ok::<(), pyuv::Error>(())
/// ```
pub fn walk<'a>(path: impl Into<PathArg<'a>>) -> Tree<Forest<Walk>> {
    let path = path.into();
    let walk = Walk { in_batches: false, found: Mutex::default(), untaken: AtomicUsize::new(0) };
    let work: Result<_> = path.check().map(|()| Forest::new(walk, path.to_c_string()));
    Tree::new(path.describe(), work)
}

impl Tree<Forest<Walk>> {
    /// Has the folders told as [`Told::Batch`](crate::tree::Told::Batch), soon after they were
    /// found, and not given at the end. Where they are not taken, the walk waits: so many entries
    /// are in memory at a time (16,384, and one part of a folder for each thread), however large
    /// the tree is.
    #[must_use]
    pub fn in_batches(self) -> Self {
        self.change(|forest| forest.visit.in_batches = true)
    }
}

impl Walk {
    fn lock(&self) -> MutexGuard<'_, Vec<WalkFolder>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, folder: WalkFolder) {
        let mut found = self.lock();
        self.untaken.fetch_add(1 + folder.entries.len(), Ordering::Relaxed);
        found.push(folder);
    }

    fn taken(&self) -> Vec<WalkFolder> {
        let mut found = self.lock();
        self.untaken.store(0, Ordering::Relaxed);
        std::mem::take(&mut found)
    }
}

impl Visit for Walk {
    type Extra = ();
    type Part = ();
    type Batch = Vec<WalkFolder>;
    type Output = Vec<WalkFolder>;

    fn enter(&self, at: &At<'_, Self>, hands: &mut In<'_, Self>) -> io::Result<bool> {
        // The others count where they are found.
        hands.report.add_folders(u64::from(at.folder.parent.is_none()));
        Ok(true)
    }

    fn entries(
        &self,
        at: &At<'_, Self>,
        listing: &mut Listing,
        _from: usize,
        hands: &mut In<'_, Self>,
    ) -> usize {
        let (mut files, mut folders) = (0, 0);
        for index in 0..listing.len() {
            let (name, mut kind) = listing.get(index);
            if kind == DirentType::Unknown
                && let Some(known) = at.kind(name, hands)
            {
                kind = known;
            }
            if kind == DirentType::Dir {
                folders += 1;
                at.child(name, hands);
            } else {
                files += 1;
            }
            listing.set_kind(index, kind);
        }
        let count = listing.len();
        hands.report.add_folders(folders);
        hands.report.add_files(files);
        // An empty folder is told of; the empty part after the last one of a folder is not.
        if count > 0 || !at.folder.holds_something.load(Ordering::Relaxed) {
            self.keep(WalkFolder {
                path: at.folder.path(at.forest.root.to_bytes(), None),
                entries: std::mem::take(listing),
            });
        }
        listing.len()
    }

    fn part(&self, _forest: &Forest<Self>, _part: (), _hands: &mut In<'_, Self>) {}

    fn is_full(&self) -> bool {
        self.in_batches && self.untaken.load(Ordering::Relaxed) > UNTAKEN
    }

    fn take_batch(&self) -> Option<Vec<WalkFolder>> {
        if !self.in_batches {
            return None;
        }
        let found = self.taken();
        (!found.is_empty()).then_some(found)
    }

    fn output(&self, _progress: Progress) -> Vec<WalkFolder> {
        self.taken()
    }
}
