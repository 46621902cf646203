//! Memory that is read into while libuv, on another thread, holds its address.

use std::ffi::c_uint;

use bytes::Bytes;
use pyuv::buffer::{Buffer, check_length};
use pyuv::{Code, Error, Result};

/// How many pieces of memory there are, as libuv counts them.
pub(crate) fn piece_count(pieces: usize) -> Result<c_uint> {
    c_uint::try_from(pieces)
        .map_err(|_| Error::new(Code::EINVAL, "more pieces than a C int counts"))
}

/// What a read may fill.
///
/// # Safety
/// The memory of `buffer` stays where it is, may be written, and is used by nobody else, until
/// the value is dropped or `filled` is called; also when the value itself is moved. Whatever
/// thread that is.
pub unsafe trait Destination: Send + 'static {
    /// What comes out when the read is over.
    type Filled: Send + 'static;

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
        Fresh::of_any_length(length)
    }

    /// For more than one call reads.
    pub(crate) fn of_any_length(length: usize) -> Result<Fresh> {
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

#[cfg(test)]
mod tests {
    use pyuv::buffer::MAX_LENGTH;

    use super::*;

    #[test]
    fn absurd_lengths_are_errors() {
        assert!(Fresh::new(usize::MAX).is_err());
        assert!(Fresh::new(MAX_LENGTH + 1).is_err());
        assert!(Fresh::new(0).is_ok());
    }
}
