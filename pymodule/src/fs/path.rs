//! Paths: `str`, `bytes` or path-like in, the system's bytes to libuv, and back.

use std::ffi::{CStr, CString};
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::exceptions::{PyUnicodeEncodeError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::once::Once;

/// A path as it was given, and what keeps the system's bytes of it.
pub struct PathArgument<'py> {
    given: Bound<'py, PyAny>,
    /// A `str` whose UTF-8 is the path, or `bytes`.
    holder: Bound<'py, PyAny>,
    is_bytes: bool,
}

/// Whether the system's encoding for names is UTF-8, so that a `str` has the bytes within.
fn names_are_utf8(py: Python<'_>) -> PyResult<bool> {
    static ANSWER: Once<bool> = Once::new();
    let answer = ANSWER.get_or_try_init(py, || {
        let encoding = py.import("sys")?.call_method0("getfilesystemencoding")?;
        Ok::<_, PyErr>(encoding.extract::<&str>()? == "utf-8")
    })?;
    Ok(*answer)
}

/// `os.fsencode` for what is a `str`.
fn encode<'py>(path: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: PyUnicode_EncodeFSDefault takes a str, and gives new bytes or null with an
    // exception.
    unsafe {
        let bytes = ffi::PyUnicode_EncodeFSDefault(path.as_ptr());
        Bound::from_owned_ptr_or_err(path.py(), bytes)
    }
}

impl<'py> PathArgument<'py> {
    /// The path, for people and for `FSRequest.path`.
    pub fn given(&self) -> &Bound<'py, PyAny> {
        &self.given
    }

    /// Whether names are to be given back as `bytes`.
    pub fn is_bytes(&self) -> bool {
        self.is_bytes
    }

    /// The system's bytes, which may hold NULs.
    pub fn as_bytes(&self) -> &[u8] {
        let bytes = self.as_bytes_with_nul();
        &bytes[..bytes.len() - 1]
    }

    /// The system's bytes.
    pub fn as_c_str(&self) -> PyResult<&CStr> {
        CStr::from_bytes_with_nul(self.as_bytes_with_nul()).map_err(|_| match self.given.repr() {
            Ok(given) => PyValueError::new_err(format!("embedded NUL in the path {given}")),
            Err(error) => error,
        })
    }

    fn as_bytes_with_nul(&self) -> &[u8] {
        match self.holder.cast::<PyBytes>() {
            Ok(bytes) => {
                // The NUL that ends every bytes object is not part of its slice.
                let (start, length) = (bytes.as_bytes().as_ptr(), bytes.as_bytes().len());
                // SAFETY: CPython ends the memory of bytes with a NUL after their length.
                unsafe { std::slice::from_raw_parts(start, length + 1) }
            }
            Err(_) => {
                let mut length = 0;
                // SAFETY: the holder is a str whose UTF-8 was made by `extract`, and which ends
                // it with a NUL; it lives as long as the holder.
                unsafe {
                    let start = ffi::PyUnicode_AsUTF8AndSize(self.holder.as_ptr(), &raw mut length);
                    std::slice::from_raw_parts(start.cast(), length as usize + 1)
                }
            }
        }
    }
}

impl<'py> FromPyObject<'_, 'py> for PathArgument<'py> {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let py = given.py();
        let given = given.to_owned();
        // SAFETY: PyOS_FSPath gives a new reference to a str or bytes, or null with an exception.
        let path = unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyOS_FSPath(given.as_ptr()))? };
        if path.is_instance_of::<PyBytes>() {
            return Ok(PathArgument { given, holder: path, is_bytes: true });
        }
        let holder = if names_are_utf8(py)? {
            match path.cast::<PyString>().map_err(PyErr::from)?.to_str() {
                Ok(_) => path,
                // Lone surrogates: what os.fsdecode made of bytes that are not UTF-8.
                Err(error) if error.is_instance_of::<PyUnicodeEncodeError>(py) => encode(&path)?,
                Err(error) => return Err(error),
            }
        } else {
            encode(&path)?
        };
        Ok(PathArgument { given, holder, is_bytes: false })
    }
}

/// A name that the system gave: as `bytes` if it was asked in `bytes`, otherwise `os.fsdecode`d.
pub fn name_to_py<'py>(
    py: Python<'py>,
    name: &[u8],
    as_bytes: bool,
) -> PyResult<Bound<'py, PyAny>> {
    if as_bytes {
        return Ok(PyBytes::new(py, name).into_any());
    }
    // SAFETY: the function reads so many bytes, and gives a new str or null with an exception.
    unsafe {
        let length = name.len() as ffi::Py_ssize_t;
        let name = ffi::PyUnicode_DecodeFSDefaultAndSize(name.as_ptr().cast(), length);
        Bound::from_owned_ptr_or_err(py, name)
    }
}

/// The `path` of a handle: the one it was started with, of the type that was given, or an empty
/// one while it is not started.
#[derive(Default)]
pub struct WatchedPath {
    is_bytes: AtomicBool,
}

impl WatchedPath {
    pub fn started(&self, path: &PathArgument<'_>) {
        self.is_bytes.store(path.is_bytes, Ordering::Relaxed);
    }

    pub fn to_py<'py>(
        &self,
        py: Python<'py>,
        path: Option<CString>,
    ) -> PyResult<Bound<'py, PyAny>> {
        name_to_py(py, path.unwrap_or_default().as_bytes(), self.is_bytes.load(Ordering::Relaxed))
    }
}
