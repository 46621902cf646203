//! The table of operations that differ only in their arguments and result.

use libuv_sys2 as uv;

use crate::argument;
use crate::opened::Opened;
use crate::operation::{FromRequest, Op, Operation, prepare};
use crate::path::PathArg;
use crate::stat::Stat;
use crate::statfs::StatFs;
use crate::target::{OnFd, OnPath, OnPaths};

/// One row per operation:
///
/// ```text
/// /// What it does.
/// name(target, argument: type as conversion, ...) -> result = uv_function;
/// ```
///
/// The target is `path`, `path -> new_path` or `fd`; a conversion is a function of `argument.rs`.
/// A row becomes a function that returns an [`Operation`].
macro_rules! operations {
    () => {};
    (
        $(#[$doc:meta])*
        $name:ident(path $(, $argument:ident: $type:ty => $convert:ident)*) -> $output:ty = $uv:ident;
        $($rest:tt)*
    ) => {
        $(#[$doc])*
        pub fn $name<'a>(
            path: impl Into<PathArg<'a>>,
            $($argument: $type),*
        ) -> impl Operation<Output = $output> + Send {
            operations!(
                @op OnPath(path.into()), (path),
                ($($argument => $convert),*), $output, $uv
            )
        }
        operations! { $($rest)* }
    };
    (
        $(#[$doc:meta])*
        $name:ident(path -> new_path $(, $argument:ident: $type:ty => $convert:ident)*) -> $output:ty = $uv:ident;
        $($rest:tt)*
    ) => {
        $(#[$doc])*
        pub fn $name<'a>(
            path: impl Into<PathArg<'a>>,
            new_path: impl Into<PathArg<'a>>,
            $($argument: $type),*
        ) -> impl Operation<Output = $output> + Send {
            operations!(
                @op OnPaths(path.into(), new_path.into()), (path, new_path),
                ($($argument => $convert),*), $output, $uv
            )
        }
        operations! { $($rest)* }
    };
    (
        $(#[$doc:meta])*
        $name:ident(fd $(, $argument:ident: $type:ty => $convert:ident)*) -> $output:ty = $uv:ident;
        $($rest:tt)*
    ) => {
        $(#[$doc])*
        pub fn $name(fd: i32, $($argument: $type),*) -> impl Operation<Output = $output> + Send {
            operations!(
                @op OnFd(fd), (fd),
                ($($argument => $convert),*), $output, $uv
            )
        }
        operations! { $($rest)* }
    };
    (
        @op $target:expr, ($($subject:ident),*),
        ($($argument:ident => $convert:ident),*), $output:ty, $uv:ident
    ) => {
        Op {
            target: $target,
            start: prepare(|| {
                $(let $argument = argument::$convert($argument)?;)*
                #[allow(unused_parens)]
                Ok(move |($($subject),*), event_loop, request, callback| {
                    // SAFETY: the paths are strings that outlive the call; libuv copies them if
                    // it goes on without us. The request and the loop are the caller's.
                    unsafe {
                        uv::$uv(event_loop, request, $($subject,)* $($argument,)* callback)
                    }
                })
            }),
            finish: |request| {
                // SAFETY: the request belongs to this row, whose result this is.
                unsafe { <$output>::from_request(request) }
            },
        }
    };
}

operations! {
    /// What the system knows of the file that `path` leads to (`uv_fs_stat`). Fails with
    /// `UV_ENOENT`, `UV_ENOTDIR`, `UV_EACCES`, `UV_ELOOP`.
    stat(path) -> Stat = uv_fs_stat;

    /// [`stat`], of the link itself where `path` is a symbolic link (`uv_fs_lstat`).
    lstat(path) -> Stat = uv_fs_lstat;

    /// [`stat`] of an open file (`uv_fs_fstat`). Fails with `UV_EBADF`.
    fstat(fd) -> Stat = uv_fs_fstat;

    /// What the system knows of the filesystem that `path` is on (`uv_fs_statfs`). Fails with
    /// `UV_ENOENT`.
    statfs(path) -> StatFs = uv_fs_statfs;

    /// Removes a name of a file (`uv_fs_unlink`). Fails with `UV_ENOENT`, `UV_EISDIR`,
    /// `UV_EACCES`.
    unlink(path) -> () = uv_fs_unlink;

    /// Makes a folder (`uv_fs_mkdir`), its permissions `mode` less the process's umask. Fails with
    /// `UV_EEXIST`, `UV_ENOENT` where its parent is missing, `UV_EACCES`.
    mkdir(path, mode: u32 => mode) -> () = uv_fs_mkdir;

    /// Removes an empty folder (`uv_fs_rmdir`). Fails with `UV_ENOTEMPTY`, `UV_ENOENT`,
    /// `UV_ENOTDIR`.
    rmdir(path) -> () = uv_fs_rmdir;

    /// Gives a file another name, in place of what has that name (`uv_fs_rename`). Fails with
    /// `UV_EXDEV` across filesystems, `UV_ENOENT`.
    rename(path -> new_path) -> () = uv_fs_rename;

    /// Sets permissions (`uv_fs_chmod`). Fails with `UV_EPERM`, `UV_ENOENT`.
    chmod(path, mode: u32 => mode) -> () = uv_fs_chmod;

    /// [`chmod`] of an open file (`uv_fs_fchmod`).
    fchmod(fd, mode: u32 => mode) -> () = uv_fs_fchmod;

    /// Copies a file's content and permissions (`uv_fs_copyfile`); on Unix `copyfile.rs` does.
    #[cfg(windows)]
    copyfile(path -> new_path, flags: i32 => flags) -> () = uv_fs_copyfile;

    /// Gives a file a further name (`uv_fs_link`). Fails with `UV_EEXIST`, `UV_EXDEV`.
    link(path -> new_path) -> () = uv_fs_link;

    /// Makes `new_path` a symbolic link that says `path` (`uv_fs_symlink`). `flags` is 0, or on
    /// Windows [`SYMLINK_DIR`](crate::SYMLINK_DIR) or
    /// [`SYMLINK_JUNCTION`](crate::SYMLINK_JUNCTION). Fails with `UV_EEXIST`.
    symlink(path -> new_path, flags: i32 => flags) -> () = uv_fs_symlink;

    /// What a symbolic link says (`uv_fs_readlink`), as the system's bytes. Fails with
    /// `UV_EINVAL` for what is not a link.
    readlink(path) -> Vec<u8> = uv_fs_readlink;

    /// The absolute path without links or dots (`uv_fs_realpath`), as the system's bytes. Fails
    /// with `UV_ENOENT`, `UV_ELOOP`.
    realpath(path) -> Vec<u8> = uv_fs_realpath;

    /// Sets owner and group (`uv_fs_chown`); `u32::MAX` leaves one as it is. Fails with
    /// `UV_EPERM`.
    chown(path, uid: u32 => id, gid: u32 => id) -> () = uv_fs_chown;

    /// [`chown`] of an open file (`uv_fs_fchown`).
    fchown(fd, uid: u32 => id, gid: u32 => id) -> () = uv_fs_fchown;

    /// [`chown`], of the link itself where `path` is a symbolic link (`uv_fs_lchown`).
    lchown(path, uid: u32 => id, gid: u32 => id) -> () = uv_fs_lchown;

    /// Opens a file (`uv_fs_open`) and gives its fd, which is closed on exec, and with the
    /// [`Opened`]. `mode` is what a
    /// file made by `O_CREAT` gets, less the process's umask. Fails with `UV_ENOENT`,
    /// `UV_EACCES`, `UV_EEXIST`, `UV_EMFILE`.
    open(path, flags: i32 => flags, mode: u32 => mode) -> Opened = uv_fs_open;

    /// Closes an fd (`uv_fs_close`). Fails with `UV_EBADF`; whatever it fails with, the fd is
    /// closed.
    close(fd) -> () = uv_fs_close;

    /// Whether the file is there (`flags` 0) and may be used as `flags` say, a union of `R_OK`,
    /// `W_OK` and `X_OK` (`uv_fs_access`). Fails with `UV_ENOENT`, `UV_EACCES`.
    access(path, flags: i32 => flags) -> () = uv_fs_access;

    /// Has the file's content and attributes reach the disk (`uv_fs_fsync`). Fails with
    /// `UV_EINVAL` for what cannot be synchronised, `UV_EIO`.
    fsync(fd) -> () = uv_fs_fsync;

    /// [`fsync`], less the attributes that reading the content back does not need
    /// (`uv_fs_fdatasync`).
    fdatasync(fd) -> () = uv_fs_fdatasync;

    /// Cuts a file, or fills it up with zeros, to `length` bytes (`uv_fs_ftruncate`). Fails with
    /// `UV_EINVAL` where the fd is not open for writing, `UV_EFBIG`.
    ftruncate(fd, length: u64 => size) -> () = uv_fs_ftruncate;

    /// Copies at most `length` bytes from `in_fd` at `in_offset` to where `fd` stands, inside the
    /// kernel where it can (`uv_fs_sendfile`). Gives how many it were. Fails with `UV_EINVAL` for
    /// a length over [`MAX_LENGTH`](crate::MAX_LENGTH), `UV_EBADF`.
    sendfile(fd, in_fd: i32 => fd, in_offset: u64 => size, length: usize => length) -> usize
        = uv_fs_sendfile;

    /// Sets when the file was last read and last changed, in seconds since 1970
    /// (`uv_fs_utime`); [`NOW`](crate::NOW) and [`OMIT`](crate::OMIT) are such times too. Fails
    /// with `UV_EPERM`, `UV_ENOENT`.
    utime(path, atime: f64 => seconds, mtime: f64 => seconds) -> () = uv_fs_utime;

    /// [`utime`] of an open file (`uv_fs_futime`).
    futime(fd, atime: f64 => seconds, mtime: f64 => seconds) -> () = uv_fs_futime;

    /// [`utime`], of the link itself where `path` is a symbolic link (`uv_fs_lutime`).
    lutime(path, atime: f64 => seconds, mtime: f64 => seconds) -> () = uv_fs_lutime;
}
