//! What a copy takes over of a file or folder beside its content: owner, permissions, extended attributes, times.

use std::ffi::CStr;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{
    AtFlags, Gid, Mode, Stat, Timespec, Timestamps, Uid, chownat, fchmod, fchown, fstat, futimens,
    utimensat,
};
use rustix::io;

use crate::tree::extended;

/// The bits that have a program run as its owner or group.
const SET_ID: Mode = Mode::SUID.union(Mode::SGID);

#[allow(clippy::unnecessary_cast)]
fn times(stat: &Stat) -> Timestamps {
    Timestamps {
        last_access: Timespec { tv_sec: stat.st_atime as _, tv_nsec: stat.st_atime_nsec as _ },
        last_modification: Timespec {
            tv_sec: stat.st_mtime as _,
            tv_nsec: stat.st_mtime_nsec as _,
        },
    }
}

fn owner(stat: &Stat) -> (Option<Uid>, Option<Gid>) {
    (Some(Uid::from_raw(stat.st_uid)), Some(Gid::from_raw(stat.st_gid)))
}

/// Gives an open copy the attributes `stat` and those that the original has beside, the owner if `ownership` says
/// so. A program that runs as its owner does so in the copy only if that has the same owner.
pub(crate) fn copy(
    stat: &Stat,
    source: impl AsFd,
    target: impl AsFd,
    ownership: bool,
) -> io::Result<()> {
    let mut mode = Mode::from_raw_mode(stat.st_mode);
    if ownership {
        let (uid, gid) = owner(stat);
        fchown(&target, uid, gid)?;
    }
    let is_same_owner = || {
        let copy = fstat(&target);
        copy.is_ok_and(|copy| (copy.st_uid, copy.st_gid) == (stat.st_uid, stat.st_gid))
    };
    if mode.intersects(SET_ID) && !is_same_owner() {
        mode -= SET_ID;
    }
    // The permissions come last: an access control list sets them too.
    extended::copy(source, &target, is_same_owner)?;
    fchmod(&target, mode)?;
    futimens(&target, &times(stat))
}

/// [`copy`] for a symbolic link, which has no permissions of its own.
pub(crate) fn copy_to_link(
    stat: &Stat,
    source: &OwnedFd,
    folder: &OwnedFd,
    name: &CStr,
    ownership: bool,
) -> io::Result<()> {
    if ownership {
        let (uid, gid) = owner(stat);
        chownat(folder, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW)?;
    }
    extended::copy_link(source, folder, name)?;
    utimensat(folder, name, &times(stat), AtFlags::SYMLINK_NOFOLLOW)
}
