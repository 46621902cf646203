//! `utime` and its kin in whole nanoseconds, which the seconds of libuv's cannot say: they are a float.

use std::ffi::CStr;

use pyuv::{Code, Error, Result};
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, futimens, utimensat};
use rustix::io;

use crate::errno::code;
use crate::function::Function;
use crate::operation::{Operation, prepare};
use crate::path::PathArg;
use crate::target::{OnFd, OnPath, Target};

const SECOND: i128 = 1_000_000_000;

/// Sets when the file was last read and last changed, in nanoseconds since 1970 (`utimensat`). Fails with `UV_EPERM`,
/// `UV_ENOENT`, `UV_EINVAL` for times that the system cannot say.
pub fn utime_ns<'a>(
    path: impl Into<PathArg<'a>>,
    atime: i128,
    mtime: i128,
) -> impl Operation<Output = ()> + Send {
    by_path(path.into(), (atime, mtime), AtFlags::empty())
}

/// [`utime_ns`], of the link itself where `path` is a symbolic link.
pub fn lutime_ns<'a>(
    path: impl Into<PathArg<'a>>,
    atime: i128,
    mtime: i128,
) -> impl Operation<Output = ()> + Send {
    by_path(path.into(), (atime, mtime), AtFlags::SYMLINK_NOFOLLOW)
}

/// [`utime_ns`] of an open file (`futimens`).
pub fn futime_ns(fd: i32, atime: i128, mtime: i128) -> impl Operation<Output = ()> + Send {
    on(OnFd(fd), (atime, mtime), |target, times| {
        // SAFETY: the number is not negative, as `check` has seen; whether it is open the call says.
        futimens(unsafe { std::os::fd::BorrowedFd::borrow_raw(target.raw()) }, times)
    })
}

fn by_path(
    path: PathArg<'_>,
    times: (i128, i128),
    flags: AtFlags,
) -> impl Operation<Output = ()> + Send + use<> {
    on(OnPath(path.into_owned()), times, move |target, times| {
        // SAFETY: the target keeps the string, which ends in a NUL.
        let path = unsafe { CStr::from_ptr(target.raw()) };
        utimensat(CWD, path, times, flags)
    })
}

fn on<T, S>(
    target: T,
    (atime, mtime): (i128, i128),
    set: S,
) -> impl Operation<Output = ()> + Send + use<T, S>
where
    T: Target + Send + 'static,
    S: FnOnce(&T, &Timestamps) -> io::Result<()> + Send + 'static,
{
    Function {
        what: target.describe(),
        work: prepare(|| {
            target.check()?;
            let times = Timestamps { last_access: time(atime)?, last_modification: time(mtime)? };
            Ok(move || {
                set(&target, &times).map_err(|errno| Error::new(code(errno), target.describe()))
            })
        }),
    }
}

fn time(nanoseconds: i128) -> Result<Timespec> {
    let tv_sec = nanoseconds
        .div_euclid(SECOND)
        .try_into()
        .map_err(|_| Error::new(Code::EINVAL, format!("time {nanoseconds} ns")))?;
    Ok(Timespec { tv_sec, tv_nsec: nanoseconds.rem_euclid(SECOND) as _ })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_before_1970_and_absurd_ones() {
        let before = time(-1).unwrap();
        assert_eq!((before.tv_sec, before.tv_nsec), (-1, 999_999_999));
        assert_eq!(time(i128::MAX).unwrap_err().code(), Some(Code::EINVAL));
    }
}
