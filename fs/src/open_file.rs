//! An open file, for jobs that open one, use it and close it again.

use std::ffi::{CStr, c_int, c_uint};
use std::mem::MaybeUninit;
use std::ptr;

use libuv_sys2 as uv;
use pyuv::Code;
use pyuv::buffer::{Buffer, MAX_LENGTH};

/// An fd that is closed when this goes.
pub(crate) struct OpenFile(c_int);

/// Calls one `uv_fs_*` function in its blocking form, without a loop.
///
/// # Safety
/// `start` calls one such function with the request that it is given, and returns what that
/// returned.
unsafe fn blocking<T>(
    start: impl FnOnce(*mut uv::uv_fs_t) -> c_int,
    read: impl FnOnce(*mut uv::uv_fs_t, c_int) -> T,
) -> Result<T, Code> {
    let mut request = MaybeUninit::<uv::uv_fs_t>::uninit();
    let request = request.as_mut_ptr();
    let outcome = Code::check(start(request)).map(|status| read(request, status));
    // SAFETY: the function has initialised the request, and it is cleaned up once.
    unsafe { uv::uv_fs_req_cleanup(request) };
    outcome
}

impl OpenFile {
    /// `uv_fs_open`
    pub(crate) fn open(path: &CStr, flags: c_int, mode: c_int) -> Result<OpenFile, Code> {
        // SAFETY: the path is a string that outlives the call.
        let fd = unsafe {
            let open = |request| {
                uv::uv_fs_open(ptr::null_mut(), request, path.as_ptr(), flags, mode, None)
            };
            blocking(open, |_, fd| fd)
        };
        fd.map(OpenFile)
    }

    /// Takes over an fd that is open.
    #[cfg(unix)]
    pub(crate) fn from_fd(fd: std::os::fd::OwnedFd) -> OpenFile {
        OpenFile(std::os::fd::IntoRawFd::into_raw_fd(fd))
    }

    /// Its fd, for as long as this lives.
    pub(crate) fn fd(&self) -> c_int {
        self.0
    }

    /// How long the file says it is, in bytes (`uv_fs_fstat`): 0 for a pipe, and for what is made
    /// up as it is read.
    pub(crate) fn size(&self) -> Result<u64, Code> {
        // SAFETY: an fstat that succeeded has filled the request's statbuf.
        unsafe {
            let fstat = |request| uv::uv_fs_fstat(ptr::null_mut(), request, self.0, None);
            blocking(fstat, |request, _| (*uv::uv_fs_get_statbuf(request)).st_size)
        }
    }

    /// Reads where the file stands (`uv_fs_read`): how many bytes of `memory` have been filled, 0
    /// at the end.
    ///
    /// # Safety
    /// The memory may be written, and is used by nobody else meanwhile.
    pub(crate) unsafe fn read(&self, memory: Buffer) -> Result<usize, Code> {
        let memory = [memory.first(MAX_LENGTH)];
        // SAFETY: the memory is the caller's to have written.
        unsafe {
            let read = |request| {
                let memory = Buffer::as_raw(&memory);
                uv::uv_fs_read(ptr::null_mut(), request, self.0, memory, 1, -1, None)
            };
            blocking(read, |_, count| count as usize)
        }
    }

    /// Writes all of `pieces` where the file stands (`uv_fs_write`, as often as it takes). Gives how
    /// many bytes went out, and what stopped it before the end.
    ///
    /// # Safety
    /// The memory of the pieces may be read.
    pub(crate) unsafe fn write(&self, pieces: &[Buffer]) -> (u64, Result<(), Code>) {
        let mut written = 0;
        let mut left: Vec<Buffer> =
            pieces.iter().copied().filter(|piece| piece.length() > 0).collect();
        loop {
            let round = one_call(&left);
            if round.is_empty() {
                return (written, Ok(()));
            }
            // SAFETY: the memory is the caller's to have read; libuv copies the list.
            let outcome = unsafe {
                let write = |request| {
                    let (list, count) = (Buffer::as_raw(&round), round.len() as c_uint);
                    uv::uv_fs_write(ptr::null_mut(), request, self.0, list, count, -1, None)
                };
                blocking(write, |_, count| count as usize)
            };
            match outcome {
                // Nothing and no error: the system has no reason to give, and would go on so.
                Ok(0) => return (written, Err(Code::EIO)),
                Ok(count) => {
                    written += count as u64;
                    left = behind(left, count);
                }
                Err(code) => return (written, Err(code)),
            }
        }
    }

    /// Has content and attributes reach the disk (`uv_fs_fsync`).
    pub(crate) fn sync(&self) -> Result<(), Code> {
        // SAFETY: the function takes a number.
        unsafe {
            blocking(|request| uv::uv_fs_fsync(ptr::null_mut(), request, self.0, None), |_, _| ())
        }
    }

    /// Closes it, and says what the system has to say to that (`uv_fs_close`): on some networks
    /// that a write has failed.
    pub(crate) fn close(self) -> Result<(), Code> {
        let fd = self.0;
        std::mem::forget(self);
        close(fd)
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        let _ = close(self.0);
    }
}

fn close(fd: c_int) -> Result<(), Code> {
    // SAFETY: the function takes a number.
    unsafe { blocking(|request| uv::uv_fs_close(ptr::null_mut(), request, fd, None), |_, _| ()) }
}

/// What one call takes of what is left: at most `MAX_LENGTH` bytes.
fn one_call(left: &[Buffer]) -> Vec<Buffer> {
    // libuv goes on by itself where the system takes fewer pieces.
    const PIECES: usize = 1 << 16;
    let mut room = MAX_LENGTH;
    let mut round = Vec::with_capacity(left.len().min(PIECES));
    for piece in left.iter().take(PIECES) {
        if room == 0 {
            break;
        }
        let part = piece.first(room);
        room -= part.length();
        round.push(part);
    }
    round
}

/// What is left when `count` bytes of it have gone out.
fn behind(left: Vec<Buffer>, mut count: usize) -> Vec<Buffer> {
    let mut rest = Vec::new();
    for piece in left {
        let skipped = piece.length().min(count);
        count -= skipped;
        if skipped < piece.length() {
            rest.push(piece.skip(skipped));
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(pieces: &[Buffer]) -> Vec<usize> {
        pieces.iter().map(Buffer::length).collect()
    }

    fn piece(length: usize) -> Buffer {
        Buffer::new(ptr::null_mut(), length)
    }

    #[test]
    fn a_call_takes_what_it_may() {
        let left = [piece(MAX_LENGTH - 1), piece(5), piece(5)];
        assert_eq!(lengths(&one_call(&left)), [MAX_LENGTH - 1, 1]);
        assert_eq!(lengths(&behind(left.to_vec(), MAX_LENGTH)), [4, 5]);
        assert_eq!(lengths(&behind(left.to_vec(), MAX_LENGTH + 4)), [5]);
        assert!(behind(left.to_vec(), MAX_LENGTH + 9).is_empty());
        assert_eq!(lengths(&one_call(&[piece(2 * MAX_LENGTH)])), [MAX_LENGTH]);
    }
}
