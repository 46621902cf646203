//! The numbers of this process and its parent.

use libuv_sys2 as uv;

/// This process's number (`uv_os_getpid`).
pub fn pid() -> i32 {
    // SAFETY: no arguments, cannot fail.
    unsafe { uv::uv_os_getpid() }
}

/// The number of this process's parent (`uv_os_getppid`).
pub fn parent_pid() -> i32 {
    // SAFETY: no arguments, cannot fail.
    unsafe { uv::uv_os_getppid() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_the_numbers_the_standard_library_sees() {
        assert_eq!(pid() as u32, std::process::id());
        #[cfg(unix)]
        assert_eq!(parent_pid() as u32, std::os::unix::process::parent_id());
    }
}
