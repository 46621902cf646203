//! What `ps` and its like show for this process.
//!
//! libuv's own `uv_set_process_title` needs `uv_setup_args`, which takes over the `argv` of `main`:
//! a library inside another program has none, and without it both calls only say `UV_ENOBUFS`. On
//! Linux the kernel knows where that `argv` is, so both are done here by way of the kernel, with
//! libuv's meaning: the title overwrites the command line and is cut to its length, and the
//! process's short name (15 bytes) follows it. Where libuv needs no `uv_setup_args` (Windows, the
//! BSDs) its functions are called; macOS and the rest say `UV_ENOBUFS`.

use std::ffi::{OsStr, OsString};

use crate::Result;

/// The title of this process.
///
/// On Linux: the first string of `/proc/self/cmdline`, which is the program's name as it was
/// called until a title is set. Elsewhere `uv_get_process_title`, with `UV_ENOBUFS` where it
/// needs what a library does not have.
pub fn process_title() -> Result<OsString> {
    sys::process_title()
}

/// Sets the title of this process.
///
/// On Linux the title takes the place of the whole command line in `/proc/self/cmdline`, as far
/// as that is long: the rest of the title is dropped, at the end of a character. The arguments are
/// gone from there, and C code that kept the `argv` of `main` sees the title too. The main
/// thread's name (`/proc/self/comm`) becomes its first 15 bytes where the kernel permits. The
/// memory is written by the kernel, so that a command line which is not where the kernel
/// believes is an error, never a crash.
///
/// `UV_EINVAL` for a title with a NUL, `UV_ENOBUFS` when there is no command line to overwrite.
/// Elsewhere `uv_set_process_title`.
pub fn set_process_title(title: &OsStr) -> Result<()> {
    super::text::to_c(title, "the title")?;
    sys::set_process_title(title)
}

/// The first `length` bytes of `title` at most, without cutting a UTF-8 character in two.
#[cfg(target_os = "linux")]
fn cut(title: &[u8], length: usize) -> &[u8] {
    let Some(after) = title.get(length) else { return title };
    let mut end = length;
    if after & 0xc0 == 0x80 {
        // A character has at most three bytes after its first; more of them are not UTF-8.
        let first = (1..=3.min(end)).find(|back| title[end - back] & 0xc0 == 0xc0);
        end -= first.unwrap_or(0);
    }
    &title[..end]
}

#[cfg(target_os = "linux")]
mod sys {
    use std::ffi::{OsStr, OsString};
    use std::fs::{self, OpenOptions};
    use std::io::Error as IoError;
    use std::ops::Range;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::FileExt;

    use super::cut;
    use crate::util::text::from_bytes;
    use crate::{Code, Error, Result};

    /// The same file as `/proc/self/cmdline`, except under valgrind, which answers for that one
    /// itself with what the command line once was.
    pub(super) const COMMAND_LINE: &str = "/proc/thread-self/cmdline";

    pub fn process_title() -> Result<OsString> {
        let line = fs::read(COMMAND_LINE);
        let mut line = line.map_err(|error| failed(&error, COMMAND_LINE))?;
        let end = line.iter().position(|byte| *byte == 0).unwrap_or(line.len());
        line.truncate(end);
        Ok(from_bytes(line))
    }

    pub fn set_process_title(title: &OsStr) -> Result<()> {
        let line = command_line()?;
        // The last byte stays NUL: otherwise the kernel takes the environment behind it for more
        // of the title, and C code that reads argv would too.
        let title = cut(title.as_bytes(), (line.end - line.start) as usize - 1);
        let mut bytes = vec![0; (line.end - line.start) as usize];
        bytes[..title.len()].copy_from_slice(title);

        let path = "/proc/self/mem";
        let memory = OpenOptions::new().write(true).open(path);
        let memory = memory.map_err(|error| failed(&error, path))?;
        memory.write_all_at(&bytes, line.start).map_err(|error| failed(&error, path))?;
        // Not libuv's prctl(PR_SET_NAME), which would name the thread that happens to call. A
        // name is a courtesy: some containers forbid it, and the title is set all the same.
        // The NUL makes an empty name a write of one byte: one of none would do nothing.
        let _ = fs::write("/proc/self/comm", [cut(title, 15), b"\0"].concat());
        Ok(())
    }

    /// Where the kernel says that the strings of `argv` are.
    fn command_line() -> Result<Range<u64>> {
        let path = "/proc/self/stat";
        let stat = fs::read(path).map_err(|error| failed(&error, path))?;
        parse(&stat).ok_or_else(|| Error::new(Code::ENOBUFS, "there is no command line"))
    }

    /// `arg_start` and `arg_end`, fields 48 and 49 of `/proc/self/stat`. The second field, the
    /// process's name in parentheses, can hold anything; field 3 follows its last parenthesis.
    pub(super) fn parse(stat: &[u8]) -> Option<Range<u64>> {
        let after = stat.iter().rposition(|byte| *byte == b')')? + 1;
        let text = std::str::from_utf8(&stat[after..]).ok()?;
        let mut fields = text.split_ascii_whitespace().skip(48 - 3);
        let start = fields.next()?.parse().ok()?;
        let end = fields.next()?.parse().ok()?;
        // An empty range: the kernel hides the addresses. An enormous one: not a command line
        // (the kernel's own limit for one is far below).
        (start != 0 && start < end && end - start < 1 << 30).then_some(start..end)
    }

    fn failed(error: &IoError, path: &'static str) -> Error {
        Error::new(error.raw_os_error().map_or(Code::EIO, |errno| Code(-errno)), path)
    }
}

#[cfg(not(target_os = "linux"))]
mod sys {
    use std::ffi::{OsStr, OsString};

    use libuv_sys2 as uv;

    use crate::util::text::{from_bytes, to_c};
    use crate::{Code, Error, Result};

    pub fn process_title() -> Result<OsString> {
        let mut buffer = vec![0u8; 512];
        loop {
            // SAFETY: the buffer has the size that goes with it.
            let status =
                unsafe { uv::uv_get_process_title(buffer.as_mut_ptr().cast(), buffer.len()) };
            // The same code says "too small" and "no uv_setup_args": stop at a size no title has.
            if Code(status) == Code::ENOBUFS && buffer.len() < 1 << 16 {
                let larger = buffer.len() * 2;
                buffer.resize(larger, 0);
                continue;
            }
            Error::check(status, "the process title")?;
            let end = buffer.iter().position(|byte| *byte == 0).unwrap_or(buffer.len());
            buffer.truncate(end);
            return Ok(from_bytes(buffer));
        }
    }

    pub fn set_process_title(title: &OsStr) -> Result<()> {
        let text = to_c(title, "the title")?;
        // SAFETY: a NUL-terminated string that libuv copies.
        let status = unsafe { uv::uv_set_process_title(text.as_ptr()) };
        Error::check(status, "the process title").map(drop)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;

    use super::*;
    use crate::Code;

    #[test]
    fn a_title_shows_in_the_command_line_and_is_cut_to_fit() {
        let room = fs::read(sys::COMMAND_LINE).unwrap().len();
        assert!(!process_title().unwrap().is_empty());

        set_process_title(OsStr::new("pyuv test")).unwrap();
        assert_eq!(process_title().unwrap(), "pyuv test");
        assert_eq!(fs::read_to_string("/proc/self/comm").unwrap(), "pyuv test\n");

        let long = "x".repeat(room + 4096);
        set_process_title(OsStr::new(&long)).unwrap();
        assert_eq!(process_title().unwrap(), long[..room - 1]);
        assert_eq!(fs::read(sys::COMMAND_LINE).unwrap().len(), room);
        assert_eq!(fs::read_to_string("/proc/self/comm").unwrap(), "xxxxxxxxxxxxxxx\n");

        set_process_title(OsStr::new("")).unwrap();
        assert_eq!(process_title().unwrap(), "");
        assert_eq!(fs::read_to_string("/proc/self/comm").unwrap(), "\n");

        let error = set_process_title(OsStr::new("a\0b")).unwrap_err();
        assert_eq!(error.code(), Some(Code::EINVAL));
    }

    #[test]
    fn a_cut_falls_between_characters() {
        assert_eq!(cut("abc".as_bytes(), 5), b"abc");
        assert_eq!(cut("abc".as_bytes(), 2), b"ab");
        assert_eq!(cut("a\u{20ac}b".as_bytes(), 1), b"a");
        assert_eq!(cut("a\u{20ac}b".as_bytes(), 2), b"a");
        assert_eq!(cut("a\u{20ac}b".as_bytes(), 3), b"a");
        assert_eq!(cut("a\u{20ac}b".as_bytes(), 4), "a\u{20ac}".as_bytes());
        assert_eq!(cut(b"\x80\x80\x80\x80\x80", 4), b"\x80\x80\x80\x80");
    }

    #[test]
    fn strange_stat_lines_have_no_command_line() {
        let fields = |start: &str, end: &str| {
            let zeros = "0 ".repeat(44);
            format!("1 (a) b)c) S {zeros}{start} {end} 0\n").into_bytes()
        };
        assert_eq!(sys::parse(&fields("4096", "4200")), Some(4096..4200));
        for (start, end) in [("0", "0"), ("5", "5"), ("6", "5"), ("x", "9"), ("1", "9999999999999")]
        {
            assert_eq!(sys::parse(&fields(start, end)), None, "{start} {end}");
        }
        assert_eq!(sys::parse(b""), None);
        assert_eq!(sys::parse(b"1 (a) S 1 2 3"), None);
    }
}
