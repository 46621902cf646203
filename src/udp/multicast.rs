//! Where datagrams go and come from beyond one peer: multicast groups, broadcast, and how far.

use std::ffi::CString;
use std::net::SocketAddr;
use std::os::raw::{c_char, c_int};
use std::ptr;

use libuv_sys2 as uv;

use super::{UDP, UDPBindFlags};
use crate::error::{Code, Error, Result};
use crate::{address, socket};

/// What [`UDP::set_membership`] does (`uv_membership`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Membership {
    /// Become a member of the group (`UV_JOIN_GROUP`).
    Join,
    /// Be one no longer (`UV_LEAVE_GROUP`).
    Leave,
}

impl Membership {
    fn as_raw(self) -> uv::uv_membership {
        match self {
            Membership::Join => uv::uv_membership_UV_JOIN_GROUP,
            Membership::Leave => uv::uv_membership_UV_LEAVE_GROUP,
        }
    }
}

impl UDP {
    /// Joins or leaves the multicast group `group` (`uv_udp_set_membership`). Datagrams come by
    /// the interface that has the address `interface`, which for IPv6 is one with a scope
    /// (`"::%eth0"`), or by one that the system chooses.
    ///
    /// Binds to any port if the handle has no address yet. Fails with `UV_EINVAL` for what is no
    /// address, `UV_ENODEV` or such where the interface does not exist.
    pub fn set_membership(
        &self,
        group: &str,
        interface: Option<&str>,
        membership: Membership,
    ) -> Result<()> {
        let entered = self.enter()?;
        let (group_text, interface_text) = (text(group)?, optional_text(interface)?);
        self.ensure_socket(&entered, address::parse(group, 0)?.ip(), UDPBindFlags::REUSEADDR)?;
        // SAFETY: the handle is open, a UDP, and its loop is ours; the texts live until this
        // returns.
        let status = unsafe {
            uv::uv_udp_set_membership(
                self.uv(),
                group_text.as_ptr(),
                pointer(&interface_text),
                membership.as_raw(),
            )
        };
        Error::check(status, describe(&[Some(group), interface]))?;
        Ok(())
    }

    /// Joins or leaves `group` for what `source` sends to it alone
    /// (`uv_udp_set_source_membership`), otherwise as [`set_membership`](UDP::set_membership)
    /// does.
    pub fn set_source_membership(
        &self,
        group: &str,
        interface: Option<&str>,
        source: &str,
        membership: Membership,
    ) -> Result<()> {
        let entered = self.enter()?;
        let (group_text, interface_text) = (text(group)?, optional_text(interface)?);
        let source_text = text(source)?;
        self.ensure_socket(&entered, address::parse(group, 0)?.ip(), UDPBindFlags::REUSEADDR)?;
        // SAFETY: as for `set_membership`.
        let status = unsafe {
            uv::uv_udp_set_source_membership(
                self.uv(),
                group_text.as_ptr(),
                pointer(&interface_text),
                source_text.as_ptr(),
                membership.as_raw(),
            )
        };
        Error::check(status, describe(&[Some(group), interface, Some(source)]))?;
        Ok(())
    }

    /// Sends multicast datagrams by the interface that has this address, or by one that the system
    /// chooses (`uv_udp_set_multicast_interface`).
    pub fn set_multicast_interface(&self, interface: Option<&str>) -> Result<()> {
        let _entered = self.enter()?;
        let interface_text = optional_text(interface)?;
        // SAFETY: as for `set_membership`.
        let status =
            unsafe { uv::uv_udp_set_multicast_interface(self.uv(), pointer(&interface_text)) };
        Error::check(status, describe(&[interface]))?;
        Ok(())
    }

    /// Whether multicast datagrams come back to this host's members of the group
    /// (`uv_udp_set_multicast_loop`); they do at first.
    pub fn set_multicast_loop(&self, on: bool) -> Result<()> {
        self.set_option(uv::uv_udp_set_multicast_loop, libc::IPV6_MULTICAST_LOOP, 0, on.into())
    }

    /// How many routers multicast datagrams may pass, 0 to 255 (`uv_udp_set_multicast_ttl`); 1 at
    /// first. Fails with `UV_EINVAL` for others.
    pub fn set_multicast_ttl(&self, ttl: i32) -> Result<()> {
        self.set_option(uv::uv_udp_set_multicast_ttl, libc::IPV6_MULTICAST_HOPS, 0, ttl)
    }

    /// How many routers datagrams may pass, 1 to 255 (`uv_udp_set_ttl`). Fails with `UV_EINVAL`
    /// for others.
    pub fn set_ttl(&self, ttl: i32) -> Result<()> {
        self.set_option(uv::uv_udp_set_ttl, libc::IPV6_UNICAST_HOPS, 1, ttl)
    }

    /// Whether datagrams may be sent to a broadcast address (`uv_udp_set_broadcast`).
    pub fn set_broadcast(&self, on: bool) -> Result<()> {
        let _entered = self.enter()?;
        // SAFETY: the handle is open, a UDP, and its loop is ours.
        Error::check(unsafe { uv::uv_udp_set_broadcast(self.uv(), on.into()) }, "")?;
        Ok(())
    }

    /// Sets an option to `value`, `least` to 255.
    ///
    /// libuv tells a socket for IPv6 by its having been bound as one. On one that was opened, or
    /// made by [`UDP::new`], it sets the option of IPv4 instead.
    fn set_option(
        &self,
        set: unsafe extern "C" fn(*mut uv::uv_udp_t, c_int) -> c_int,
        ipv6_option: c_int,
        least: c_int,
        value: c_int,
    ) -> Result<()> {
        let entered = self.enter()?;
        let what = || value.to_string();
        if !matches!(self.getsockname(), Ok(SocketAddr::V6(_))) {
            // SAFETY: the handle is open, a UDP, and its loop is ours.
            Error::check(unsafe { set(self.uv(), value) }, what())?;
            return Ok(());
        }
        if !(least..=255).contains(&value) {
            return Err(Error::new(Code::EINVAL, what()));
        }
        socket::set_ipv6_option(self.header(&entered).fileno()?, ipv6_option, value)
    }
}

fn text(address: &str) -> Result<CString> {
    CString::new(address).map_err(|_| Error::new(Code::EINVAL, format!("{address:?}")))
}

fn optional_text(address: Option<&str>) -> Result<Option<CString>> {
    address.map(text).transpose()
}

fn pointer(text: &Option<CString>) -> *const c_char {
    text.as_ref().map_or(ptr::null(), |text| text.as_ptr())
}

/// The addresses of a call that failed.
fn describe(addresses: &[Option<&str>]) -> String {
    addresses.iter().flatten().copied().collect::<Vec<_>>().join(", ")
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::{Family, Loop};

    /// An option as the kernel has it.
    fn option(udp: &UDP, level: c_int, name: c_int) -> c_int {
        let mut value: c_int = -1;
        let mut length = size_of::<c_int>() as libc::socklen_t;
        // SAFETY: the options are ints, or bytes.
        let status = unsafe {
            let place = (&raw mut value).cast();
            libc::getsockopt(udp.fileno().unwrap(), level, name, place, &raw mut length)
        };
        assert_eq!(status, 0);
        if length == 1 { value & 0xff } else { value }
    }

    #[test]
    fn options_are_set_for_the_family_of_the_socket() {
        let event_loop = Loop::new().unwrap();
        for (family, level, ttl, multicast_ttl, multicast_loop) in [
            (
                Family::V4,
                libc::IPPROTO_IP,
                libc::IP_TTL,
                libc::IP_MULTICAST_TTL,
                libc::IP_MULTICAST_LOOP,
            ),
            (
                Family::V6,
                libc::IPPROTO_IPV6,
                libc::IPV6_UNICAST_HOPS,
                libc::IPV6_MULTICAST_HOPS,
                libc::IPV6_MULTICAST_LOOP,
            ),
        ] {
            let udp = UDP::new(&event_loop, Some(family), false).unwrap();
            udp.set_ttl(7).unwrap();
            udp.set_multicast_ttl(8).unwrap();
            udp.set_multicast_loop(false).unwrap();
            udp.set_broadcast(true).unwrap();
            assert_eq!(option(&udp, level, ttl), 7);
            assert_eq!(option(&udp, level, multicast_ttl), 8);
            assert_eq!(option(&udp, level, multicast_loop), 0);
            assert_eq!(option(&udp, libc::SOL_SOCKET, libc::SO_BROADCAST), 1);
            for outcome in [
                udp.set_ttl(0),
                udp.set_ttl(256),
                udp.set_multicast_ttl(-1),
                udp.set_multicast_ttl(256),
            ] {
                assert_eq!(outcome.unwrap_err().code(), Some(Code::EINVAL));
            }
        }
    }

    #[test]
    fn a_group_is_joined_and_left() {
        let event_loop = Loop::new().unwrap();
        let udp = UDP::new(&event_loop, None, false).unwrap();
        udp.set_membership("239.255.0.7", Some("127.0.0.1"), Membership::Join).unwrap();
        let again = udp.set_membership("239.255.0.7", Some("127.0.0.1"), Membership::Join);
        assert_eq!(again.unwrap_err().code(), Some(Code::EADDRINUSE));
        udp.set_membership("239.255.0.7", Some("127.0.0.1"), Membership::Leave).unwrap();
        let again = udp.set_membership("239.255.0.7", Some("127.0.0.1"), Membership::Leave);
        assert_eq!(again.unwrap_err().code(), Some(Code::EADDRNOTAVAIL));
        let source = |membership| {
            udp.set_source_membership("232.0.0.7", Some("127.0.0.1"), "127.0.0.9", membership)
        };
        source(Membership::Join).unwrap();
        source(Membership::Leave).unwrap();
        udp.set_multicast_interface(Some("127.0.0.1")).unwrap();
        udp.set_multicast_interface(None).unwrap();
    }

    #[test]
    fn what_is_no_address_is_named() {
        let event_loop = Loop::new().unwrap();
        let udp = UDP::new(&event_loop, Some(Family::V4), false).unwrap();
        for (outcome, named) in [
            (udp.set_membership("nowhere", None, Membership::Join), "nowhere"),
            (udp.set_membership("239.0.0.1\0", None, Membership::Join), "239.0.0.1"),
            (udp.set_membership("239.0.0.1", Some("nowhere"), Membership::Join), "nowhere"),
            (udp.set_source_membership("232.0.0.1", None, "x", Membership::Join), "x"),
            (udp.set_source_membership("232.0.0.1", None, "::1", Membership::Join), "::1"),
            (udp.set_multicast_interface(Some("nowhere")), "nowhere"),
            (udp.set_multicast_interface(Some("")), ""),
        ] {
            let error = outcome.unwrap_err();
            assert_eq!(error.code(), Some(Code::EINVAL));
            assert!(error.to_string().contains(named), "{error}");
        }
        let unicast = udp.set_membership("127.0.0.1", None, Membership::Join);
        assert_eq!(unicast.unwrap_err().code(), Some(Code::EINVAL));
    }
}
