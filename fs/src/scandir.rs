//! `uv_fs_scandir`

use std::ffi::CStr;
use std::mem::MaybeUninit;

use libuv_sys2 as uv;

use crate::dirent::Dirent;
use crate::operation::{FromRequest, Op, Operation};
use crate::path::PathArg;
use crate::target::OnPath;

/// What a folder holds, in the order of the names' bytes, without `.` and `..`
/// (`uv_fs_scandir`). Fails with `UV_ENOENT`, `UV_ENOTDIR`, `UV_EACCES`.
pub fn scandir<'a>(path: impl Into<PathArg<'a>>) -> impl Operation<Output = Vec<Dirent>> + Send {
    Op {
        target: OnPath(path.into()),
        start: Ok(|path, event_loop, request, callback| {
            // SAFETY: the path is a string that outlives the call; libuv copies it if it goes on
            // without us. It has no flags yet.
            unsafe { uv::uv_fs_scandir(event_loop, request, path, 0, callback) }
        }),
        finish: |request| {
            // SAFETY: the request is a scandir that succeeded.
            unsafe { Vec::from_request(request) }
        },
    }
}

impl FromRequest for Vec<Dirent> {
    unsafe fn from_request(request: *mut uv::uv_fs_t) -> Vec<Dirent> {
        // SAFETY: the request is finished, so the caller.
        let mut entries = Vec::with_capacity(unsafe { usize::from_request(request) });
        let mut entry = MaybeUninit::<uv::uv_dirent_t>::uninit();
        // SAFETY: the request is a scandir's; the entry is filled when 0 is returned, and its
        // name lives until the next call.
        unsafe {
            while uv::uv_fs_scandir_next(request, entry.as_mut_ptr()) == 0 {
                let entry = entry.assume_init_ref();
                entries.push(Dirent {
                    name: CStr::from_ptr(entry.name).to_bytes().into(),
                    kind: entry.type_.into(),
                });
            }
        }
        entries
    }
}
