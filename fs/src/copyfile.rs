//! `copyfile`: one file's content, holes among it, and permissions.
//!
//! libuv's own (`uv_fs_copyfile`) goes on for ever with a file that turns out shorter than it said,
//! as those of `/sys` are, or one that is cut meanwhile; and it removes a device that it could not
//! copy to. This one does what that one does otherwise.

use std::ffi::CStr;
use std::os::fd::OwnedFd;

use pyuv::{Code, Error};
use rustix::fs::{FileType, Mode, OFlags, Stat, fchmod, fstat, ftruncate, open, unlink};
use rustix::io::{self, Errno};

use crate::argument::{COPYFILE_EXCL, COPYFILE_FICLONE, COPYFILE_FICLONE_FORCE};
use crate::copy_block::Blocks;
use crate::errno::code;
use crate::function::Function;
use crate::identity::Identity;
use crate::open_file::OpenFile;
use crate::operation::{Operation, prepare};
use crate::path::PathArg;
use crate::target::{OnPaths, Target};

/// What goes through a buffer goes in pieces of this length.
const BUFFER: usize = 64 << 10;

/// Copies a file's content and permissions, over what has the new name unless `flags` say
/// otherwise: 0, or [`COPYFILE_EXCL`], [`COPYFILE_FICLONE`] and [`COPYFILE_FICLONE_FORCE`]. A copy
/// that fails is removed again. Fails with `UV_EEXIST`, `UV_ENOSPC`, `UV_ENOTSUP` where blocks
/// cannot be shared, `UV_EINVAL` for other flags.
///
/// It stands for `uv_fs_copyfile`, which does not end with a file that is shorter than it says.
pub fn copyfile<'a>(
    path: impl Into<PathArg<'a>>,
    new_path: impl Into<PathArg<'a>>,
    flags: i32,
) -> impl Operation<Output = ()> + Send {
    let paths = OnPaths(path.into(), new_path.into()).into_owned();
    Function {
        what: paths.describe(),
        work: prepare(|| {
            paths.check()?;
            if flags & !(COPYFILE_EXCL | COPYFILE_FICLONE | COPYFILE_FICLONE_FORCE) != 0 {
                return Err(Error::new(Code::EINVAL, format!("flags {flags:#x}")));
            }
            Ok(move || {
                copy(paths.0.as_c_str(), paths.1.as_c_str(), flags)
                    .map_err(|code| Error::new(code, paths.describe()))
            })
        }),
    }
}

fn copy(path: &CStr, new_path: &CStr, flags: i32) -> Result<(), Code> {
    let source = open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).map_err(code)?;
    let stat = fstat(&source).map_err(code)?;
    if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
        return Err(Code::EISDIR);
    }
    let mut how = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC;
    how.set(OFlags::EXCL, flags & COPYFILE_EXCL != 0);
    let target = open(new_path, how, Mode::from_raw_mode(stat.st_mode)).map_err(code)?;
    let found = fstat(&target).map_err(code)?;
    if Identity::of(&found) == Identity::of(&stat) {
        return Ok(());
    }
    let is_plain = FileType::from_raw_mode(found.st_mode) == FileType::RegularFile;
    let outcome = fill(&source, &stat, &target, is_plain, flags).map_err(code);
    let outcome = outcome.and_then(|()| OpenFile::from_fd(target).close());
    if outcome.is_err() && is_plain {
        // What is to be told is why it failed.
        let _ = unlink(new_path);
    }
    outcome
}

fn fill(
    source: &OwnedFd,
    stat: &Stat,
    target: &OwnedFd,
    is_plain: bool,
    flags: i32,
) -> io::Result<()> {
    if is_plain {
        ftruncate(target, 0)?;
        match fchmod(target, Mode::from_raw_mode(stat.st_mode)) {
            // There permissions mean nothing.
            Err(Errno::PERM) if is_windows_share(target) => {}
            outcome => outcome?,
        }
    }
    if flags & (COPYFILE_FICLONE | COPYFILE_FICLONE_FORCE) != 0 {
        match clone(source, target) {
            Ok(()) => return Ok(()),
            Err(errno) if flags & COPYFILE_FICLONE_FORCE != 0 => return Err(errno),
            Err(_) => {}
        }
    }
    let mut buffer = Vec::new();
    buffer.try_reserve_exact(BUFFER).map_err(|_| Errno::NOMEM)?;
    buffer.resize(BUFFER, 0);
    let mut blocks = Blocks::of(stat, false, is_plain);
    while blocks.copy(source, target, &mut buffer)? > 0 {}
    Ok(())
}

/// Has the files share their blocks.
fn clone(source: &OwnedFd, target: &OwnedFd) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    return rustix::fs::ioctl_ficlone(target, source);
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    {
        let _ = (source, target);
        Err(Errno::NOTSUP)
    }
}

/// Whether the file is on a CIFS mount, which knows no permissions.
fn is_windows_share(file: &OwnedFd) -> bool {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    return rustix::fs::fstatfs(file).is_ok_and(|found| found.f_type as u32 == 0xff53_4d42);
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    {
        let _ = file;
        false
    }
}
