//! Strings across the C boundary: bytes as the platform has them, never assumed to be UTF-8.

use std::borrow::Cow;
use std::ffi::{CStr, CString, OsStr, OsString, c_char};

use crate::{Code, Error, Result};

/// The C string for `text`. `UV_EINVAL`, naming `what`, where it holds a NUL.
pub(crate) fn to_c(text: &OsStr, what: &'static str) -> Result<CString> {
    CString::new(text.as_encoded_bytes())
        .map_err(|_| Error::new(Code::EINVAL, format!("{what} holds a NUL: {text:?}")))
}

/// What libuv wrote, as the platform's own kind of string.
#[cfg(unix)]
pub(super) fn from_bytes(bytes: Vec<u8>) -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(bytes)
}

/// What libuv wrote: always UTF-8 here, lone surrogates aside.
#[cfg(not(unix))]
pub(super) fn from_bytes(bytes: Vec<u8>) -> OsString {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

/// A copy of the NUL-terminated string at `text`; empty for a null pointer.
///
/// # Safety
/// `text` is null or points to a NUL-terminated string that nothing changes during the call.
pub(super) unsafe fn from_c(text: *const c_char) -> OsString {
    if text.is_null() {
        return OsString::new();
    }
    // SAFETY: not null, and the caller vouches for the rest.
    from_bytes(unsafe { CStr::from_ptr(text) }.to_bytes().to_vec())
}

/// The string in a fixed array that a C struct carries, up to its NUL.
pub(super) fn from_array(array: &[c_char]) -> OsString {
    let bytes = array.iter().map(|&byte| byte as u8);
    from_bytes(bytes.take_while(|&byte| byte != 0).collect())
}

/// Calls a libuv function of the shape `(char* buffer, size_t* size)` with a buffer that grows until it fits.
///
/// libuv says `UV_ENOBUFS` and the size it needs; the text can grow again in between, hence the loop.
pub(super) fn fill(
    what: impl Into<Cow<'static, str>>,
    call: impl Fn(*mut c_char, *mut usize) -> i32,
) -> Result<OsString> {
    let mut buffer = vec![0u8; 256];
    loop {
        let mut size = buffer.len();
        match call(buffer.as_mut_ptr().cast(), &raw mut size) {
            0 => {
                buffer.truncate(size);
                return Ok(from_bytes(buffer));
            }
            status if Code(status) == Code::ENOBUFS && buffer.len() < 1 << 30 => {
                let larger = size.max(buffer.len() * 2);
                buffer.resize(larger, 0);
            }
            status => return Err(Error::new(Code(status), what)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_grows_until_the_text_fits() {
        let text = "x".repeat(5000);
        let filled = fill("a test", |buffer, size| {
            // SAFETY: `fill` passes a live size.
            let room = unsafe { *size };
            // SAFETY: as above.
            unsafe { *size = 5000 + usize::from(room <= 5000) };
            if room <= 5000 {
                return Code::ENOBUFS.0;
            }
            // SAFETY: the buffer holds `room` > 5000 bytes.
            unsafe { buffer.copy_from_nonoverlapping(text.as_ptr().cast(), 5000) };
            0
        });
        assert_eq!(filled, Ok(OsString::from(text.clone())));
    }

    #[test]
    fn an_error_other_than_a_short_buffer_names_what_was_tried() {
        let error = fill("a test", |_, _| Code::EIO.0).unwrap_err();
        assert_eq!(error, Error::new(Code::EIO, "a test"));
    }

    #[test]
    fn a_nul_inside_is_refused() {
        let error = to_c(OsStr::new("a\0b"), "a path").unwrap_err();
        assert_eq!(error.code(), Some(Code::EINVAL));
        assert!(error.to_string().contains("a path"), "{error}");
    }

    #[test]
    fn an_array_ends_at_its_nul() {
        let array = [b'a' as c_char, b'b' as c_char, 0, b'c' as c_char];
        assert_eq!(from_array(&array), "ab");
        // SAFETY: null is allowed.
        assert_eq!(unsafe { from_c(std::ptr::null()) }, "");
    }
}
