//! A folder on the way through a tree, and its place in the file system.
//!
//! A folder is opened by its name in its parent, which is open, and never through a symbolic link:
//! so whatever others do to the tree meanwhile, the way does not leave it. Paths are only made to
//! tell of; they may be longer than the system takes.
//!
//! So many folders are open at a time, however deep the tree is. The one that was opened first is
//! closed; what it was is remembered, and when it is needed again it is found from a folder in it
//! by `..`, or by names from one above that is open, and must be the same.

use std::collections::VecDeque;
use std::ffi::CStr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use rustix::fs::{Mode, OFlags, fstat, openat};
use rustix::io::{self, Errno};

use crate::identity::Identity;

/// How many folders a job keeps open beside those that are being worked on.
const OPEN: usize = 64;

/// The tree that is worked on, or the copy that is made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Source = 0,
    Target = 1,
}

enum Place {
    /// Never opened, or not needed any more.
    Closed,
    Open(Arc<OwnedFd>),
    /// Closed for want of room.
    Away(Identity),
}

/// A folder, and those it is in.
pub struct Folder<X> {
    /// None for the tree's own folder.
    pub(crate) parent: Option<Arc<Folder<X>>>,
    /// Empty for the tree's own folder.
    name: Box<CStr>,
    places: [Mutex<Place>; 2],
    /// What is still to be done in it; at 0 it is over.
    pending: AtomicUsize,
    /// Something in it failed, so that it cannot be removed.
    pub(crate) failed: AtomicBool,
    /// An entry has been read.
    pub(crate) holds_something: AtomicBool,
    pub(crate) extra: X,
}

fn lock(place: &Mutex<Place>) -> MutexGuard<'_, Place> {
    place.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<X: Default> Folder<X> {
    /// A folder that has been opened, with one thing to be done.
    pub(crate) fn new(parent: Option<Arc<Folder<X>>>, name: Box<CStr>, fd: OwnedFd) -> Folder<X> {
        let open = Mutex::new(Place::Open(Arc::new(fd)));
        Folder {
            parent,
            name,
            places: [open, Mutex::new(Place::Closed)],
            pending: AtomicUsize::new(1),
            failed: AtomicBool::new(false),
            holds_something: AtomicBool::new(false),
            extra: X::default(),
        }
    }
}

impl<X> Folder<X> {
    pub(crate) fn name(&self) -> &CStr {
        &self.name
    }

    pub(crate) fn begin(&self) {
        self.pending.fetch_add(1, Ordering::Relaxed);
    }

    /// One thing has been done. Returns whether it was the last.
    pub(crate) fn end(&self) -> bool {
        self.pending.fetch_sub(1, Ordering::AcqRel) == 1
    }

    fn place(&self, side: Side) -> MutexGuard<'_, Place> {
        lock(&self.places[side as usize])
    }

    fn open_fd(&self, side: Side) -> Option<Arc<OwnedFd>> {
        match &*self.place(side) {
            Place::Open(fd) => Some(Arc::clone(fd)),
            _ => None,
        }
    }

    /// Closes it for good.
    pub(crate) fn close(&self) {
        for place in &self.places {
            *lock(place) = Place::Closed;
        }
    }

    /// Its path under that of the tree, and `name` in it.
    pub(crate) fn path(&self, root: &[u8], name: Option<&CStr>) -> Vec<u8> {
        let mut names = vec![name.unwrap_or_default().to_bytes()];
        let mut folder = self;
        while let Some(parent) = &folder.parent {
            names.push(folder.name.to_bytes());
            folder = parent;
        }
        let mut path = root.to_vec();
        for name in names.into_iter().rev().filter(|name| !name.is_empty()) {
            if path.last() != Some(&b'/') {
                path.push(b'/');
            }
            path.extend_from_slice(name);
        }
        path
    }
}

impl<X> Drop for Folder<X> {
    /// One after the other: a tree may be deeper than the stack.
    fn drop(&mut self) {
        let mut parent = self.parent.take();
        while let Some(mut folder) = parent.and_then(Arc::into_inner) {
            parent = folder.parent.take();
        }
    }
}

/// The folders that are open beside those that are being worked on.
pub(crate) struct OpenFolders<X>(Mutex<VecDeque<(Weak<Folder<X>>, Side)>>);

const FLAGS: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

impl<X> OpenFolders<X> {
    pub(crate) fn new() -> OpenFolders<X> {
        OpenFolders(Mutex::default())
    }

    fn list(&self) -> MutexGuard<'_, VecDeque<(Weak<Folder<X>>, Side)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a folder by its name in an open one. A symbolic link is `ENOTDIR` or `ELOOP`.
    pub(crate) fn open(&self, parent: impl AsFd, name: &CStr) -> io::Result<OwnedFd> {
        self.retry(|| openat(&parent, name, FLAGS, Mode::empty()))
    }

    /// Opens something, where no fd is left after all folders that can be spared were closed.
    pub(crate) fn retry<T>(&self, open: impl Fn() -> io::Result<T>) -> io::Result<T> {
        match open() {
            Err(Errno::MFILE | Errno::NFILE) => {
                self.spare(0);
                open()
            }
            outcome => outcome,
        }
    }

    /// Counts a folder that has been opened, and closes those that are too many.
    pub(crate) fn opened(&self, folder: &Arc<Folder<X>>, side: Side) {
        // The tree's own folder has no parent to be found from.
        if folder.parent.is_some() {
            self.list().push_back((Arc::downgrade(folder), side));
            self.spare(OPEN);
        }
    }

    /// Puts the copy of a folder in its place.
    pub(crate) fn made(&self, folder: &Arc<Folder<X>>, fd: OwnedFd) {
        *folder.place(Side::Target) = Place::Open(Arc::new(fd));
        self.opened(folder, Side::Target);
    }

    fn spare(&self, most: usize) {
        loop {
            let mut list = self.list();
            if list.len() <= most {
                return;
            }
            let oldest = list.pop_front();
            drop(list);
            let Some((Some(folder), side)) = oldest.map(|(weak, side)| (weak.upgrade(), side))
            else {
                continue;
            };
            let mut place = folder.place(side);
            if let Place::Open(fd) = &*place
                && let Ok(stat) = fstat(fd)
            {
                *place = Place::Away(Identity::of(&stat));
            }
        }
    }

    /// The open folder, opened again if it must be.
    pub(crate) fn fd(&self, folder: &Arc<Folder<X>>, side: Side) -> io::Result<Arc<OwnedFd>> {
        if let Some(fd) = folder.open_fd(side) {
            return Ok(fd);
        }
        // In a deep tree, what was closed is far below the nearest that is open, and next to one
        // that is.
        if let Some(inner) = self.open_child(folder) {
            self.climb(&inner, folder);
        }
        let mut missing = Vec::new();
        let mut above = folder;
        let mut fd = loop {
            if let Some(fd) = above.open_fd(side) {
                break fd;
            }
            missing.push(above);
            above = above.parent.as_ref().ok_or(Errno::BADF)?;
        };
        while let Some(next) = missing.pop() {
            let opened = self.open(&fd, &next.name)?;
            // Those just above are wanted next.
            fd = if missing.len() < OPEN / 4 {
                self.put_back(next, side, opened)?
            } else {
                Arc::new(opened)
            };
        }
        Ok(fd)
    }

    /// A folder in this one that was opened lately.
    fn open_child(&self, folder: &Arc<Folder<X>>) -> Option<Arc<Folder<X>>> {
        let list = self.list();
        list.iter().rev().find_map(|(weak, _)| {
            let inner = weak.upgrade()?;
            let is_in = inner.parent.as_ref().is_some_and(|parent| Arc::ptr_eq(parent, folder));
            is_in.then_some(inner)
        })
    }

    /// Opens the parent of a folder again, from the folder, while that is open.
    pub(crate) fn climb(&self, folder: &Folder<X>, parent: &Arc<Folder<X>>) {
        for side in [Side::Source, Side::Target] {
            if !matches!(&*parent.place(side), Place::Away(_)) {
                continue;
            }
            if let Some(fd) = folder.open_fd(side)
                && let Ok(opened) = self.open(&fd, c"..")
            {
                // Where it has been moved, it is looked for by its names when it is needed.
                let _ = self.put_back(parent, side, opened);
            }
        }
    }

    /// Takes an fd for a folder's, if it is the same folder.
    fn put_back(
        &self,
        folder: &Arc<Folder<X>>,
        side: Side,
        opened: OwnedFd,
    ) -> io::Result<Arc<OwnedFd>> {
        let identity = Identity::of(&fstat(&opened)?);
        let mut place = folder.place(side);
        match &*place {
            Place::Open(fd) => return Ok(Arc::clone(fd)),
            // Another one has its name.
            Place::Away(known) if *known != identity => return Err(Errno::NOENT),
            _ => {}
        }
        let fd = Arc::new(opened);
        *place = Place::Open(Arc::clone(&fd));
        drop(place);
        self.opened(folder, side);
        Ok(fd)
    }
}
