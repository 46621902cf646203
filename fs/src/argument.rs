//! The other arguments of an operation, from what Rust has to what libuv takes.

use std::ffi::c_int;

use libuv_sys2 as uv;
use pyuv::{Code, Error, Result};

use crate::target::{OnFd, Target};

/// For [`symlink`](crate::symlink) on Windows: the target is a folder.
pub const SYMLINK_DIR: i32 = uv::UV_FS_SYMLINK_DIR as i32;
/// For [`symlink`](crate::symlink) on Windows: make a junction, whose target is an absolute
/// folder.
pub const SYMLINK_JUNCTION: i32 = uv::UV_FS_SYMLINK_JUNCTION as i32;

/// A time for [`utime`](crate::utime) and its kin: the moment of the call (`UV_FS_UTIME_NOW`).
pub const NOW: f64 = f64::INFINITY;
/// A time for [`utime`](crate::utime) and its kin: leave it as it is (`UV_FS_UTIME_OMIT`).
pub const OMIT: f64 = f64::NAN;

pub(crate) fn mode(mode: u32) -> Result<c_int> {
    c_int::try_from(mode).map_err(|_| Error::new(Code::EINVAL, format!("mode {mode:#o}")))
}

pub(crate) fn flags(flags: i32) -> Result<c_int> {
    Ok(flags)
}

/// All ones, which is -1, means "leave it as it is".
pub(crate) fn id(id: u32) -> Result<uv::uv_uid_t> {
    Ok(id as uv::uv_uid_t)
}

pub(crate) fn fd(fd: i32) -> Result<c_int> {
    OnFd(fd).check()?;
    Ok(fd)
}

pub(crate) fn size(size: u64) -> Result<i64> {
    i64::try_from(size).map_err(|_| Error::new(Code::EFBIG, format!("{size} bytes")))
}

/// Where to read or write; none is where the file stands.
pub(crate) fn offset(offset: Option<u64>) -> Result<i64> {
    offset.map_or(Ok(-1), size)
}

pub(crate) fn length(length: usize) -> Result<usize> {
    pyuv::buffer::check_length(length)?;
    Ok(length)
}

/// Seconds since 1970. libuv turns them into a `time_t` by a cast that must not overflow.
pub(crate) fn seconds(seconds: f64) -> Result<f64> {
    let fits = seconds.abs() < 9.0e18 || seconds.is_nan() || seconds == NOW;
    if fits { Ok(seconds) } else { Err(Error::new(Code::EINVAL, format!("time {seconds}"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_an_error() {
        assert_eq!(mode(0o644), Ok(0o644));
        assert!(mode(u32::MAX).is_err());
        assert_eq!(offset(None), Ok(-1));
        assert_eq!(offset(Some(5)), Ok(5));
        assert!(offset(Some(u64::MAX)).is_err());
        assert!(fd(-1).is_err());
        assert!(length(usize::MAX).is_err());
    }

    #[test]
    fn times_are_finite_now_or_omitted() {
        assert_eq!(seconds(-1.5), Ok(-1.5));
        assert_eq!(seconds(NOW), Ok(NOW));
        assert!(seconds(OMIT).is_ok_and(f64::is_nan));
        assert!(seconds(f64::NEG_INFINITY).is_err());
        assert!(seconds(1e300).is_err());
    }
}
