//! What an operation is about: a path, two paths, or an fd. Its errors name it.

use std::ffi::{CStr, CString, c_int};

use libuv_sys2 as uv;
use pyuv::{Code, Error, Result};

use crate::path::PathArg;

/// What an operation is about.
pub trait Target {
    /// What is needed, beside the request, to name the target once the operation is over.
    type Kept: Send + 'static;

    /// Fails for a target that libuv must not see.
    fn check(&self) -> Result<()>;

    /// The target for people, before the operation.
    fn describe(&self) -> String;

    /// What `describe_finished` will want.
    fn keep(&self) -> Self::Kept;

    /// The target for people, after the operation.
    ///
    /// # Safety
    /// The request was submitted with this target, and has not been cleaned up.
    unsafe fn describe_finished(kept: Self::Kept, request: *const uv::uv_fs_t) -> String;
}

/// The path that libuv keeps in a request until it is cleaned up.
///
/// # Safety
/// The request was submitted with a path, and has not been cleaned up.
unsafe fn path_of(request: *const uv::uv_fs_t) -> String {
    // SAFETY: the caller says that there is a path, a string of libuv's.
    let path = unsafe { CStr::from_ptr(uv::uv_fs_get_path(request)) };
    path.to_string_lossy().into_owned()
}

fn arrow(path: &str, new_path: &str) -> String {
    format!("{path} -> {new_path}")
}

/// One path.
pub struct OnPath<'a>(pub(crate) PathArg<'a>);

impl Target for OnPath<'_> {
    type Kept = ();

    fn check(&self) -> Result<()> {
        self.0.check()
    }

    fn describe(&self) -> String {
        self.0.describe()
    }

    fn keep(&self) {}

    unsafe fn describe_finished((): (), request: *const uv::uv_fs_t) -> String {
        // SAFETY: submitted with a path, so the caller.
        unsafe { path_of(request) }
    }
}

/// A path and the one that is made of it.
pub struct OnPaths<'a>(pub(crate) PathArg<'a>, pub(crate) PathArg<'a>);

impl Target for OnPaths<'_> {
    type Kept = CString;

    fn check(&self) -> Result<()> {
        self.0.check()?;
        self.1.check()
    }

    fn describe(&self) -> String {
        arrow(&self.0.describe(), &self.1.describe())
    }

    fn keep(&self) -> CString {
        self.1.to_owned()
    }

    unsafe fn describe_finished(kept: CString, request: *const uv::uv_fs_t) -> String {
        // SAFETY: submitted with two paths, so the caller.
        arrow(&unsafe { path_of(request) }, &kept.to_string_lossy())
    }
}

/// An open file.
pub struct OnFd(pub(crate) c_int);

impl Target for OnFd {
    type Kept = c_int;

    /// Negative numbers are not left to the system: -100 is `AT_FDCWD`, and `uv_fs_fstat` of it
    /// would tell of the working directory.
    fn check(&self) -> Result<()> {
        if self.0 < 0 { Err(Error::new(Code::EBADF, self.describe())) } else { Ok(()) }
    }

    fn describe(&self) -> String {
        format!("fd {}", self.0)
    }

    fn keep(&self) -> c_int {
        self.0
    }

    unsafe fn describe_finished(kept: c_int, _request: *const uv::uv_fs_t) -> String {
        OnFd(kept).describe()
    }
}
