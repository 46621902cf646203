//! How much memory the machine and this process have, in bytes.

use libuv_sys2 as uv;

use crate::{Error, Result};

/// Memory that programs could still get, in bytes; 0 when unknown (`uv_get_free_memory`).
///
/// On Linux this is `MemAvailable`, which counts what the kernel would take back from its caches.
pub fn free_memory() -> u64 {
    // SAFETY: no arguments, no state.
    unsafe { uv::uv_get_free_memory() }
}

/// The machine's physical memory, in bytes; 0 when unknown (`uv_get_total_memory`).
pub fn total_memory() -> u64 {
    // SAFETY: no arguments, no state.
    unsafe { uv::uv_get_total_memory() }
}

/// The limit that the system (on Linux: cgroup or rlimit) puts on this process, in bytes
/// (`uv_get_constrained_memory`).
///
/// 0: no mechanism for it, or unknown. `u64::MAX`: a mechanism with no limit set. It can be larger
/// than [`total_memory`].
pub fn constrained_memory() -> u64 {
    // SAFETY: no arguments, no state.
    unsafe { uv::uv_get_constrained_memory() }
}

/// Memory that this process could still get, its limits counted, in bytes
/// (`uv_get_available_memory`).
pub fn available_memory() -> u64 {
    // SAFETY: no arguments, no state.
    unsafe { uv::uv_get_available_memory() }
}

/// This process's resident set, in bytes (`uv_resident_set_memory`).
pub fn resident_set_memory() -> Result<usize> {
    let mut size = 0;
    // SAFETY: libuv writes one size_t.
    let status = unsafe { uv::uv_resident_set_memory(&raw mut size) };
    Error::check(status, "the resident set size")?;
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_are_smaller_than_the_whole() {
        let total = total_memory();
        assert!(total > 0);
        assert!(free_memory() <= total);
        assert!(available_memory() <= total);
        assert!(resident_set_memory().unwrap() as u64 <= total);
    }

    #[test]
    fn touching_memory_shows_in_the_resident_set() {
        let before = resident_set_memory().unwrap();
        let block = vec![1u8; 64 << 20];
        let after = resident_set_memory().unwrap();
        assert!(after > before + (32 << 20), "{before} -> {after} with {} bytes", block.len());
    }

    #[test]
    fn a_limit_is_absent_or_at_least_a_page() {
        let limit = constrained_memory();
        assert!(limit == 0 || limit >= 4096, "{limit}");
    }
}
