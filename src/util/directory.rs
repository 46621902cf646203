//! The directories a process lives in: where it is, its user's home, and the place for temporary files.

use std::path::{Path, PathBuf};

use libuv_sys2 as uv;

use super::text::{fill, to_c};
use crate::{Error, Result};

/// The current working directory, without a trailing slash (`uv_cwd`).
///
/// `UV_ENOENT` when it was deleted.
pub fn cwd() -> Result<PathBuf> {
    fill("the working directory", |buffer, size| {
        // SAFETY: `fill` passes a buffer and its size.
        unsafe { uv::uv_cwd(buffer, size) }
    })
    .map(PathBuf::from)
}

/// Makes `path` the working directory of the whole process (`uv_chdir`).
pub fn chdir(path: &Path) -> Result<()> {
    let name = to_c(path.as_os_str(), "the path")?;
    // SAFETY: a NUL-terminated string that outlives the call.
    let status = unsafe { uv::uv_chdir(name.as_ptr()) };
    Error::check(status, path.display().to_string()).map(drop)
}

/// The user's home: `HOME` where set, else what the user database says (`uv_os_homedir`).
pub fn homedir() -> Result<PathBuf> {
    fill("the home directory", |buffer, size| {
        // SAFETY: `fill` passes a buffer and its size.
        unsafe { uv::uv_os_homedir(buffer, size) }
    })
    .map(PathBuf::from)
}

/// The directory for temporary files: the first of `TMPDIR`, `TMP`, `TEMP` and `TEMPDIR` that is
/// set, else the system's usual one; without a trailing slash (`uv_os_tmpdir`).
pub fn tmpdir() -> Result<PathBuf> {
    fill("the temporary directory", |buffer, size| {
        // SAFETY: `fill` passes a buffer and its size.
        unsafe { uv::uv_os_tmpdir(buffer, size) }
    })
    .map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;

    #[test]
    fn the_working_directory_is_the_one_the_standard_library_sees() {
        assert_eq!(cwd().unwrap(), std::env::current_dir().unwrap());
        chdir(&cwd().unwrap()).unwrap();
        assert_eq!(cwd().unwrap(), std::env::current_dir().unwrap());
    }

    #[test]
    fn a_directory_that_is_not_there_is_an_error_that_names_it() {
        let error = chdir(Path::new("/no/such/place")).unwrap_err();
        assert_eq!(error.code(), Some(Code::ENOENT));
        assert!(error.to_string().contains("/no/such/place"), "{error}");
        assert_eq!(chdir(Path::new("a\0b")).unwrap_err().code(), Some(Code::EINVAL));
        assert_eq!(chdir(Path::new("")).unwrap_err().code(), Some(Code::ENOENT));
    }

    #[test]
    fn home_and_temporary_directories_are_named() {
        assert!(homedir().unwrap().is_absolute());
        assert!(tmpdir().unwrap().is_absolute());
    }
}
