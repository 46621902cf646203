//! `uv_dir_t`: a folder that is read a batch of entries at a time.

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use libuv_sys2 as uv;
use pyuv::{Code, Error, Result};

use crate::dirent::Dirent;
use crate::function::Function;
use crate::operation::{FromRequest, Op, Operation};
use crate::path::PathArg;
use crate::target::OnPath;

/// An open folder (`uv_dir_t`): a reference, whose clones are the same folder. It is closed by
/// [`closedir`], or when the last reference is dropped.
#[derive(Clone)]
pub struct Dir(Arc<Inner>);

struct Inner {
    path: String,
    /// One operation at a time; others wait for it.
    stream: Mutex<Option<Stream>>,
}

/// libuv's struct, until it is closed.
struct Stream(NonNull<uv::uv_dir_t>);

// SAFETY: the struct belongs to no thread.
unsafe impl Send for Stream {}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut request = MaybeUninit::<uv::uv_fs_t>::uninit();
        // SAFETY: the struct is libuv's, and open; without a callback libuv uses no loop. It is
        // freed here.
        unsafe {
            uv::uv_fs_closedir(ptr::null_mut(), request.as_mut_ptr(), self.0.as_ptr(), None);
            uv::uv_fs_req_cleanup(request.as_mut_ptr());
        }
    }
}

impl FromRequest for Stream {
    unsafe fn from_request(request: *mut uv::uv_fs_t) -> Stream {
        // SAFETY: an opendir that succeeded gives its struct, which the request does not free.
        Stream(unsafe { NonNull::new_unchecked(uv::uv_fs_get_ptr(request).cast()) })
    }
}

impl Dir {
    /// The path it was opened by, for people.
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// Whether it was closed. Waits for an operation that is under way.
    pub fn is_closed(&self) -> bool {
        self.lock().is_none()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Stream>> {
        self.0.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn closed(&self) -> Error {
        Error::new(Code::EBADF, format!("{} is closed", self.0.path))
    }

    fn read(&self, most: usize) -> Result<Vec<Dirent>> {
        let mut stream = self.lock();
        let stream = stream.as_mut().ok_or_else(|| self.closed())?;
        let mut entries = Vec::<uv::uv_dirent_t>::new();
        entries
            .try_reserve_exact(most)
            .map_err(|_| Error::new(Code::ENOMEM, format!("{most} entries of {}", self.0.path)))?;
        let mut request = MaybeUninit::<uv::uv_fs_t>::uninit();
        let request = request.as_mut_ptr();
        // SAFETY: the struct is open and nobody else's while the lock is held; libuv writes at
        // most as many entries as it is told, and gives how many it were. Their names live until
        // the request is cleaned up.
        unsafe {
            let dir = stream.0.as_ptr();
            (*dir).dirents = entries.as_mut_ptr();
            (*dir).nentries = most;
            let count = uv::uv_fs_readdir(ptr::null_mut(), request, dir, None);
            let outcome = Error::check(count, self.0.path.clone()).map(|count| {
                entries.set_len(count as usize);
                let named = entries.iter().map(|entry| Dirent {
                    name: CStr::from_ptr(entry.name).to_bytes().into(),
                    kind: entry.type_.into(),
                });
                named.collect()
            });
            uv::uv_fs_req_cleanup(request);
            (*dir).dirents = ptr::null_mut();
            (*dir).nentries = 0;
            outcome
        }
    }
}

impl std::fmt::Debug for Dir {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Dir({:?})", self.0.path)
    }
}

/// Opens a folder to be read by [`readdir`] (`uv_fs_opendir`). Fails with `UV_ENOENT`,
/// `UV_ENOTDIR`, `UV_EACCES`, `UV_EMFILE`.
pub fn opendir<'a>(path: impl Into<PathArg<'a>>) -> impl Operation<Output = Dir> + Send {
    let path = path.into();
    let what = path.describe();
    let work = path.check().map(|()| {
        let (path, name) = (path.into_owned(), what.clone());
        move || {
            let stream: Stream = Op {
                target: OnPath(path),
                start: Ok(|path, event_loop, request, callback| {
                    // SAFETY: the path is a string that outlives the call.
                    unsafe { uv::uv_fs_opendir(event_loop, request, path, callback) }
                }),
                finish: |request| {
                    // SAFETY: the request is an opendir that succeeded.
                    unsafe { Stream::from_request(request) }
                },
            }
            .run()?;
            Ok(Dir(Arc::new(Inner { path: name, stream: Mutex::new(Some(stream)) })))
        }
    });
    Function { what, work }
}

/// At most `most` further entries of a folder, in the order of the filesystem, without `.` and
/// `..` (`uv_fs_readdir`); none at the end. Operations on one folder wait for each other.
///
/// Fails with `UV_EBADF` once the folder is closed, `UV_EINVAL` for a `most` of 0, `UV_ENOMEM`
/// for one that memory does not hold.
pub fn readdir(dir: &Dir, most: usize) -> impl Operation<Output = Vec<Dirent>> + Send {
    let what = dir.0.path.clone();
    let dir = dir.clone();
    let work = if most == 0 {
        Err(Error::new(Code::EINVAL, "no entries are asked for"))
    } else {
        Ok(move || dir.read(most))
    };
    Function { what, work }
}

/// Closes a folder (`uv_fs_closedir`). Fails with `UV_EBADF` for one that is closed.
pub fn closedir(dir: &Dir) -> impl Operation<Output = ()> + Send {
    let what = dir.0.path.clone();
    let dir = dir.clone();
    Function { what, work: Ok(move || dir.lock().take().map(drop).ok_or_else(|| dir.closed())) }
}
