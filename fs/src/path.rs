//! Paths on their way to libuv: bytes that end in a NUL and hold no other.

use std::borrow::Cow;
use std::ffi::{CStr, CString, OsStr, OsString, c_char};
use std::path::{Path, PathBuf};

use pyuv::{Code, Error, Result};

/// A path as an operation takes it.
///
/// Made from a `&CStr` without copying, from `&str`, bytes, [`Path`] and their owned kin with one
/// copy. A path that holds a NUL becomes an error, `UV_EINVAL`, when the operation is run or
/// submitted.
#[derive(Debug, Clone)]
pub struct PathArg<'a>(std::result::Result<Cow<'a, CStr>, Vec<u8>>);

impl PathArg<'_> {
    /// Fails for a path that holds a NUL, naming it.
    pub(crate) fn check(&self) -> Result<()> {
        match &self.0 {
            Ok(_) => Ok(()),
            Err(path) => Err(Error::new(
                Code::EINVAL,
                format!("a path holds a NUL byte: \"{}\"", path.escape_ascii()),
            )),
        }
    }

    /// The path for libuv. Empty where `check` fails.
    pub(crate) fn as_ptr(&self) -> *const c_char {
        self.as_c_str().as_ptr()
    }

    /// The path, for what is not libuv. Empty where `check` fails.
    pub(crate) fn as_c_str(&self) -> &CStr {
        self.0.as_deref().unwrap_or_default()
    }

    /// The path for a handle to keep. Empty where `check` fails.
    pub(crate) fn to_c_string(&self) -> CString {
        self.as_c_str().to_owned()
    }

    /// The path for people.
    pub(crate) fn describe(&self) -> String {
        self.as_c_str().to_string_lossy().into_owned()
    }

    /// A copy that may outlive what this one borrows.
    pub(crate) fn into_owned(self) -> PathArg<'static> {
        PathArg(self.0.map(|path| Cow::Owned(path.into_owned())))
    }
}

impl<'a> From<&'a CStr> for PathArg<'a> {
    fn from(path: &'a CStr) -> Self {
        PathArg(Ok(Cow::Borrowed(path)))
    }
}

impl From<CString> for PathArg<'_> {
    fn from(path: CString) -> Self {
        PathArg(Ok(Cow::Owned(path)))
    }
}

impl From<Vec<u8>> for PathArg<'_> {
    fn from(path: Vec<u8>) -> Self {
        PathArg(CString::new(path).map(Cow::Owned).map_err(|error| error.into_vec()))
    }
}

impl From<OsString> for PathArg<'_> {
    fn from(path: OsString) -> Self {
        // On Unix the very bytes; on Windows WTF-8, which is what libuv takes there.
        path.into_encoded_bytes().into()
    }
}

macro_rules! from_borrowed {
    ($($borrowed:ty => |$path:ident| $owned:expr,)*) => {
        $(
            impl From<$borrowed> for PathArg<'_> {
                fn from($path: $borrowed) -> Self {
                    PathArg::from($owned)
                }
            }
        )*
    };
}

from_borrowed! {
    &[u8] => |path| path.to_vec(),
    &str => |path| path.as_bytes().to_vec(),
    &String => |path| path.as_bytes().to_vec(),
    String => |path| path.into_bytes(),
    &OsStr => |path| path.to_os_string(),
    &Path => |path| path.as_os_str().to_os_string(),
    &PathBuf => |path| path.as_os_str().to_os_string(),
    PathBuf => |path| path.into_os_string(),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_path_is_the_same_bytes() {
        let paths: [PathArg; 8] = [
            c"a/b".into(),
            c"a/b".to_owned().into(),
            "a/b".into(),
            String::from("a/b").into(),
            b"a/b".as_slice().into(),
            Path::new("a/b").into(),
            PathBuf::from("a/b").into(),
            OsString::from("a/b").into(),
        ];
        for path in paths {
            assert_eq!(path.check(), Ok(()));
            assert_eq!(path.into_owned().0, Ok(Cow::Borrowed(c"a/b")));
        }
    }

    #[test]
    fn a_nul_is_an_error_that_names_the_path() {
        let error = PathArg::from("a\0b").check().unwrap_err();
        assert_eq!(error.code(), Some(Code::EINVAL));
        assert!(error.to_string().contains(r"a\x00b"), "{error}");
    }
}
