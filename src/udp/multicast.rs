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
        let _entered = self.enter()?;
        let (group_text, interface_text) = (text(group)?, optional_text(interface)?);
        self.ensure_socket(address::parse(group, 0)?.ip(), UDPBindFlags::REUSEADDR)?;
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
        let _entered = self.enter()?;
        let (group_text, interface_text) = (text(group)?, optional_text(interface)?);
        let source_text = text(source)?;
        self.ensure_socket(address::parse(group, 0)?.ip(), UDPBindFlags::REUSEADDR)?;
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
        let _entered = self.enter()?;
        let what = || value.to_string();
        if !matches!(self.getsockname(), Ok(SocketAddr::V6(_))) {
            // SAFETY: the handle is open, a UDP, and its loop is ours.
            Error::check(unsafe { set(self.uv(), value) }, what())?;
            return Ok(());
        }
        if !(least..=255).contains(&value) {
            return Err(Error::new(Code::EINVAL, what()));
        }
        socket::set_ipv6_option(self.header().fileno()?, ipv6_option, value)
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
