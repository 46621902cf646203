//! `interface_addresses`, `if_indextoname`, `if_indextoiid`.

use std::ffi::OsString;

use pyo3::prelude::*;
use pyuv::util;

use super::argument::{Int, failed, refused};
use crate::structseq::{StructSeq, objects};

static ADDRESS: StructSeq<5> = StructSeq::new(
    c"pyuv.util.interface_addresses_result",
    c"One address of a network interface.",
    [
        (c"name", c"the interface's name"),
        (c"is_internal", c"whether it is a loopback interface"),
        (c"address", c"the IPv4 or IPv6 address"),
        (c"netmask", c"the network's mask"),
        (c"mac", c"the hardware address, as 00:00:00:00:00:00"),
    ],
);

/// Every IPv4 and IPv6 address of every interface that is up: a list of interface_addresses_result.
///
/// Raises UVError. `uv_interface_addresses`
#[pyfunction]
fn interface_addresses(py: Python<'_>) -> PyResult<Vec<Bound<'_, PyAny>>> {
    let entries = py.detach(util::interface_addresses).map_err(failed("interface_addresses"))?;
    let row = |entry: util::InterfaceAddress| {
        let mac = entry.mac.map(|byte| format!("{byte:02x}")).join(":");
        let address = entry.address.to_string();
        let netmask = entry.netmask.to_string();
        ADDRESS.make(py, objects![py, entry.name, entry.is_internal, address, netmask, mac])
    };
    entries.into_iter().map(row).collect()
}

/// The name of the network interface with this number.
///
/// Raises UVError (UV_ENXIO) when there is none. `uv_if_indextoname`
#[pyfunction]
fn if_indextoname(index: Int<u32>) -> PyResult<OsString> {
    util::interface_name(index.0).map_err(refused("if_indextoname"))
}

/// What follows the "%" in a scoped IPv6 address on the network interface with this number.
///
/// Its name; on Windows its number. Raises UVError (UV_ENXIO) when there is none.
/// `uv_if_indextoiid`
#[pyfunction]
fn if_indextoiid(index: Int<u32>) -> PyResult<OsString> {
    util::interface_identifier(index.0).map_err(refused("if_indextoiid"))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    ADDRESS.register(module)?;
    module.add_function(wrap_pyfunction!(interface_addresses, module)?)?;
    module.add_function(wrap_pyfunction!(if_indextoname, module)?)?;
    module.add_function(wrap_pyfunction!(if_indextoiid, module)?)
}
