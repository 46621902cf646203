//! What a job on a tree tells of itself: how far it is, what went wrong, and whether to stop.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyuv::{Code, Error};
use rustix::io::Errno;

use crate::errno::code;

/// What becomes of a job on a tree when one of its paths fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// It ends with that error. What other threads have under way is finished first.
    #[default]
    Stop,
    /// It goes on with everything else, and tells of the error at the end.
    Continue,
}

/// How far a job on a tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Entries that are no folders: found, read, copied or removed, as the job goes.
    pub files: u64,
    /// Folders: found, copied or removed.
    pub folders: u64,
    /// Bytes found ([`du`](crate::tree::du)), copied or read; 0 where none are looked at.
    pub bytes: u64,
    /// Paths that failed.
    pub errors: u64,
}

/// What went wrong with one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathError {
    /// The path the job was given, joined with the names on the way.
    pub path: Vec<u8>,
    /// What the system said.
    pub code: Code,
}

impl From<&PathError> for Error {
    fn from(failed: &PathError) -> Error {
        Error::new(failed.code, String::from_utf8_lossy(&failed.path).into_owned())
    }
}

/// How a job on a tree ended.
#[derive(Debug)]
pub struct Ended<T> {
    /// What it gives; or the error that stopped it, `UV_ECANCELED` if that was
    /// [`cancel`](crate::tree::TreeRequest::cancel).
    pub result: Result<T, Error>,
    /// Every path that failed, in the order of the failures. With [`OnError::Continue`] the result
    /// is there all the same.
    pub errors: Vec<PathError>,
}

pub(crate) struct Report {
    on_error: OnError,
    stopped: AtomicBool,
    files: AtomicU64,
    folders: AtomicU64,
    bytes: AtomicU64,
    error_count: AtomicU64,
    wrong: Mutex<Wrong>,
}

#[derive(Default)]
struct Wrong {
    ended_by: Option<Error>,
    errors: Vec<PathError>,
}

impl Report {
    pub(crate) fn new(on_error: OnError) -> Report {
        Report {
            on_error,
            stopped: AtomicBool::new(false),
            files: AtomicU64::new(0),
            folders: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            error_count: AtomicU64::new(0),
            wrong: Mutex::default(),
        }
    }

    fn wrong(&self) -> MutexGuard<'_, Wrong> {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the job is to end as soon as it can.
    pub(crate) fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// A path failed.
    pub(crate) fn fail(&self, path: Vec<u8>, errno: Errno) {
        self.failed(path, errno, self.on_error == OnError::Stop);
    }

    /// The path that all depends on failed.
    pub(crate) fn fail_whole(&self, path: Vec<u8>, errno: Errno) {
        self.failed(path, errno, true);
    }

    fn failed(&self, path: Vec<u8>, errno: Errno, end: bool) {
        let failed = PathError { path, code: code(errno) };
        if end {
            self.end(Error::from(&failed));
        }
        self.wrong().errors.push(failed);
        self.error_count.fetch_add(1, Ordering::Relaxed);
    }

    /// Ends the job with `error`, unless another has ended it already.
    pub(crate) fn end(&self, error: Error) {
        self.wrong().ended_by.get_or_insert(error);
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub(crate) fn add_files(&self, count: u64) {
        self.files.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn add_folders(&self, count: u64) {
        self.folders.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn add_bytes(&self, count: u64) {
        self.bytes.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn progress(&self) -> Progress {
        Progress {
            files: self.files.load(Ordering::Relaxed),
            folders: self.folders.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            errors: self.error_count.load(Ordering::Relaxed),
        }
    }

    /// Takes out what went wrong, at the end.
    pub(crate) fn take(&self) -> (Option<Error>, Vec<PathError>) {
        let wrong = std::mem::take(&mut *self.wrong());
        (wrong.ended_by, wrong.errors)
    }
}
