//! Multicast, broadcast, and how far datagrams go.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyuv::Membership;

use super::UDP;
use crate::error::{UDPError, in_call};

#[pymethods]
impl UDP {
    /// Joins a multicast group (`membership` UV_JOIN_GROUP) or leaves it (UV_LEAVE_GROUP)
    /// (`uv_udp_set_membership`).
    ///
    /// Datagrams come by the interface that has the address `interface`, for IPv6 one with a
    /// scope ("::%eth0"), or by one that the system chooses. A handle without an address is bound
    /// to any port.
    #[pyo3(signature = (multicast_address, membership, interface=None))]
    fn set_membership(
        slf: &Bound<'_, Self>,
        multicast_address: &str,
        membership: i32,
        interface: Option<&str>,
    ) -> PyResult<()> {
        let membership = parse_membership(membership)?;
        UDP::core(slf)?.set_membership(multicast_address, interface, membership).map_err(in_call::<
            UDPError,
        >(
            "set_membership",
        ))
    }

    /// Joins or leaves a multicast group for what `source_address` sends to it alone
    /// (`uv_udp_set_source_membership`), otherwise as `set_membership`.
    #[pyo3(signature = (multicast_address, source_address, membership, interface=None))]
    fn set_source_membership(
        slf: &Bound<'_, Self>,
        multicast_address: &str,
        source_address: &str,
        membership: i32,
        interface: Option<&str>,
    ) -> PyResult<()> {
        let membership = parse_membership(membership)?;
        UDP::core(slf)?
            .set_source_membership(multicast_address, interface, source_address, membership)
            .map_err(in_call::<UDPError>("set_source_membership"))
    }

    /// Sends multicast datagrams by the interface that has this address, or by one that the
    /// system chooses (`uv_udp_set_multicast_interface`).
    #[pyo3(signature = (interface=None))]
    fn set_multicast_interface(slf: &Bound<'_, Self>, interface: Option<&str>) -> PyResult<()> {
        UDP::core(slf)?
            .set_multicast_interface(interface)
            .map_err(in_call::<UDPError>("set_multicast_interface"))
    }

    /// Whether multicast datagrams come back to members on this host
    /// (`uv_udp_set_multicast_loop`); at first they do.
    fn set_multicast_loop(slf: &Bound<'_, Self>, enable: bool) -> PyResult<()> {
        UDP::core(slf)?
            .set_multicast_loop(enable)
            .map_err(in_call::<UDPError>("set_multicast_loop"))
    }

    /// How many routers multicast datagrams may pass, 0 to 255 (`uv_udp_set_multicast_ttl`); 1 at
    /// first.
    fn set_multicast_ttl(slf: &Bound<'_, Self>, ttl: i32) -> PyResult<()> {
        let ttl = in_range(ttl, 0)?;
        UDP::core(slf)?.set_multicast_ttl(ttl).map_err(in_call::<UDPError>("set_multicast_ttl"))
    }

    /// How many routers datagrams may pass, 1 to 255 (`uv_udp_set_ttl`).
    fn set_ttl(slf: &Bound<'_, Self>, ttl: i32) -> PyResult<()> {
        let ttl = in_range(ttl, 1)?;
        UDP::core(slf)?.set_ttl(ttl).map_err(in_call::<UDPError>("set_ttl"))
    }

    /// Whether datagrams may be sent to a broadcast address (`uv_udp_set_broadcast`); at first
    /// that is UV_EACCES.
    fn set_broadcast(slf: &Bound<'_, Self>, enable: bool) -> PyResult<()> {
        UDP::core(slf)?.set_broadcast(enable).map_err(in_call::<UDPError>("set_broadcast"))
    }
}

fn parse_membership(membership: i32) -> PyResult<Membership> {
    match membership {
        0 => Ok(Membership::Leave),
        1 => Ok(Membership::Join),
        _ => Err(PyValueError::new_err(format!(
            "membership must be UV_JOIN_GROUP or UV_LEAVE_GROUP, not {membership}"
        ))),
    }
}

fn in_range(ttl: i32, least: i32) -> PyResult<i32> {
    if (least..=255).contains(&ttl) {
        return Ok(ttl);
    }
    Err(PyValueError::new_err(format!("ttl must be between {least} and 255, not {ttl}")))
}
