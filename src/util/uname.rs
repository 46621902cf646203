//! The operating system's name and version.

use std::ffi::OsString;
use std::mem::MaybeUninit;

use libuv_sys2 as uv;

use super::text::from_array;
use crate::{Error, Result};

/// What the system calls itself (`uv_utsname_t`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uname {
    /// The operating system: `"Linux"`.
    pub sysname: OsString,
    /// Its release: `"6.1.0-28-amd64"`.
    pub release: OsString,
    /// Its version, as its builders wrote it.
    pub version: OsString,
    /// The hardware: `"x86_64"`.
    pub machine: OsString,
}

/// The operating system's name, release and version, and the hardware's name (`uv_os_uname`).
pub fn uname() -> Result<Uname> {
    let mut name = MaybeUninit::<uv::uv_utsname_t>::zeroed();
    // SAFETY: libuv fills the struct it is given.
    Error::check(unsafe { uv::uv_os_uname(name.as_mut_ptr()) }, "the system's name")?;
    // SAFETY: all zeros is a valid value of these arrays, and libuv wrote over them.
    let name = unsafe { name.assume_init() };
    Ok(Uname {
        sysname: from_array(&name.sysname),
        release: from_array(&name.release),
        version: from_array(&name.version),
        machine: from_array(&name.machine),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_filled() {
        let Uname { sysname, release, version, machine } = uname().unwrap();
        for field in [sysname, release, version, machine] {
            assert!(!field.is_empty());
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_release_is_the_kernel_s() {
        let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
        assert_eq!(uname().unwrap().release, release.trim_end());
        assert_eq!(uname().unwrap().sysname, "Linux");
    }
}
