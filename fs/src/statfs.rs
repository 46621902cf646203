//! `uv_statfs_t`: what the system knows of a filesystem.

use libuv_sys2 as uv;

use crate::operation::FromRequest;

/// What [`statfs`](crate::statfs) tells of a filesystem (`uv_statfs_t`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct StatFs {
    /// The kind of filesystem, a magic number of the system's; 0 where it has none.
    pub kind: u64,
    /// The block size that suits I/O, in bytes.
    pub bsize: u64,
    /// The unit of the following three, in bytes.
    pub frsize: u64,
    /// Blocks in all.
    pub blocks: u64,
    /// Blocks that are free.
    pub bfree: u64,
    /// Blocks that are free for programs without privileges.
    pub bavail: u64,
    /// Files that there can be; 0 where there is no such number.
    pub files: u64,
    /// Files that there can be beside those that there are.
    pub ffree: u64,
}

impl FromRequest for StatFs {
    unsafe fn from_request(request: *mut uv::uv_fs_t) -> StatFs {
        // SAFETY: a statfs that succeeded has this struct as its result.
        let found = unsafe { &*uv::uv_fs_get_ptr(request).cast::<uv::uv_statfs_t>() };
        StatFs {
            kind: found.f_type,
            bsize: found.f_bsize,
            frsize: found.f_frsize,
            blocks: found.f_blocks,
            bfree: found.f_bfree,
            bavail: found.f_bavail,
            files: found.f_files,
            ffree: found.f_ffree,
        }
    }
}
