//! The environment of the process, as C code sees it.

use std::ffi::{OsStr, OsString};

use libuv_sys2 as uv;

use super::text::{fill, from_c, to_c};
use crate::{Code, Error, Result};

/// The value of a variable, or `None` when it is not set (`uv_os_getenv`).
///
/// `UV_EINVAL` for a name that no variable can have: empty, or with `=` or NUL in it.
pub fn getenv(name: &OsStr) -> Result<Option<OsString>> {
    let c_name = variable(name)?;
    let value = fill(format!("environment variable {name:?}"), |buffer, size| {
        // SAFETY: a NUL-terminated name; `fill` passes a buffer and its size.
        unsafe { uv::uv_os_getenv(c_name.as_ptr(), buffer, size) }
    });
    match value {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.code() == Some(Code::ENOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Sets a variable, replacing its value (`uv_os_setenv`).
///
/// `UV_EINVAL` for a name that is empty or holds `=`, and for a NUL in either.
///
/// # Safety
/// As for [`std::env::set_var`]: no other thread reads or writes the environment meanwhile, which
/// includes C code that calls `getenv`.
pub unsafe fn setenv(name: &OsStr, value: &OsStr) -> Result<()> {
    let c_name = variable(name)?;
    let c_value = to_c(value, "the value of an environment variable")?;
    // SAFETY: NUL-terminated strings that setenv copies; the caller keeps other threads away.
    let status = unsafe { uv::uv_os_setenv(c_name.as_ptr(), c_value.as_ptr()) };
    Error::check(status, format_args!("environment variable {name:?}")).map(drop)
}

/// Removes a variable; one that is not set is no error (`uv_os_unsetenv`).
///
/// `UV_EINVAL` for a name that is empty or holds `=` or NUL.
///
/// # Safety
/// As for [`setenv`].
pub unsafe fn unsetenv(name: &OsStr) -> Result<()> {
    let c_name = variable(name)?;
    // SAFETY: a NUL-terminated string; the caller keeps other threads away.
    let status = unsafe { uv::uv_os_unsetenv(c_name.as_ptr()) };
    Error::check(status, format_args!("environment variable {name:?}")).map(drop)
}

/// Every variable and its value, in the order of the environment (`uv_os_environ`).
pub fn environ() -> Result<Vec<(OsString, OsString)>> {
    if is_empty() {
        return Ok(Vec::new());
    }
    let mut items = std::ptr::null_mut();
    let mut count = 0;
    // SAFETY: libuv writes both, and on success owns an array of `count` entries.
    let status = unsafe { uv::uv_os_environ(&raw mut items, &raw mut count) };
    Error::check(status, "the environment")?;
    let found = (0..count as usize).map(|index| {
        // SAFETY: index < count, and the array lives until it is freed below.
        let item = unsafe { &*items.add(index) };
        // SAFETY: libuv ends name and value with a NUL each.
        unsafe { (from_c(item.name), from_c(item.value)) }
    });
    let found = found.collect();
    // SAFETY: the array came from uv_os_environ, and nothing borrows it any more.
    unsafe { uv::uv_os_free_environ(items, count) };
    Ok(found)
}

/// Whether there is nothing to list: after `clearenv()` there is no array at all, and
/// `uv_os_environ` would follow the null pointer; with an empty one it may say `UV_ENOMEM`.
#[cfg(target_os = "linux")]
fn is_empty() -> bool {
    unsafe extern "C" {
        static environ: *const *const std::ffi::c_char;
    }
    // SAFETY: the C library's own variable; a writer would break the contract of `setenv`.
    let list = unsafe { environ };
    // SAFETY: not null, so it points to an array that a null pointer ends.
    list.is_null() || unsafe { *list }.is_null()
}

#[cfg(not(target_os = "linux"))]
fn is_empty() -> bool {
    std::env::vars_os().next().is_none()
}

fn variable(name: &OsStr) -> Result<std::ffi::CString> {
    if name.is_empty() || name.as_encoded_bytes().contains(&b'=') {
        let what = format!("{name:?} cannot name an environment variable");
        return Err(Error::new(Code::EINVAL, what));
    }
    to_c(name, "the name of an environment variable")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variables_are_those_the_standard_library_sees() {
        let mut ours = environ().unwrap();
        let mut theirs: Vec<_> = std::env::vars_os().collect();
        ours.sort();
        theirs.sort();
        assert_eq!(ours, theirs);
        for (name, value) in theirs {
            assert_eq!(getenv(&name), Ok(Some(value)));
        }
    }

    #[test]
    fn a_variable_that_is_not_set_is_none() {
        assert_eq!(getenv(OsStr::new("PYUV_NOT_SET")), Ok(None));
    }

    #[test]
    fn names_that_no_variable_can_have_are_refused() {
        for name in ["", "=", "A=B", "A\0B"] {
            let name = OsStr::new(name);
            assert_eq!(getenv(name).unwrap_err().code(), Some(Code::EINVAL), "{name:?}");
            // SAFETY: the name is refused before anything is written.
            let set = unsafe { setenv(name, OsStr::new("1")) };
            assert_eq!(set.unwrap_err().code(), Some(Code::EINVAL), "{name:?}");
            // SAFETY: as above.
            let unset = unsafe { unsetenv(name) };
            assert_eq!(unset.unwrap_err().code(), Some(Code::EINVAL), "{name:?}");
        }
        // SAFETY: the value is refused before anything is written.
        let set = unsafe { setenv(OsStr::new("PYUV"), OsStr::new("a\0b")) };
        assert_eq!(set.unwrap_err().code(), Some(Code::EINVAL));
    }
}
