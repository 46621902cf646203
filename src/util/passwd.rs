//! Users of the user database.

use std::ffi::{OsString, c_ulong};
use std::mem::MaybeUninit;
use std::path::PathBuf;

use libuv_sys2 as uv;

use super::text::from_c;
use crate::{Error, Result};

/// One user (`uv_passwd_t`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passwd {
    /// The login name.
    pub username: OsString,
    /// The user's number; all bits set on Windows, which has none.
    pub uid: c_ulong,
    /// The number of the user's primary group; as `uid` on Windows.
    pub gid: c_ulong,
    /// The login shell; empty on Windows.
    pub shell: PathBuf,
    /// The home directory.
    pub homedir: PathBuf,
}

/// The user with number `uid`, or the effective user of this process (`uv_os_get_passwd2`,
/// `uv_os_get_passwd`).
///
/// `UV_ENOENT` when there is none, `UV_ENOTSUP` for a number on Windows. It can block: the
/// database may be on the network.
pub fn passwd(uid: Option<u32>) -> Result<Passwd> {
    let mut user = MaybeUninit::uninit();
    let status = match uid {
        // SAFETY: libuv fills the struct where it returns 0. The cast is for Windows' narrower
        // type, where the call is refused anyway.
        Some(uid) => unsafe { uv::uv_os_get_passwd2(user.as_mut_ptr(), uid as uv::uv_uid_t) },
        // SAFETY: as above.
        None => unsafe { uv::uv_os_get_passwd(user.as_mut_ptr()) },
    };
    let what = || uid.map_or("this process's user".to_owned(), |uid| format!("user {uid}"));
    Error::check(status, what())?;
    // SAFETY: filled, since the status was 0.
    let mut user: uv::uv_passwd_t = unsafe { user.assume_init() };
    // SAFETY: libuv ends each string with a NUL; the shell may be null.
    let [username, shell, homedir] =
        [user.username, user.shell, user.homedir].map(|text| unsafe { from_c(text) });
    let found = Passwd {
        username,
        uid: user.uid,
        gid: user.gid,
        shell: shell.into(),
        homedir: homedir.into(),
    };
    // SAFETY: filled by libuv, and everything was copied out.
    unsafe { uv::uv_os_free_passwd(&raw mut user) };
    Ok(found)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::Code;

    #[test]
    fn without_a_number_it_is_the_effective_user() {
        // SAFETY: geteuid cannot fail.
        let uid = unsafe { libc::geteuid() };
        let user = passwd(None).unwrap();
        assert_eq!(user.uid, c_ulong::from(uid));
        assert_eq!(passwd(Some(uid)), Ok(user));
    }

    #[test]
    fn root_has_number_zero() {
        let root = passwd(Some(0)).unwrap();
        assert_eq!((root.uid, root.gid), (0, 0));
        assert_eq!(root.username, "root");
    }

    #[test]
    fn a_user_that_is_not_there_is_an_error_that_names_it() {
        let error = passwd(Some(0xfff0_fff0)).unwrap_err();
        assert_eq!(error.code(), Some(Code::ENOENT));
        assert!(error.to_string().contains("4293984240"), "{error}");
    }
}
