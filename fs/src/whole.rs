//! Reading one whole file from an open fd.

use std::os::fd::AsFd;

use rustix::io::{self, Errno};

/// What is read beyond the length that the system tells, to see that there is no more.
const MORE: usize = 1;

/// Everything from where the open file stands to its end. `length` is how long it is said to be:
/// a file of that length takes two reads and no copy. One of `/proc`, which says 0, is read as well.
///
/// Fails with `ENOMEM` where memory does not hold it.
pub(crate) fn read_whole(fd: impl AsFd, length: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    let first = usize::try_from(length).ok().and_then(|length| length.checked_add(MORE));
    reserve(&mut content, first.ok_or(Errno::NOMEM)?)?;
    loop {
        if content.len() == content.capacity() {
            let more = content.len().max(4096);
            reserve(&mut content, more)?;
        }
        match io::read(&fd, rustix::buffer::spare_capacity(&mut content)) {
            Ok(0) => return Ok(content),
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

fn reserve(content: &mut Vec<u8>, more: usize) -> io::Result<()> {
    content.try_reserve_exact(more).map_err(|_| Errno::NOMEM)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;

    use super::*;

    #[test]
    fn it_does_not_go_by_the_length_alone() {
        let path = std::env::temp_dir().join(format!("pyuv-whole-{}", std::process::id()));
        let content: Vec<u8> = (0..100_000u32).map(|number| number as u8).collect();
        File::create(&path).unwrap().write_all(&content).unwrap();
        for length in [0, 1, 99_999, 100_000, 200_000] {
            assert_eq!(read_whole(File::open(&path).unwrap(), length), Ok(content.clone()));
        }
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn what_memory_does_not_hold_is_an_error() {
        assert_eq!(read_whole(File::open("/dev/null").unwrap(), u64::MAX), Err(Errno::NOMEM));
        assert_eq!(read_whole(File::open("/dev/null").unwrap(), 1 << 62), Err(Errno::NOMEM));
    }

    #[test]
    fn a_folder_is_an_error() {
        assert_eq!(read_whole(File::open("/").unwrap(), 0), Err(Errno::ISDIR));
    }
}
