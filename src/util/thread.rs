//! What the system calls the calling thread, and how eagerly it runs it.

use std::ffi::{OsStr, OsString};

use libuv_sys2 as uv;

use super::text::{from_array, to_c};
use crate::{Error, Result};

/// Longer than any system's names of threads.
const LONGEST: usize = 256;

/// The name of the calling thread (`uv_thread_getname`).
pub fn thread_name() -> Result<OsString> {
    let mut name = [0; LONGEST];
    // SAFETY: no arguments; the calling thread lives as long as this call.
    let mut thread = unsafe { uv::uv_thread_self() };
    // SAFETY: the buffer's size goes with it.
    let status = unsafe { uv::uv_thread_getname(&raw mut thread, name.as_mut_ptr(), name.len()) };
    Error::check(status, "the thread's name")?;
    Ok(from_array(&name))
}

/// Names the calling thread, for `top`, `gdb` and their like (`uv_thread_setname`). A long name is
/// cut: on Linux to 15 bytes.
///
/// `UV_EINVAL` for a name that holds a NUL.
pub fn set_thread_name(name: &OsStr) -> Result<()> {
    let name = to_c(name, "the thread's name")?;
    // SAFETY: a C string that outlives the call.
    let status = unsafe { uv::uv_thread_setname(name.as_ptr()) };
    Error::check(status, "the thread's name").map(drop)
}

/// The priority of the calling thread as the system counts (`uv_thread_getpriority`): on Linux, for
/// a thread that is scheduled as usual, its nice value.
pub fn thread_priority() -> Result<i32> {
    let mut priority = 0;
    // SAFETY: libuv writes one int; the calling thread lives as long as this call.
    let status = unsafe { uv::uv_thread_getpriority(uv::uv_thread_self(), &raw mut priority) };
    Error::check(status, "the thread's priority")?;
    Ok(priority)
}

/// Gives the calling thread one of five priorities, from -2, the lowest, to 2
/// (`uv_thread_setpriority`). On Linux, for a thread that is scheduled as usual, that is a nice
/// value of 4, 2, 0, -2 or -4.
///
/// `UV_EINVAL` for another number, `UV_EACCES` or `UV_EPERM` without the right to do it.
pub fn set_thread_priority(priority: i32) -> Result<()> {
    // SAFETY: a number, which libuv checks; the calling thread lives as long as this call.
    let status = unsafe { uv::uv_thread_setpriority(uv::uv_thread_self(), priority) };
    Error::check(status, format_args!("thread priority {priority}")).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;

    #[test]
    fn a_thread_has_the_name_it_gives_itself() {
        std::thread::spawn(|| {
            set_thread_name(OsStr::new("a short name")).unwrap();
            assert_eq!(thread_name().unwrap(), "a short name");
            set_thread_name(OsStr::new(&"x".repeat(500))).unwrap();
            assert!(thread_name().unwrap().len() >= 15);
            let refused = set_thread_name(OsStr::new("a\0b")).unwrap_err();
            assert_eq!(refused.code(), Some(Code::EINVAL));
        })
        .join()
        .unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_thread_can_be_given_a_lower_priority() {
        std::thread::spawn(|| {
            set_thread_priority(-2).unwrap();
            assert_eq!(thread_priority(), Ok(4));
        })
        .join()
        .unwrap();
        for wrong in [-3, 3, i32::MIN, i32::MAX] {
            assert_eq!(set_thread_priority(wrong).unwrap_err().code(), Some(Code::EINVAL));
        }
    }
}
