//! Memory that libuv writes from while it holds only its address.

use bytes::Bytes;
use libuv_sys2 as uv;

use crate::error::{Code, Error, Result};

/// The most bytes that one call reads, writes or sends: 2 GiB less a page, the limit of Linux,
/// which libuv applies everywhere.
pub const MAX_LENGTH: usize = 0x7fff_f000;

/// Fails with `UV_EINVAL` for more than [`MAX_LENGTH`] bytes.
#[inline]
pub fn check_length(length: usize) -> Result<()> {
    if length > MAX_LENGTH { Err(too_long(length)) } else { Ok(()) }
}

#[cold]
fn too_long(length: usize) -> Error {
    let what = format!("{length} bytes are more than the {MAX_LENGTH} of one call");
    Error::new(Code::EINVAL, what)
}

/// Address and length of a piece of memory (`uv_buf_t`).
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Buffer(uv::uv_buf_t);

// SAFETY: an address may be sent anywhere; what it may be used for is the matter of the traits
// that speak of buffers.
unsafe impl Send for Buffer {}

impl Buffer {
    /// `length` bytes at `address`.
    pub fn new(address: *mut u8, length: usize) -> Buffer {
        // The field is narrower on Windows; no longer buffer gets past `check_length`.
        #[cfg(windows)]
        let length = length.min(MAX_LENGTH + 1) as _;
        Buffer(uv::uv_buf_t { base: address.cast(), len: length })
    }

    /// Its length in bytes.
    #[allow(clippy::unnecessary_cast)]
    pub fn length(&self) -> usize {
        self.0.len as usize
    }

    /// Where it begins.
    pub fn address(&self) -> *mut u8 {
        self.0.base.cast()
    }

    pub(crate) fn raw(self) -> uv::uv_buf_t {
        self.0
    }

    /// Without its first `skip` bytes; empty if it has no more than that.
    pub fn skip(self, skip: usize) -> Buffer {
        let skip = skip.min(self.length());
        Buffer::new(self.address().wrapping_add(skip), self.length() - skip)
    }

    /// Its first `length` bytes, or all if it has no more than that.
    pub fn first(self, length: usize) -> Buffer {
        Buffer::new(self.address(), length.min(self.length()))
    }

    /// For functions of libuv's that take an array of them.
    pub fn as_raw(buffers: &[Buffer]) -> *const uv::uv_buf_t {
        buffers.as_ptr().cast()
    }
}

/// What a write takes its bytes from.
///
/// # Safety
/// The memory of `buffers` stays where it is and may be read until the value is dropped, also
/// when the value itself is moved. (Nobody looks at it as a Rust slice, so it may change.)
pub unsafe trait Source: Send + 'static {
    /// The pieces, in order.
    fn buffers(&self) -> impl AsRef<[Buffer]> + Send + use<Self>;
}

macro_rules! one_piece {
    ($($source:ty,)*) => {
        $(
            // SAFETY: the bytes are on the heap or static, and do not change while the value is
            // only moved.
            unsafe impl Source for $source {
                fn buffers(&self) -> impl AsRef<[Buffer]> + Send + use<> {
                    [Buffer::new(self.as_ptr().cast_mut(), self.len())]
                }
            }
        )*
    };
}

one_piece! { Bytes, Vec<u8>, Box<[u8]>, String, &'static [u8], &'static str, }

/// Several pieces, written one after the other.
// SAFETY: each piece is a source, and moving the vector does not even move them.
unsafe impl<S: Source> Source for Vec<S> {
    fn buffers(&self) -> impl AsRef<[Buffer]> + Send + use<S> {
        let mut buffers = Vec::with_capacity(self.len());
        for piece in self {
            buffers.extend_from_slice(piece.buffers().as_ref());
        }
        buffers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absurd_lengths_are_errors() {
        assert!(check_length(MAX_LENGTH).is_ok());
        assert_eq!(check_length(MAX_LENGTH + 1).unwrap_err().code(), Some(Code::EINVAL));
    }

    #[test]
    fn pieces_keep_their_order() {
        let pieces = vec![Bytes::from_static(b"ab"), Bytes::new(), Bytes::from_static(b"c")];
        let lengths: Vec<usize> = pieces.buffers().as_ref().iter().map(Buffer::length).collect();
        assert_eq!(lengths, [2, 0, 1]);
    }
}
