//! Going through a tree: what the jobs on folders have in common.
//!
//! A task opens a folder, or reads a part of what it holds, or goes on with what was read. Where a
//! folder is large, the next part is offered to other threads before this one is looked at.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rustix::fs::{AtFlags, CWD, FileType, fstat, statat};
use rustix::io::{self, Errno};

use crate::dirent::DirentType;
use crate::identity::Identity;
use crate::tree::crew::{Hands, Work};
use crate::tree::folder::{Folder, OpenFolders, Side};
use crate::tree::listing::{Listing, kind_of};
use crate::tree::report::Progress;

/// So many entries are worth another thread's while.
const SHARED: usize = 128;

/// What is done with a tree.
pub trait Visit: Send + Sync + Sized + 'static {
    /// What is remembered of each folder.
    type Extra: Default + Send + Sync + 'static;
    /// Something that takes several turns.
    type Part: Send + 'static;
    /// See [`Work::Batch`].
    type Batch: Send + 'static;
    /// See [`Work::Output`].
    type Output: Send + 'static;

    /// Opens the tree's own folder.
    fn begin(
        &self,
        forest: &Forest<Self>,
        _hands: &mut In<'_, Self>,
    ) -> io::Result<Option<OwnedFd>> {
        forest.open.open(CWD, &forest.root).map(Some).map_err(|errno| forest.link_or(errno))
    }

    /// A folder has been opened. An error is that of its path; where it is told already, this
    /// returns false. With either, nothing in it is looked at.
    fn enter(&self, _at: &At<'_, Self>, _hands: &mut In<'_, Self>) -> io::Result<bool> {
        Ok(true)
    }

    /// A folder could not be opened.
    fn cannot_open(
        &self,
        forest: &Forest<Self>,
        parent: &Arc<Folder<Self::Extra>>,
        name: &CStr,
        errno: Errno,
        hands: &mut In<'_, Self>,
    ) {
        // It was removed since the folder was read.
        if errno != Errno::NOENT {
            forest.fail(parent, Some(name), errno, hands);
        }
    }

    /// Looks at entries of a folder, from the one with the index `from` on. Returns the index of
    /// the first that it has left for a later turn, or their number.
    fn entries(
        &self,
        at: &At<'_, Self>,
        listing: &mut Listing,
        from: usize,
        hands: &mut In<'_, Self>,
    ) -> usize;

    /// Goes on with something.
    fn part(&self, forest: &Forest<Self>, part: Self::Part, hands: &mut In<'_, Self>);

    /// Everything in a folder is done, and its parent is open. Returns whether it has to be read
    /// once more.
    fn leave(
        &self,
        _forest: &Forest<Self>,
        _folder: &Arc<Folder<Self::Extra>>,
        _hands: &mut In<'_, Self>,
    ) -> bool {
        false
    }

    /// See [`Work::is_full`].
    fn is_full(&self) -> bool {
        false
    }

    /// See [`Work::take_batch`].
    fn take_batch(&self) -> Option<Self::Batch> {
        None
    }

    /// See [`Work::output`].
    fn output(&self, progress: Progress) -> Self::Output;
}

/// The hands of a visit's.
pub(crate) type In<'a, V> = Hands<'a, Task<V>>;

/// A tree, and what is done with it.
pub struct Forest<V: Visit> {
    pub(crate) visit: V,
    /// The path that was given.
    pub(crate) root: CString,
    pub(crate) open: OpenFolders<V::Extra>,
}

/// A folder that is being looked at.
pub struct At<'a, V: Visit> {
    pub(crate) forest: &'a Forest<V>,
    pub(crate) folder: &'a Arc<Folder<V::Extra>>,
    pub(crate) fd: &'a Arc<OwnedFd>,
}

pub enum Task<V: Visit> {
    /// Opens a folder.
    Open(Arc<Folder<V::Extra>>, Box<CStr>),
    /// Reads on in an open folder.
    Read(Arc<Folder<V::Extra>>, Arc<OwnedFd>),
    /// Looks at the rest of what was read.
    Entries(Arc<Folder<V::Extra>>, Arc<OwnedFd>, Listing, usize),
    Part(V::Part),
}

impl<V: Visit> At<'_, V> {
    /// Has a folder in this one looked at.
    pub(crate) fn child(&self, name: &CStr, hands: &mut In<'_, V>) {
        self.folder.begin();
        hands.push(Task::Open(Arc::clone(self.folder), name.into()));
    }

    /// What an entry is, where the folder does not say: its kind now. None where it is gone, or
    /// where that failed.
    pub(crate) fn kind(&self, name: &CStr, hands: &mut In<'_, V>) -> Option<DirentType> {
        match statat(self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Some(kind_of(FileType::from_raw_mode(stat.st_mode))),
            Err(Errno::NOENT) => None,
            Err(errno) => {
                self.fail(name, errno, hands);
                None
            }
        }
    }

    pub(crate) fn fail(&self, name: &CStr, errno: Errno, hands: &In<'_, V>) {
        self.forest.fail(self.folder, Some(name), errno, hands);
    }
}

impl<V: Visit> Forest<V> {
    pub(crate) fn new(visit: V, root: CString) -> Forest<V> {
        Forest { visit, root, open: OpenFolders::new() }
    }

    /// Something in a folder, or the folder itself, failed.
    pub(crate) fn fail(
        &self,
        folder: &Folder<V::Extra>,
        name: Option<&CStr>,
        errno: Errno,
        hands: &In<'_, V>,
    ) {
        folder.failed.store(true, Ordering::Relaxed);
        hands.report.fail(folder.path(self.root.to_bytes(), name), errno);
    }

    /// Why the tree's own folder cannot be opened: Linux says of a symbolic link that it is no
    /// folder, which is true but does not tell.
    pub(crate) fn link_or(&self, errno: Errno) -> Errno {
        let is_link = |stat: rustix::fs::Stat| FileType::from_raw_mode(stat.st_mode).is_symlink();
        match statat(CWD, &self.root, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if errno == Errno::NOTDIR && is_link(stat) => Errno::LOOP,
            _ => errno,
        }
    }

    /// A folder has been opened.
    fn enter(
        &self,
        parent: Option<Arc<Folder<V::Extra>>>,
        name: Box<CStr>,
        fd: OwnedFd,
        hands: &mut In<'_, V>,
    ) {
        let folder = Arc::new(Folder::new(parent, name, fd));
        self.open.opened(&folder, Side::Source);
        let entered = self.open.fd(&folder, Side::Source).and_then(|fd| {
            let at = At { forest: self, folder: &folder, fd: &fd };
            Ok(self.visit.enter(&at, hands)?.then_some(fd))
        });
        match entered {
            Ok(Some(fd)) => self.read(folder, fd, hands),
            Ok(None) => self.abandon(&folder, hands),
            Err(errno) if folder.parent.is_none() => {
                hands.report.fail_whole(self.root.to_bytes().to_vec(), errno);
            }
            Err(errno) => {
                self.fail(&folder, None, errno, hands);
                self.abandon(&folder, hands);
            }
        }
    }

    /// Gives up on a folder that was not entered.
    fn abandon(&self, folder: &Arc<Folder<V::Extra>>, hands: &mut In<'_, V>) {
        folder.close();
        if let Some(parent) = &folder.parent {
            parent.failed.store(true, Ordering::Relaxed);
            self.done(Arc::clone(parent), hands);
        }
    }

    fn read(&self, folder: Arc<Folder<V::Extra>>, fd: Arc<OwnedFd>, hands: &mut In<'_, V>) {
        loop {
            let mut listing = Listing::default();
            let more = match listing.read(&fd, hands.entries_buffer()) {
                Ok(more) => more,
                // It was removed while it was read.
                Err(Errno::NOENT) => false,
                Err(errno) => {
                    self.fail(&folder, None, errno, hands);
                    false
                }
            };
            if !listing.is_empty() {
                folder.holds_something.store(true, Ordering::Relaxed);
            } else if more {
                // The folder itself, and the one it is in.
                continue;
            }
            if more && listing.len() >= SHARED {
                folder.begin();
                hands.offer(Task::Read(Arc::clone(&folder), Arc::clone(&fd)));
                return self.entries(folder, fd, listing, 0, hands);
            }
            let from = self.visit.entries(
                &At { forest: self, folder: &folder, fd: &fd },
                &mut listing,
                0,
                hands,
            );
            if from < listing.len() {
                if more {
                    folder.begin();
                    hands.push(Task::Read(Arc::clone(&folder), Arc::clone(&fd)));
                }
                return hands.push(Task::Entries(folder, fd, listing, from));
            }
            if !more {
                return self.done(folder, hands);
            }
            if hands.late() || self.visit.is_full() {
                return hands.push(Task::Read(folder, fd));
            }
        }
    }

    fn entries(
        &self,
        folder: Arc<Folder<V::Extra>>,
        fd: Arc<OwnedFd>,
        mut listing: Listing,
        from: usize,
        hands: &mut In<'_, V>,
    ) {
        let at = At { forest: self, folder: &folder, fd: &fd };
        let from = self.visit.entries(&at, &mut listing, from, hands);
        if from < listing.len() {
            hands.push(Task::Entries(folder, fd, listing, from));
        } else {
            self.done(folder, hands);
        }
    }

    /// One thing of a folder's has been done; the last one leads to its parent.
    pub(crate) fn done(&self, mut folder: Arc<Folder<V::Extra>>, hands: &mut In<'_, V>) {
        while folder.end() && !hands.stopped() {
            if let Some(parent) = &folder.parent {
                self.open.climb(&folder, parent);
            }
            if self.visit.leave(self, &folder, hands) {
                match self.rewound(&folder) {
                    Ok(fd) => {
                        folder.begin();
                        return hands.push(Task::Read(folder, fd));
                    }
                    Err(errno) => self.fail(&folder, None, errno, hands),
                }
            }
            folder.close();
            let Some(parent) = folder.parent.clone() else { return };
            if folder.failed.load(Ordering::Relaxed) {
                parent.failed.store(true, Ordering::Relaxed);
            }
            folder = parent;
        }
    }

    fn rewound(&self, folder: &Arc<Folder<V::Extra>>) -> io::Result<Arc<OwnedFd>> {
        let fd = self.open.fd(folder, Side::Source)?;
        rustix::fs::seek(&fd, rustix::fs::SeekFrom::Start(0))?;
        Ok(fd)
    }
}

impl<V: Visit> Work for Forest<V> {
    type Task = Task<V>;
    type Batch = V::Batch;
    type Output = V::Output;

    fn begin(&self, hands: &mut In<'_, V>) {
        match self.visit.begin(self, hands) {
            Ok(Some(fd)) => self.enter(None, Box::default(), fd, hands),
            Ok(None) => {}
            Err(errno) => hands.report.fail_whole(self.root.to_bytes().to_vec(), errno),
        }
    }

    fn perform(&self, task: Task<V>, hands: &mut In<'_, V>) {
        match task {
            Task::Open(parent, name) => {
                let opened =
                    self.open.fd(&parent, Side::Source).and_then(|fd| self.open.open(&fd, &name));
                match opened {
                    Ok(fd) => self.enter(Some(parent), name, fd, hands),
                    Err(errno) => {
                        self.visit.cannot_open(self, &parent, &name, errno, hands);
                        self.done(parent, hands);
                    }
                }
            }
            Task::Read(folder, fd) => self.read(folder, fd, hands),
            Task::Entries(folder, fd, listing, from) => {
                self.entries(folder, fd, listing, from, hands);
            }
            Task::Part(part) => self.visit.part(self, part, hands),
        }
    }

    fn is_full(&self) -> bool {
        self.visit.is_full()
    }

    fn take_batch(&self) -> Option<V::Batch> {
        self.visit.take_batch()
    }

    fn output(&self, progress: Progress) -> V::Output {
        self.visit.output(progress)
    }
}

/// Which folder an open one is.
pub(crate) fn identity(fd: impl AsFd) -> io::Result<Identity> {
    fstat(fd).map(|stat| Identity::of(&stat))
}
