//! Groups of the group database.

use std::ffi::{OsString, c_ulong};
use std::mem::MaybeUninit;

use libuv_sys2 as uv;

use super::text::from_c;
use crate::{Error, Result};

/// One group (`uv_group_t`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: OsString,
    /// Its number.
    pub gid: c_ulong,
    /// The users the database lists as members; those whose primary group it is are not among them.
    pub members: Vec<OsString>,
}

/// The group with number `gid` (`uv_os_get_group`).
///
/// `UV_ENOENT` when there is none, `UV_ENOTSUP` on Windows. It can block: the database may be on
/// the network.
pub fn group(gid: u32) -> Result<Group> {
    let mut group = MaybeUninit::uninit();
    // SAFETY: libuv fills the struct where it returns 0. The cast is for Windows' narrower type,
    // where the call is refused anyway.
    let status = unsafe { uv::uv_os_get_group(group.as_mut_ptr(), gid as uv::uv_uid_t) };
    Error::check(status, format_args!("group {gid}"))?;
    // SAFETY: filled, since the status was 0.
    let mut group = unsafe { group.assume_init() };
    let mut members = Vec::new();
    let mut next = group.members;
    // SAFETY: `members` is an array that a null pointer ends, and the loop stops there.
    while !next.is_null() && !unsafe { *next }.is_null() {
        // SAFETY: not null, so a NUL-terminated string.
        members.push(unsafe { from_c(*next) });
        // SAFETY: the entry was not the last one, so the next is inside the array.
        next = unsafe { next.add(1) };
    }
    // SAFETY: libuv ends the name with a NUL.
    let name = unsafe { from_c(group.groupname) };
    let found = Group { name, gid: group.gid, members };
    // SAFETY: filled by uv_os_get_group, and everything was copied out.
    unsafe { uv::uv_os_free_group(&raw mut group) };
    Ok(found)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::Code;

    #[test]
    fn group_zero_is_there() {
        let group = group(0).unwrap();
        assert_eq!(group.gid, 0);
        assert!(!group.name.is_empty());
    }

    #[test]
    fn a_group_that_is_not_there_is_an_error_that_names_it() {
        let error = group(0xfff0_fff0).unwrap_err();
        assert_eq!(error.code(), Some(Code::ENOENT));
        assert!(error.to_string().contains("4293984240"), "{error}");
    }
}
