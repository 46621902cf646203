//! Random bytes from the system.

use libuv_sys2 as uv;

use crate::{Error, Result};

/// Fills `buffer` with cryptographically strong random bytes (`uv_random` without a loop).
///
/// It blocks while the system has no entropy yet, soon after the machine starts. `UV_E2BIG` for
/// more than 2,147,483,647 bytes.
pub fn random(buffer: &mut [u8]) -> Result<()> {
    let length = buffer.len();
    // SAFETY: the buffer has the length that goes with it; with no callback libuv uses neither
    // loop nor request and is done when it returns.
    let status = unsafe {
        uv::uv_random(
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            buffer.as_mut_ptr().cast(),
            length,
            0,
            None,
        )
    };
    Error::check(status, format_args!("{length} random bytes")).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_the_buffer_is_filled() {
        let mut buffer = vec![0; 100_000];
        random(&mut buffer).unwrap();
        for part in buffer.chunks(100) {
            assert!(part.iter().any(|byte| *byte != 0));
        }
    }

    #[test]
    fn nothing_can_be_asked_for() {
        assert_eq!(random(&mut []), Ok(()));
    }
}
