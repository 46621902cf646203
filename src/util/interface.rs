//! The machine's network interfaces.

use std::ffi::{CStr, OsString, c_char};
use std::net::IpAddr;

use libuv_sys2 as uv;

use super::text::{fill, from_c};
use crate::{Code, Error, Result};

/// One address of an interface that is up (`uv_interface_address_t`); an interface with several
/// addresses has several of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterfaceAddress {
    /// The interface's name: `"eth0"`.
    pub name: OsString,
    /// Whether it is a loopback interface.
    pub is_internal: bool,
    /// The address.
    pub address: IpAddr,
    /// The network's mask.
    pub netmask: IpAddr,
    /// The hardware address; zeros where there is none.
    pub mac: [u8; 6],
}

/// Every IPv4 and IPv6 address of every interface that is up (`uv_interface_addresses`).
pub fn interface_addresses() -> Result<Vec<InterfaceAddress>> {
    let mut entries = std::ptr::null_mut();
    let mut count = 0;
    // SAFETY: libuv writes both, and on success owns an array of `count` entries.
    let status = unsafe { uv::uv_interface_addresses(&raw mut entries, &raw mut count) };
    Error::check(status, "the network interfaces")?;
    let found = (0..count as usize).filter_map(|index| {
        // SAFETY: index < count, and the array lives until it is freed below.
        let entry = unsafe { &*entries.add(index) };
        Some(InterfaceAddress {
            // SAFETY: libuv ends each name with a NUL.
            name: unsafe { from_c(entry.name) },
            is_internal: entry.is_internal != 0,
            // SAFETY: whatever its family, each union begins as a sockaddr and is a sockaddr_in6
            // long.
            address: unsafe { ip((&raw const entry.address).cast()) }?,
            // SAFETY: as above.
            netmask: unsafe { ip((&raw const entry.netmask).cast()) }?,
            mac: entry.phys_addr.map(|byte| byte as u8),
        })
    });
    let found = found.collect();
    // SAFETY: the array came from uv_interface_addresses, and nothing borrows it any more.
    unsafe { uv::uv_free_interface_addresses(entries, count) };
    Ok(found)
}

/// The name of the interface with number `index` (`uv_if_indextoname`).
///
/// `UV_ENXIO` when there is none.
pub fn interface_name(index: u32) -> Result<OsString> {
    fill(format!("network interface {index}"), |buffer, size| {
        // SAFETY: `fill` passes a buffer and its size.
        unsafe { uv::uv_if_indextoname(index, buffer, size) }
    })
}

/// What follows the `%` in a scoped IPv6 address on the interface with number `index`: its name,
/// or on Windows its number (`uv_if_indextoiid`).
///
/// `UV_ENXIO` when there is none.
pub fn interface_identifier(index: u32) -> Result<OsString> {
    fill(format!("network interface {index}"), |buffer, size| {
        // SAFETY: `fill` passes a buffer and its size.
        unsafe { uv::uv_if_indextoiid(index, buffer, size) }
    })
}

/// The address at `address`, or `None` where it is of another family than IPv4 and IPv6.
///
/// # Safety
/// `address` points to a sockaddr with room for what its family says.
unsafe fn ip(address: *const uv::sockaddr) -> Option<IpAddr> {
    let mut text = [0u8; 64];
    // SAFETY: the caller vouches for the address; libuv writes at most the length given.
    let status = unsafe { uv::uv_ip_name(address, text.as_mut_ptr().cast::<c_char>(), text.len()) };
    Code::check(status).ok()?;
    CStr::from_bytes_until_nul(&text).ok()?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_internal_and_nothing_else_claims_its_address() {
        let addresses = interface_addresses().unwrap();
        assert!(addresses.iter().any(|entry| entry.is_internal), "{addresses:?}");
        for entry in addresses {
            assert_eq!(entry.is_internal, entry.address.is_loopback(), "{entry:?}");
            assert_eq!(entry.address.is_ipv4(), entry.netmask.is_ipv4(), "{entry:?}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_index_has_the_name_the_kernel_gives_it() {
        let index = std::fs::read_to_string("/sys/class/net/lo/ifindex").unwrap();
        let index = index.trim().parse().unwrap();
        assert_eq!(interface_name(index).unwrap(), "lo");
        assert_eq!(interface_identifier(index).unwrap(), "lo");
    }

    #[test]
    fn an_index_that_is_not_there_is_an_error() {
        for index in [0, u32::MAX] {
            assert_eq!(interface_name(index).unwrap_err().code(), Some(Code::ENXIO));
            assert_eq!(interface_identifier(index).unwrap_err().code(), Some(Code::ENXIO));
        }
    }
}
