//! `copytree`: copying a tree.

use std::ffi::{CStr, CString, OsStr};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use pyuv::Result;
use rustix::fs::{
    AtFlags, CWD, Mode, OFlags, Stat, fstat, linkat, mkdirat, openat, readlinkat, statat,
    symlinkat, unlinkat,
};
use rustix::io::{self, Errno};

use crate::dirent::DirentType;
use crate::identity::Identity;
use crate::path::PathArg;
use crate::tree::attributes;
use crate::tree::copy_file::{CopyFile, Source, open_source, open_target};
use crate::tree::folder::{Folder, Side};
use crate::tree::forest::{At, Forest, In, Task, Visit, identity};
use crate::tree::hard_links::{HardLinks, Met, Name, has_several};
use crate::tree::job::Tree;
use crate::tree::listing::{Listing, kind_of};
use crate::tree::report::Progress;

/// What becomes of pipes, sockets and devices in a tree that is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Special {
    /// Each is an error, `UV_ENOTSUP`.
    #[default]
    Error,
    /// Each is counted and passed over.
    Skip,
}

/// What [`copytree`] has copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Copied {
    /// Plain files; one with several names counts with each.
    pub files: u64,
    /// Folders, the tree's own included.
    pub folders: u64,
    /// Symbolic links.
    pub links: u64,
    /// The lengths of files and symbolic links, in bytes, as [`du`](crate::tree::du) counts them.
    pub bytes: u64,
    /// Pipes, sockets and devices that were passed over.
    pub skipped: u64,
    /// Paths that failed, and so are missing in the copy.
    pub errors: u64,
}

/// See [`copytree`].
pub struct CopyTree {
    to: CString,
    exist_ok: bool,
    ownership: bool,
    special: Special,
    copy: OnceLock<Identity>,
    hard_links: HardLinks<Original>,
    files: AtomicU64,
    links: AtomicU64,
    skipped: AtomicU64,
}

/// What is remembered of a folder: what its copy is to be, when everything is in it.
#[derive(Default)]
pub struct Original(OnceLock<Stat>);

/// A file that takes more than one turn.
pub struct Part(Arc<Folder<Original>>, Box<CStr>, CopyFile);

/// Copies a folder and everything in it to `to`, which must not exist unless
/// [`exist_ok`](Tree::exist_ok) says otherwise; missing folders above `to` are made.
///
/// Copies have the permissions and, to the nanosecond, the times of the originals, their holes and, as far as the
/// filesystem has such and this process may set them, their extended attributes; a file with several names in the tree
/// has them in the copy, and a symbolic link becomes the same link. Programs that run as their owner do so in the copy
/// only if that has the same owner. A file or link whose copy fails half way is removed again.
///
/// Symbolic links are never followed, in neither tree. The original is read as [`rmtree`] removes;
/// in the copy everything is made by its name in its open folder.
///
/// [`rmtree`]: crate::tree::rmtree
///
/// Fails with `UV_ENOENT`, `UV_ENOTDIR`, `UV_EACCES`, `UV_ELOOP` for a path that is a symbolic link,
/// `UV_EEXIST` where `to` exists, `UV_ENOSPC`, and before anything is made with `UV_EINVAL` for a `to`
/// that is in the tree itself, by whatever path.
pub fn copytree<'a>(
    path: impl Into<PathArg<'a>>,
    to: impl Into<PathArg<'a>>,
) -> Tree<Forest<CopyTree>> {
    let (path, to) = (path.into(), to.into());
    let what = format!("{} -> {}", path.describe(), to.describe());
    let work: Result<_> = path.check().and_then(|()| to.check()).map(|()| {
        let visit = CopyTree {
            to: to.to_c_string(),
            exist_ok: false,
            ownership: false,
            special: Special::Error,
            copy: OnceLock::new(),
            hard_links: HardLinks::default(),
            files: AtomicU64::new(0),
            links: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
        };
        Forest::new(visit, path.to_c_string())
    });
    Tree::new(what, work)
}

impl Tree<Forest<CopyTree>> {
    /// Copies into folders that exist, and over files that do. A symbolic link that is in the way of
    /// a file is replaced; one that is in the way of a folder is an error, `UV_ENOTDIR`.
    #[must_use]
    pub fn exist_ok(self, yes: bool) -> Self {
        self.change(|forest| forest.visit.exist_ok = yes)
    }

    /// Gives the copies the owners of the originals, for which privileges are needed.
    #[must_use]
    pub fn ownership(self, yes: bool) -> Self {
        self.change(|forest| forest.visit.ownership = yes)
    }

    /// What becomes of pipes, sockets and devices.
    #[must_use]
    pub fn special(self, special: Special) -> Self {
        self.change(|forest| forest.visit.special = special)
    }
}

impl CopyTree {
    /// Makes the folder that is to be the copy of the tree's own.
    fn make_root(&self, original: &OwnedFd) -> io::Result<()> {
        let to = Path::new(OsStr::from_bytes(self.to.to_bytes()));
        if self.to.is_empty() {
            return Err(Errno::NOENT);
        }
        let original = identity(original)?;
        // What is missing will be in the nearest folder that is there.
        let mut above = to.ancestors();
        let is_inside = loop {
            let Some(path) = above.next() else { break is_in(CWD, original)? };
            let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
            match openat(CWD, path, FOLDER, Mode::empty()) {
                Ok(fd) => break is_in(fd, original)?,
                Err(Errno::NOENT) => {}
                // A file, say: making the folder tells.
                Err(_) => break false,
            }
        };
        if is_inside {
            return Err(Errno::INVAL);
        }
        if let Some(parent) = to.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            std::fs::create_dir_all(parent)
                .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::NOTDIR))?;
        }
        self.make(CWD, &self.to, Mode::RWXU)
    }

    /// Makes a folder for others to be copied into.
    fn make(&self, parent: impl AsFd, name: &CStr, mode: Mode) -> io::Result<()> {
        match mkdirat(&parent, name, mode | Mode::RWXU) {
            Err(Errno::EXIST) if self.exist_ok => Ok(()),
            made => made,
        }
    }

    /// Gives the length of the link.
    fn copy_link(&self, at: &At<'_, Self>, to: &OwnedFd, name: &CStr) -> io::Result<usize> {
        let stat = statat(at.fd, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let says = readlinkat(at.fd, name, Vec::new())?;
        match symlinkat(&*says, to, name) {
            Err(Errno::EXIST) if self.exist_ok => {
                unlinkat(to, name, AtFlags::empty())?;
                symlinkat(&*says, to, name)?;
            }
            made => made?,
        }
        if let Err(errno) = attributes::copy_to_link(&stat, at.fd, to, name, self.ownership) {
            // As a file is whose copy fails half way.
            let _ = unlinkat(to, name, AtFlags::empty());
            return Err(errno);
        }
        Ok(says.to_bytes().len())
    }

    /// Copies what is not a folder. Gives what takes longer.
    fn copy(
        &self,
        at: &At<'_, Self>,
        to: &Arc<OwnedFd>,
        name: &CStr,
        kind: DirentType,
        hands: &mut In<'_, Self>,
    ) -> io::Result<Option<CopyFile>> {
        match kind {
            DirentType::Dir => at.child(name, hands),
            DirentType::Link => {
                let length = self.copy_link(at, to, name)?;
                hands.report.add_bytes(length as u64);
                hands.report.add_files(1);
                self.links.fetch_add(1, Ordering::Relaxed);
            }
            DirentType::File => {
                let opened = match at.forest.open.retry(|| open_source(at.fd, name)) {
                    // A link has come in its place.
                    Err(Errno::LOOP) => return self.copy(at, to, name, DirentType::Link, hands),
                    opened => opened?,
                };
                let (fd, stat) = match opened {
                    Source::File(fd, stat) => (fd, stat),
                    Source::Other(kind) => return self.copy(at, to, name, kind_of(kind), hands),
                };
                let mut leads = false;
                if has_several(&stat) {
                    match self.hard_links.meet(&stat, at.folder, name) {
                        Met::First => leads = true,
                        Met::Waits => return Ok(None),
                        Met::Again(copy) => match self.link(at.forest, &copy, to, name) {
                            Err(errno) if cannot_link(errno) => {}
                            linked => {
                                linked?;
                                self.count_link(hands);
                                return Ok(None);
                            }
                        },
                    }
                }
                let folder = at.folder;
                let outcome = self.begin(at.forest, (fd, stat), leads, to, name, hands);
                return self.unless_over(at.forest, folder, name, &stat, leads, outcome, hands);
            }
            DirentType::Unknown => {
                if let Some(kind) = at.kind(name, hands).filter(|kind| *kind != DirentType::Unknown)
                {
                    return self.copy(at, to, name, kind, hands);
                }
            }
            _ if self.special == Special::Skip => {
                self.skipped.fetch_add(1, Ordering::Relaxed);
            }
            _ => return Err(Errno::OPNOTSUPP),
        }
        Ok(None)
    }

    /// Copies a plain file. Gives it back when time is up.
    fn begin(
        &self,
        forest: &Forest<Self>,
        source: (OwnedFd, Stat),
        leads: bool,
        to: &Arc<OwnedFd>,
        name: &CStr,
        hands: &mut In<'_, Self>,
    ) -> io::Result<Option<CopyFile>> {
        let target = forest.open.retry(|| open_target(to, name, &source.1, self.exist_ok))?;
        let mut file = CopyFile::new(source, target, to, name);
        file.leads = leads;
        self.go_on(file, hands)
    }

    /// Looks after the file's other names, if its copy is what they wait for and has come to an end.
    #[expect(clippy::too_many_arguments, reason = "which file it is takes four")]
    fn unless_over(
        &self,
        forest: &Forest<Self>,
        folder: &Arc<Folder<Original>>,
        name: &CStr,
        stat: &Stat,
        leads: bool,
        outcome: io::Result<Option<CopyFile>>,
        hands: &mut In<'_, Self>,
    ) -> io::Result<Option<CopyFile>> {
        if leads && !matches!(outcome, Ok(Some(_))) {
            let made = Name(Arc::clone(folder), name.into());
            let made = outcome.is_ok().then_some(made);
            for waiting in self.hard_links.ended(stat, made.clone()) {
                self.link_waiting(forest, made.as_ref(), waiting, hands);
            }
        }
        outcome
    }

    /// A name that has waited for the copy of the file; where there is none, or it can have no further names, the file
    /// is copied once more.
    fn link_waiting(
        &self,
        forest: &Forest<Self>,
        made: Option<&Name<Original>>,
        Name(folder, name): Name<Original>,
        hands: &mut In<'_, Self>,
    ) {
        let linked = forest.open.fd(&folder, Side::Target).and_then(|to| {
            if let Some(made) = made {
                match self.link(forest, made, &to, &name) {
                    Err(errno) if cannot_link(errno) => {}
                    linked => {
                        linked?;
                        self.count_link(hands);
                        return Ok(None);
                    }
                }
            }
            let from = forest.open.fd(&folder, Side::Source)?;
            match forest.open.retry(|| open_source(&from, &name))? {
                Source::File(fd, stat) => self.begin(forest, (fd, stat), false, &to, &name, hands),
                Source::Other(_) => Err(Errno::NOENT),
            }
        });
        match linked {
            Ok(None) => {}
            Ok(Some(rest)) => return hands.push(Task::Part(Part(folder, name, rest))),
            Err(errno) => forest.fail(&folder, Some(&name), errno, hands),
        }
        forest.done(folder, hands);
    }

    /// Gives a copy that has been made a further name.
    fn link(
        &self,
        forest: &Forest<Self>,
        Name(folder, known): &Name<Original>,
        to: &OwnedFd,
        name: &CStr,
    ) -> io::Result<()> {
        let from = forest.open.fd(folder, Side::Target)?;
        let link = || linkat(&from, &**known, to, name, AtFlags::empty());
        match link() {
            Err(Errno::EXIST) if self.exist_ok => {
                unlinkat(to, name, AtFlags::empty())?;
                link()
            }
            linked => linked,
        }
    }

    fn count_link(&self, hands: &In<'_, Self>) {
        hands.report.add_files(1);
        self.files.fetch_add(1, Ordering::Relaxed);
    }

    /// Copies on. Gives the file back when time is up.
    fn go_on(&self, mut file: CopyFile, hands: &mut In<'_, Self>) -> io::Result<Option<CopyFile>> {
        let length = file.stat.st_size as u64;
        let mut copied = 0;
        loop {
            let buffer = hands.content_buffer().map_err(|_| Errno::NOMEM)?;
            let room = buffer.len();
            let count = file.step(buffer)?;
            copied += count as u64;
            hands.report.add_bytes(count as u64);
            // A short block of a file that is no longer than that is its last.
            let is_all = count == 0 || (copied == length && count < room);
            if is_all {
                break;
            }
            if hands.late() {
                return Ok(Some(file));
            }
        }
        attributes::copy(&file.stat, file.source(), file.target(), self.ownership)?;
        file.end();
        hands.report.add_files(1);
        self.files.fetch_add(1, Ordering::Relaxed);
        Ok(None)
    }
}

/// Whether a filesystem cannot give a file a further name, or not so many.
fn cannot_link(errno: Errno) -> bool {
    matches!(errno, Errno::PERM | Errno::MLINK | Errno::OPNOTSUPP | Errno::NOSYS | Errno::NOENT)
}

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Whether an open folder is `wanted` or in it.
fn is_in(folder: impl AsFd, wanted: Identity) -> io::Result<bool> {
    let mut here = openat(&folder, c".", FOLDER, Mode::empty())?;
    let mut known = identity(&here)?;
    while known != wanted {
        here = openat(&here, c"..", FOLDER, Mode::empty())?;
        let above = identity(&here)?;
        if above == known {
            // The root is its own parent.
            return Ok(false);
        }
        known = above;
    }
    Ok(true)
}

impl Visit for CopyTree {
    type Extra = Original;
    type Part = Part;
    type Batch = ();
    type Output = Copied;

    fn enter(&self, at: &At<'_, Self>, hands: &mut In<'_, Self>) -> io::Result<bool> {
        let (open, stat) = (&at.forest.open, fstat(at.fd)?);
        let made = match &at.folder.parent {
            None => {
                let made = self.make_root(at.fd).and_then(|()| open.open(CWD, &self.to));
                let made = made.and_then(|made| Ok((identity(&made)?, made)));
                match made {
                    Ok((copy, made)) => {
                        let _ = self.copy.set(copy);
                        made
                    }
                    Err(errno) => {
                        hands.report.fail_whole(self.to.to_bytes().to_vec(), errno);
                        return Ok(false);
                    }
                }
            }
            // The copy has come into the tree since.
            Some(_) if self.copy.get() == Some(&Identity::of(&stat)) => return Err(Errno::INVAL),
            Some(parent) => {
                let to = open.fd(parent, Side::Target)?;
                let mode = Mode::from_raw_mode(stat.st_mode) & Mode::RWXU;
                self.make(&to, at.folder.name(), mode)?;
                open.open(&to, at.folder.name())?
            }
        };
        let _ = at.folder.extra.0.set(stat);
        open.made(at.folder, made);
        Ok(true)
    }

    fn cannot_open(
        &self,
        forest: &Forest<Self>,
        parent: &Arc<Folder<Original>>,
        name: &CStr,
        errno: Errno,
        hands: &mut In<'_, Self>,
    ) {
        // Also where it is gone: the copy is not what the folder said.
        forest.fail(parent, Some(name), errno, hands);
    }

    fn entries(
        &self,
        at: &At<'_, Self>,
        listing: &mut Listing,
        from: usize,
        hands: &mut In<'_, Self>,
    ) -> usize {
        let to = match at.forest.open.fd(at.folder, Side::Target) {
            Ok(to) => to,
            Err(errno) => {
                at.forest.fail(at.folder, None, errno, hands);
                return listing.len();
            }
        };
        let mut index = from;
        while index < listing.len() && !hands.stopped() {
            let (name, kind) = listing.get(index);
            index += 1;
            match self.copy(at, &to, name, kind, hands) {
                Ok(None) => {}
                Ok(Some(rest)) => {
                    at.folder.begin();
                    hands.push(Task::Part(Part(Arc::clone(at.folder), name.into(), rest)));
                }
                Err(errno) => at.fail(name, errno, hands),
            }
            if hands.late() {
                break;
            }
        }
        index
    }

    fn part(&self, forest: &Forest<Self>, part: Part, hands: &mut In<'_, Self>) {
        let Part(folder, name, file) = part;
        let (stat, leads) = (file.stat, file.leads);
        let outcome = self.go_on(file, hands);
        match self.unless_over(forest, &folder, &name, &stat, leads, outcome, hands) {
            Ok(None) => {}
            Ok(Some(rest)) => return hands.push(Task::Part(Part(folder, name, rest))),
            Err(errno) => forest.fail(&folder, Some(&name), errno, hands),
        }
        forest.done(folder, hands);
    }

    fn leave(
        &self,
        forest: &Forest<Self>,
        folder: &Arc<Folder<Original>>,
        hands: &mut In<'_, Self>,
    ) -> bool {
        let Some(stat) = folder.extra.0.get() else { return false };
        let outcome = forest.open.fd(folder, Side::Target).and_then(|to| {
            let from = forest.open.fd(folder, Side::Source)?;
            attributes::copy(stat, &*from, &*to, self.ownership)
        });
        match outcome {
            Ok(()) => hands.report.add_folders(1),
            Err(errno) => forest.fail(folder, None, errno, hands),
        }
        false
    }

    fn output(&self, progress: Progress) -> Copied {
        Copied {
            files: self.files.load(Ordering::Relaxed),
            folders: progress.folders,
            links: self.links.load(Ordering::Relaxed),
            bytes: progress.bytes,
            skipped: self.skipped.load(Ordering::Relaxed),
            errors: progress.errors,
        }
    }
}
