//! Watching a tree on Linux, whose inotify knows of single folders alone: a handle of its own for each folder below.
//!
//! A folder is watched first and read then: what is made in it meanwhile is told of twice rather than never. What is
//! in a folder that is new is told of as if it had come just now. Symbolic links are not followed.

use std::collections::BTreeMap;
use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use pyuv::kind::{self, Part, Whole};
use pyuv::{Code, Error, Held, Result};
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, open, statat};
use rustix::io::Errno;

use super::{Callback, FsChange, FsEvent, FsEventFlags, FsEvents};
use crate::errno::code;
use crate::identity::Identity;

/// The folders below one that is watched with [`FsEventFlags::RECURSIVE`], by their paths from there.
pub(super) struct Below {
    root: PathBuf,
    folders: BTreeMap<Vec<u8>, Folder>,
}

struct Folder {
    identity: Identity,
    watcher: Part,
}

impl Below {
    pub(super) fn new(root: &std::ffi::CStr) -> Below {
        let root = Path::new(OsStr::from_bytes(root.to_bytes())).to_owned();
        Below { root, folders: BTreeMap::new() }
    }

    fn path(&self, name: &[u8]) -> PathBuf {
        if name.is_empty() { self.root.clone() } else { self.root.join(OsStr::from_bytes(name)) }
    }

    /// Takes a folder and those in it away.
    fn take(&mut self, name: &[u8]) -> Vec<Folder> {
        let mut taken: Vec<Folder> = self.folders.remove(name).into_iter().collect();
        let inside = [name, b"/"].concat();
        let names = self.folders.range(inside.clone()..);
        let names: Vec<Vec<u8>> = names
            .map(|(name, _)| name.clone())
            .take_while(|name| name.starts_with(&inside))
            .collect();
        taken.extend(names.iter().filter_map(|name| self.folders.remove(name)));
        taken
    }

    /// Watches none of them any more.
    pub(super) fn close(self, held: &Held) {
        self.folders.into_values().for_each(|folder| folder.watcher.close(held));
    }
}

/// Which folder is at a path; `None` for what is none, or not there.
fn folder_at(path: &Path) -> Option<Identity> {
    let stat = statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    FileType::from_raw_mode(stat.st_mode).is_dir().then(|| Identity::of(&stat))
}

fn joined(folder: &[u8], name: &[u8]) -> Vec<u8> {
    if folder.is_empty() { name.to_vec() } else { [folder, b"/", name].concat() }
}

/// The entries of a folder, and whether each is a folder itself. None of one that is gone, or may not be read.
fn entries(path: &Path) -> Result<Vec<(Vec<u8>, bool)>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let failed = |errno| match errno {
        Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::ACCESS => Ok(Vec::new()),
        errno => Err(Error::new(code(errno), path.to_string_lossy().into_owned())),
    };
    let opened = open(path, flags, Mode::empty()).and_then(Dir::new);
    let mut folder = match opened {
        Ok(folder) => folder,
        Err(errno) => return failed(errno),
    };
    let mut entries = Vec::new();
    while let Some(entry) = folder.read() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(errno) => return failed(errno),
        };
        let name = entry.file_name().to_bytes();
        if matches!(name, b"." | b"..") {
            continue;
        }
        let is_folder = match entry.file_type() {
            FileType::Unknown => folder_at(&path.join(OsStr::from_bytes(name))).is_some(),
            kind => kind.is_dir(),
        };
        entries.push((name.to_vec(), is_folder));
    }
    Ok(entries)
}

impl FsEvent {
    /// Watches every folder below one, which is itself. Gives the names of all that is in them.
    ///
    /// Fails with `UV_ENOSPC` where no watch is left, `UV_EMFILE`.
    pub(super) fn watch_below(&self, held: &Held, folder: &[u8]) -> Result<Vec<Vec<u8>>> {
        let mut found = Vec::new();
        let mut unread = vec![folder.to_vec()];
        while let Some(folder) = unread.pop() {
            let Some(path) = self.path_below(held, &folder) else { break };
            for (name, is_folder) in entries(&path)? {
                let name = joined(&folder, &name);
                if is_folder && self.watch_folder(held, &name)? {
                    unread.push(name.clone());
                }
                found.push(name);
            }
        }
        Ok(found)
    }

    fn path_below(&self, held: &Held, name: &[u8]) -> Option<PathBuf> {
        let below = kind::extra(self, held).below.borrow();
        below.as_ref().map(|below| below.path(name))
    }

    /// Watches a folder, unless that is done. Returns whether it is there.
    fn watch_folder(&self, held: &Held, name: &[u8]) -> Result<bool> {
        let Some(path) = self.path_below(held, name) else { return Ok(false) };
        let Some(identity) = folder_at(&path) else { return Ok(false) };
        let known = kind::extra(self, held)
            .below
            .borrow()
            .as_ref()
            .and_then(|below| below.folders.get(name).map(|folder| folder.identity));
        if known == Some(identity) {
            return Ok(true);
        }
        self.forget_folder(held, name);
        let watcher = FsEvent::new(&self.event_loop())?;
        watcher.hide("FSEvent")?;
        kind::extra(&watcher, held).is_part.set(true);
        // SAFETY: what is watched below is closed with the whole, or before.
        let whole = unsafe { Whole::of(self, held) };
        let own = name.to_vec();
        let c_path = CString::new(path.into_os_string().into_encoded_bytes());
        let c_path = c_path.map_err(|_| Error::new(Code::EINVAL, "a path with a NUL"))?;
        let started =
            watcher.start(c_path.as_c_str(), FsEventFlags::empty(), move |watcher, change| {
                if let (Ok(held), Ok(change)) = (kind::hold(watcher), change) {
                    let is_own = kind::extra(watcher, &held).is_own.get();
                    below_told(&whole, &held, &own, is_own, change);
                }
            });
        match started {
            // It is gone, or nobody may read it.
            Err(error)
                if matches!(error.code(), Some(Code::ENOENT | Code::ENOTDIR | Code::EACCES)) =>
            {
                return Ok(false);
            }
            started => started?,
        }
        // What is watched keeps the loop running by itself.
        watcher.set_ref(false)?;
        if let Some(below) = &mut *kind::extra(self, held).below.borrow_mut() {
            // SAFETY: the extra of a handle is dropped by the loop's owner.
            let watcher = unsafe { Part::of(&watcher, held) };
            below.folders.insert(name.to_vec(), Folder { identity, watcher });
        }
        Ok(true)
    }

    fn forget_folder(&self, held: &Held, name: &[u8]) {
        let taken =
            kind::extra(self, held).below.borrow_mut().as_mut().map(|below| below.take(name));
        taken.into_iter().flatten().for_each(|folder| folder.watcher.close(held));
    }

    /// A name has come, gone or changed: watches what is a folder, and tells of what is in it.
    pub(super) fn look_below(&self, held: &Held, name: &[u8], callback: &mut Callback) {
        let Some(path) = self.path_below(held, name) else { return };
        let known = {
            let below = kind::extra(self, held).below.borrow();
            below.as_ref().and_then(|below| below.folders.get(name).map(|folder| folder.identity))
        };
        match folder_at(&path) {
            None => {
                if known.is_some() {
                    self.forget_folder(held, name);
                }
            }
            Some(found) if known == Some(found) => {}
            Some(_) => self.tell_new(held, name, callback),
        }
    }

    /// Watches a folder that is new and all below it, and tells of what is there.
    fn tell_new(&self, held: &Held, name: &[u8], callback: &mut Callback) {
        let turn = kind::extra(self, held).turn.get();
        let found = match self.watch_folder(held, name) {
            Ok(true) => self.watch_below(held, name),
            Ok(false) => Ok(Vec::new()),
            Err(error) => Err(error),
        };
        match found {
            Ok(found) => {
                for name in found {
                    if self.is_closing() || kind::extra(self, held).turn.get() != turn {
                        return;
                    }
                    let events = FsEvents::RENAME;
                    callback(self, Ok(FsChange { filename: Some(&name), events }));
                }
            }
            Err(error) => callback(self, Err(error)),
        }
    }

    /// Events were lost: finds out which folders there are.
    pub(super) fn look_again(&self, held: &Held, callback: &mut Callback) {
        let stale: Vec<Vec<u8>> = {
            let below = kind::extra(self, held).below.borrow();
            let Some(below) = &*below else { return };
            let is_stale = |name: &[u8], folder: &Folder| {
                folder_at(&below.path(name)) != Some(folder.identity)
            };
            let folders = below.folders.iter();
            folders
                .filter(|(name, folder)| is_stale(name, folder))
                .map(|(name, _)| name.clone())
                .collect()
        };
        stale.iter().for_each(|name| self.forget_folder(held, name));
        if let Err(error) = self.watch_below(held, b"") {
            callback(self, Err(error));
        }
    }
}

/// Something happened in a folder, or to it where that `is_own`.
fn below_told(whole: &Whole, held: &Held, folder: &[u8], is_own: bool, change: FsChange<'_>) {
    whole.dispatch::<FsEvent>(held, |callback, whole, held| {
        if is_own {
            // The folder that it is in tells of that. Its watch may be dead, whatever has its name by now.
            if change.events.contains(FsEvents::RENAME) {
                whole.forget_folder(held, folder);
                whole.look_below(held, folder, callback);
            }
            return;
        }
        let turn = kind::extra(whole, held).turn.get();
        let name = joined(folder, change.filename.unwrap_or_default());
        callback(whole, Ok(FsChange { filename: Some(&name), events: change.events }));
        let goes_on = !whole.is_closing() && kind::extra(whole, held).turn.get() == turn;
        if goes_on && change.events.contains(FsEvents::RENAME) {
            whole.look_below(held, &name, callback);
        }
    });
}
