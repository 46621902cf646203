//! What an operation is about: a path, two paths, or an fd. Its errors name it.

use std::ffi::{c_char, c_int};

use pyuv::{Code, Error, Result};

use crate::path::PathArg;

/// What an operation is about.
pub trait Target {
    /// What libuv's function takes for it.
    type Raw;

    /// The same, with nothing borrowed.
    type Owned: Target<Raw = Self::Raw> + Send + 'static;

    /// Fails for a target that libuv must not see.
    fn check(&self) -> Result<()>;

    /// The target for libuv, valid as long as this value stays where it is.
    fn raw(&self) -> Self::Raw;

    /// The target for people.
    fn describe(&self) -> String;

    /// A target that may outlive what this one borrows.
    fn into_owned(self) -> Self::Owned;
}

/// One path.
pub struct OnPath<'a>(pub(crate) PathArg<'a>);

impl Target for OnPath<'_> {
    type Raw = *const c_char;
    type Owned = OnPath<'static>;

    fn check(&self) -> Result<()> {
        self.0.check()
    }

    fn raw(&self) -> *const c_char {
        self.0.as_ptr()
    }

    fn describe(&self) -> String {
        self.0.describe()
    }

    fn into_owned(self) -> OnPath<'static> {
        OnPath(self.0.into_owned())
    }
}

/// A path and the one that is made of it.
pub struct OnPaths<'a>(pub(crate) PathArg<'a>, pub(crate) PathArg<'a>);

impl Target for OnPaths<'_> {
    type Raw = (*const c_char, *const c_char);
    type Owned = OnPaths<'static>;

    fn check(&self) -> Result<()> {
        self.0.check()?;
        self.1.check()
    }

    fn raw(&self) -> (*const c_char, *const c_char) {
        (self.0.as_ptr(), self.1.as_ptr())
    }

    fn describe(&self) -> String {
        format!("{} -> {}", self.0.describe(), self.1.describe())
    }

    fn into_owned(self) -> OnPaths<'static> {
        OnPaths(self.0.into_owned(), self.1.into_owned())
    }
}

/// An open file.
pub struct OnFd(pub(crate) c_int);

impl Target for OnFd {
    type Raw = c_int;
    type Owned = OnFd;

    /// Negative numbers are not left to the system: -100 is `AT_FDCWD`, and `uv_fs_fstat` of it
    /// would tell of the working directory.
    fn check(&self) -> Result<()> {
        if self.0 < 0 { Err(Error::new(Code::EBADF, self.describe())) } else { Ok(()) }
    }

    fn raw(&self) -> c_int {
        self.0
    }

    fn describe(&self) -> String {
        format!("fd {}", self.0)
    }

    fn into_owned(self) -> OnFd {
        self
    }
}
