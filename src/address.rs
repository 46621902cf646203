//! Socket addresses: `std::net::SocketAddr` on its way to C and back.

use std::mem;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::raw::c_int;

use libuv_sys2 as uv;

use crate::error::{Code, Error, Result};

/// An address as C has it (`struct sockaddr`), IPv4 or IPv6. All zeroes is none.
#[repr(C)]
#[derive(Clone, Copy)]
pub union RawAddress {
    v4: libc::sockaddr_in,
    v6: libc::sockaddr_in6,
}

impl RawAddress {
    /// Room for an address, to be filled by C.
    pub fn empty() -> RawAddress {
        // SAFETY: all-zero is a valid value of C structs of integers.
        unsafe { mem::zeroed() }
    }

    /// For functions of libuv's that take an address.
    pub fn as_ptr(&self) -> *const uv::sockaddr {
        std::ptr::from_ref(self).cast()
    }

    /// How long it is (`socklen_t`); 0 if it is none.
    pub fn length(&self) -> libc::socklen_t {
        // SAFETY: both begin with the family, and all of the union is initialized.
        let length = match c_int::from(unsafe { self.v4.sin_family }) {
            libc::AF_INET => size_of::<libc::sockaddr_in>(),
            libc::AF_INET6 => size_of::<libc::sockaddr_in6>(),
            _ => 0,
        };
        length as libc::socklen_t
    }

    /// For functions of libuv's that fill one, at most `size_of::<RawAddress>()` bytes of it.
    pub fn as_mut_ptr(&mut self) -> *mut uv::sockaddr {
        std::ptr::from_mut(self).cast()
    }

    /// The address; `None` for one that is neither IPv4 nor IPv6.
    pub fn get(&self) -> Option<SocketAddr> {
        // SAFETY: the union is as large as either address.
        unsafe { read(std::ptr::from_ref(self).cast(), size_of::<RawAddress>()) }
    }
}

impl From<SocketAddr> for RawAddress {
    fn from(address: SocketAddr) -> RawAddress {
        let mut raw = RawAddress::empty();
        match address {
            SocketAddr::V4(address) => {
                // SAFETY: this is the field that counts from here on.
                let v4 = unsafe { &mut raw.v4 };
                v4.sin_family = libc::AF_INET as libc::sa_family_t;
                v4.sin_port = address.port().to_be();
                v4.sin_addr.s_addr = u32::from(*address.ip()).to_be();
            }
            SocketAddr::V6(address) => {
                // SAFETY: this is the field that counts from here on.
                let v6 = unsafe { &mut raw.v6 };
                v6.sin6_family = libc::AF_INET6 as libc::sa_family_t;
                v6.sin6_port = address.port().to_be();
                v6.sin6_addr.s6_addr = address.ip().octets();
                v6.sin6_flowinfo = address.flowinfo().to_be();
                v6.sin6_scope_id = address.scope_id();
            }
        }
        raw
    }
}

/// The IPv4 or IPv6 address at `address`; `None` for what is neither.
///
/// # Safety
/// The pointer is null or to a `sockaddr` of that length.
pub unsafe fn read(address: *const libc::sockaddr, length: usize) -> Option<SocketAddr> {
    if address.is_null() || length < size_of::<libc::sockaddr_in>() {
        return None;
    }
    // SAFETY: the caller says so, and the length was looked at.
    unsafe {
        match c_int::from((*address).sa_family) {
            libc::AF_INET => {
                let address = address.cast::<libc::sockaddr_in>().read_unaligned();
                let ip = Ipv4Addr::from(u32::from_be(address.sin_addr.s_addr));
                Some(SocketAddrV4::new(ip, u16::from_be(address.sin_port)).into())
            }
            libc::AF_INET6 if length >= size_of::<libc::sockaddr_in6>() => {
                let address = address.cast::<libc::sockaddr_in6>().read_unaligned();
                let ip = Ipv6Addr::from(address.sin6_addr.s6_addr);
                Some(
                    SocketAddrV6::new(
                        ip,
                        u16::from_be(address.sin6_port),
                        u32::from_be(address.sin6_flowinfo),
                        address.sin6_scope_id,
                    )
                    .into(),
                )
            }
            _ => None,
        }
    }
}

/// An address from an IP address in numbers. In IPv6 a `%` and the name or number of an interface
/// may follow.
///
/// Fails with `UV_EINVAL` for a text that is no such address, `UV_ENXIO` for an interface that is
/// not there.
pub fn parse(host: &str, port: u16) -> Result<SocketAddr> {
    let invalid = || Error::new(Code::EINVAL, format!("{host:?} is not an IP address"));
    if let Some((ip, zone)) = host.split_once('%') {
        let ip = ip.parse().map_err(|_| invalid())?;
        let scope = zone.parse().or_else(|_| interface_index(zone))?;
        return Ok(SocketAddrV6::new(ip, port, 0, scope).into());
    }
    Ok(SocketAddr::new(host.parse().map_err(|_| invalid())?, port))
}

/// The name of an interface, if there is one with this number, which 0 never is.
pub fn interface_name(index: u32) -> Option<String> {
    #[cfg(unix)]
    if index != 0 {
        let mut name = [0; libc::IF_NAMESIZE];
        // SAFETY: there is room for the longest name and its NUL.
        let found = unsafe { libc::if_indextoname(index, name.as_mut_ptr()) };
        if !found.is_null() {
            // SAFETY: the function has put a NUL behind the name.
            let name = unsafe { std::ffi::CStr::from_ptr(name.as_ptr()) };
            return name.to_str().ok().map(str::to_owned);
        }
    }
    #[cfg(not(unix))]
    let _ = index;
    None
}

fn interface_index(name: &str) -> Result<u32> {
    let missing = || Error::new(Code::ENXIO, format!("interface {name:?}"));
    #[cfg(unix)]
    {
        let text = std::ffi::CString::new(name).map_err(|_| missing())?;
        // SAFETY: the text ends with a NUL.
        match unsafe { libc::if_nametoindex(text.as_ptr()) } {
            0 => Err(missing()),
            index => Ok(index),
        }
    }
    #[cfg(not(unix))]
    Err(missing())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_back_as_they_went() {
        for text in ["127.0.0.1:80", "[::1]:65535", "0.0.0.0:0", "[fe80::1]:1"] {
            let address: SocketAddr = text.parse().unwrap();
            assert_eq!(RawAddress::from(address).get(), Some(address));
        }
        let full = SocketAddrV6::new(Ipv6Addr::LOCALHOST, 1, 0xf_fff0, 3).into();
        assert_eq!(RawAddress::from(full).get(), Some(full));
        assert_eq!(RawAddress::empty().get(), None);
    }

    #[test]
    fn hosts_in_numbers_are_parsed_and_others_refused() {
        assert_eq!(parse("127.0.0.1", 80), Ok("127.0.0.1:80".parse().unwrap()));
        assert_eq!(parse("::1", 80), Ok("[::1]:80".parse().unwrap()));
        for host in ["", "localhost", "127.0.0", "1.2.3.4.5", "::g", "\0", "127.0.0.1\0"] {
            assert_eq!(parse(host, 1).unwrap_err().code(), Some(Code::EINVAL), "{host:?}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_interface_is_taken_by_name_and_by_number() {
        let index: u32 =
            std::fs::read_to_string("/sys/class/net/lo/ifindex").unwrap().trim().parse().unwrap();
        for host in ["fe80::1%lo".to_owned(), format!("fe80::1%{index}")] {
            let Ok(SocketAddr::V6(address)) = parse(&host, 7) else { panic!("{host}") };
            assert_eq!((address.scope_id(), address.port()), (index, 7), "{host}");
        }
        let error = parse("fe80::1%no-such-interface", 7).unwrap_err();
        assert_eq!(error.code(), Some(Code::ENXIO));
    }
}
