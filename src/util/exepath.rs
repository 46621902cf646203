//! Where the running program's file is.

use std::path::PathBuf;

use libuv_sys2 as uv;

use super::text::from_bytes;
use crate::{Code, Error, Result};

/// The absolute path of the program that runs in this process (`uv_exepath`).
///
/// In a Python process that is the interpreter, symbolic links followed. On Linux a program whose
/// file was deleted since ends in `" (deleted)"`.
pub fn exepath() -> Result<PathBuf> {
    let mut buffer = vec![0u8; 1024];
    loop {
        let mut size = buffer.len();
        // SAFETY: the buffer has the size that goes with it.
        let status = unsafe { uv::uv_exepath(buffer.as_mut_ptr().cast(), &raw mut size) };
        // On Linux libuv cuts a path that does not fit and says nothing: only room to spare
        // proves that it is whole.
        let cut = status == 0 && size + 1 >= buffer.len();
        if cut || Code(status) == Code::ENOBUFS && buffer.len() < 1 << 20 {
            let larger = buffer.len() * 2;
            buffer.resize(larger, 0);
            continue;
        }
        Error::check(status, "the path of the executable")?;
        buffer.truncate(size);
        return Ok(from_bytes(buffer).into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_program_the_standard_library_sees() {
        assert_eq!(exepath().unwrap(), std::env::current_exe().unwrap());
    }
}
