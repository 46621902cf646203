//! Extended attributes, access control lists among them.

use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::fs::{
    XattrFlags, fgetxattr, fgetxattr_query, flistxattr, flistxattr_query, fsetxattr, lgetxattr,
    lgetxattr_query, llistxattr, llistxattr_query, lsetxattr,
};
use rustix::io::{self, Errno};

/// What lends a program rights as being run by its owner does.
const RIGHTS: &[u8] = b"security.capability";

/// Gives an open copy the extended attributes of the original, as far as its filesystem has such and this process may
/// set them. A program's rights are among them only if `rights` says so.
pub(crate) fn copy(
    source: impl AsFd,
    target: impl AsFd,
    rights: impl Fn() -> bool,
) -> io::Result<()> {
    let names = read(|| flistxattr_query(&source), |buffer| flistxattr(&source, buffer));
    copy_each(names, rights, |name| {
        let value =
            read(|| fgetxattr_query(&source, name), |buffer| fgetxattr(&source, name, buffer))?;
        fsetxattr(&target, name, &value, XattrFlags::empty())
    })
}

/// [`copy`] for a symbolic link with the same name in both folders.
pub(crate) fn copy_link(source: &OwnedFd, target: &OwnedFd, name: &CStr) -> io::Result<()> {
    // There is no call that takes an open folder and a name.
    let path = |folder: &OwnedFd| {
        let mut path = format!("/proc/self/fd/{}/", folder.as_raw_fd()).into_bytes();
        path.extend_from_slice(name.to_bytes());
        path
    };
    let (source, target) = (path(source), path(target));
    let (source, target) = (source.as_slice(), target.as_slice());
    let names = read(|| llistxattr_query(source), |buffer| llistxattr(source, buffer));
    // Without /proc there is no way.
    let names = if names == Err(Errno::NOENT) { return Ok(()) } else { names };
    copy_each(
        names,
        || false,
        |name| {
            let value =
                read(|| lgetxattr_query(source, name), |buffer| lgetxattr(source, name, buffer))?;
            lsetxattr(target, name, &value, XattrFlags::empty())
        },
    )
}

fn copy_each(
    names: io::Result<Vec<u8>>,
    rights: impl Fn() -> bool,
    copy: impl Fn(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let names = match names {
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::PERM | Errno::ACCESS) => return Ok(()),
        names => names?,
    };
    let names = names.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    for name in names.filter(|name| *name != RIGHTS || rights()) {
        match copy(name) {
            // Another filesystem, what is not for everybody to set or to read, or what was removed meanwhile.
            Ok(()) | Err(Errno::OPNOTSUPP | Errno::PERM | Errno::ACCESS | Errno::NODATA) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// Reads all of what may become longer between two calls.
fn read(
    length: impl Fn() -> io::Result<usize>,
    fill: impl Fn(&mut [u8]) -> io::Result<usize>,
) -> io::Result<Vec<u8>> {
    loop {
        let length = length()?;
        if length == 0 {
            return Ok(Vec::new());
        }
        let mut buffer = Vec::new();
        buffer.try_reserve_exact(length).map_err(|_| Errno::NOMEM)?;
        buffer.resize(length, 0);
        match fill(&mut buffer) {
            Err(Errno::RANGE) => {}
            filled => {
                buffer.truncate(filled?);
                return Ok(buffer);
            }
        }
    }
}
