//! Memory that is read into and written from while libuv, on another thread, holds its address.

use std::ffi::c_uint;

use bytes::Bytes;
use libuv_sys2 as uv;
use pyuv::{Code, Error, Result};

/// The most bytes that one call reads, writes or sends: 2 GiB less a page, the limit of Linux,
/// which libuv applies everywhere.
pub const MAX_LENGTH: usize = 0x7fff_f000;

pub(crate) fn check_length(length: usize) -> Result<()> {
    if length > MAX_LENGTH {
        let what = format!("{length} bytes are more than the {MAX_LENGTH} of one call");
        return Err(Error::new(Code::EINVAL, what));
    }
    Ok(())
}

/// How many pieces of memory there are, as libuv counts them.
pub(crate) fn piece_count(pieces: usize) -> Result<c_uint> {
    c_uint::try_from(pieces)
        .map_err(|_| Error::new(Code::EINVAL, "more pieces than a C int counts"))
}

/// Address and length of a piece of memory (`uv_buf_t`).
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Buffer(uv::uv_buf_t);

// SAFETY: an address may be sent anywhere; what it may be used for is the matter of the traits
// below.
unsafe impl Send for Buffer {}

impl Buffer {
    /// `length` bytes at `address`.
    #[allow(clippy::unnecessary_cast)]
    pub fn new(address: *mut u8, length: usize) -> Buffer {
        // The field is narrower on Windows; no longer buffer gets past `check_length`.
        Buffer(uv::uv_buf_t { base: address.cast(), len: length.min(MAX_LENGTH + 1) as _ })
    }

    #[allow(clippy::unnecessary_cast)]
    pub(crate) fn length(&self) -> usize {
        self.0.len as usize
    }

    pub(crate) fn as_raw(buffers: &[Buffer]) -> *const uv::uv_buf_t {
        buffers.as_ptr().cast()
    }
}

/// What a read may fill.
///
/// # Safety
/// The memory of `buffer` stays where it is, may be written, and is used by nobody else, until
/// the value is dropped or `filled` is called; also when the value itself is moved. Whatever
/// thread that is.
pub unsafe trait Destination: Send + 'static {
    /// What comes out when the read is over.
    type Filled;

    /// The memory to fill.
    fn buffer(&mut self) -> Buffer;

    /// Ends the read: the first `length` bytes of the memory have been written.
    ///
    /// # Safety
    /// They have been.
    unsafe fn filled(self, length: usize) -> Self::Filled;
}

/// A vector is filled to its length at most, and comes back truncated to what arrived.
// SAFETY: a vector's memory stays where it is while the vector moves, and is its own.
unsafe impl Destination for Vec<u8> {
    type Filled = Vec<u8>;

    fn buffer(&mut self) -> Buffer {
        Buffer::new(self.as_mut_ptr(), self.len())
    }

    unsafe fn filled(mut self, length: usize) -> Vec<u8> {
        self.truncate(length);
        self
    }
}

/// Fresh memory of exactly the length asked for.
pub(crate) struct Fresh(Vec<u8>, usize);

impl Fresh {
    pub(crate) fn new(length: usize) -> Result<Fresh> {
        check_length(length)?;
        let mut memory = Vec::new();
        memory
            .try_reserve_exact(length)
            .map_err(|_| Error::new(Code::ENOMEM, format!("{length} bytes")))?;
        Ok(Fresh(memory, length))
    }
}

// SAFETY: as for Vec<u8>; its capacity is at least the length.
unsafe impl Destination for Fresh {
    type Filled = Bytes;

    fn buffer(&mut self) -> Buffer {
        Buffer::new(self.0.as_mut_ptr(), self.1)
    }

    unsafe fn filled(mut self, length: usize) -> Bytes {
        // SAFETY: the caller says that so many bytes have been written.
        unsafe { self.0.set_len(length) };
        if length == 0 { Bytes::new() } else { self.0.into() }
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
        assert!(Fresh::new(usize::MAX).is_err());
        assert!(Fresh::new(MAX_LENGTH + 1).is_err());
        assert!(Fresh::new(0).is_ok());
    }

    #[test]
    fn pieces_keep_their_order() {
        let pieces = vec![Bytes::from_static(b"ab"), Bytes::new(), Bytes::from_static(b"c")];
        let lengths: Vec<usize> = pieces.buffers().as_ref().iter().map(Buffer::length).collect();
        assert_eq!(lengths, [2, 0, 1]);
    }
}
