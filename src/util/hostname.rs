//! The machine's name.

use std::ffi::OsString;

use libuv_sys2 as uv;

use super::text::fill;
use crate::Result;

/// The machine's name on its network (`uv_os_gethostname`).
pub fn hostname() -> Result<OsString> {
    fill("the host name", |buffer, size| {
        // SAFETY: `fill` passes a buffer and its size.
        unsafe { uv::uv_os_gethostname(buffer, size) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_has_a_name() {
        assert!(!hostname().unwrap().is_empty());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn it_is_the_name_the_kernel_has() {
        let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        assert_eq!(hostname().unwrap(), name.trim_end());
    }
}
