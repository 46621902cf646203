//! `pyuv.UDP`.

mod multicast;
mod receive;
mod send;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyuv::{Family, UDPBindFlags};

use crate::address;
use crate::buffer_size::buffer_size_methods;
use crate::error::{UDPError, in_call};
use crate::handle::{Handle, handle_class};
use crate::r#loop::Loop;
use crate::poll::descriptor;

handle_class! {
    /// A UDP socket (`uv_udp_t`).
    ///
    /// Addresses are the tuples of the module `socket`: (ip, port), and (ip, port, flowinfo,
    /// scope_id) for IPv6. A handle that is receiving, or has datagrams to send, is kept alive by
    /// its loop.
    UDP: "(loop, family=0, flags=0)"
}

impl UDP {
    fn core<'a>(slf: &'a Bound<'_, Self>) -> PyResult<&'a pyuv::UDP> {
        slf.as_super().get().core_as::<pyuv::UDP>()
    }
}

#[pymethods]
impl UDP {
    /// With a `family`, AF_INET or AF_INET6, there is a socket at once; without, the first
    /// address that the handle meets decides. With UV_UDP_RECVMMSG in `flags`, several datagrams
    /// are received with one system call where the platform can do that.
    #[pyo3(signature = (r#loop, family=0, flags=0))]
    fn __init__(
        slf: &Bound<'_, Self>,
        r#loop: &Bound<'_, Loop>,
        family: i32,
        flags: u32,
    ) -> PyResult<()> {
        let family = match family {
            libc::AF_UNSPEC => None,
            number => Some(Family::from_raw(number).ok_or_else(|| {
                PyValueError::new_err(format!(
                    "family must be AF_UNSPEC, AF_INET or AF_INET6, not {number}"
                ))
            })?),
        };
        let recvmmsg = match flags {
            0 => false,
            pyuv::UDP::RECVMMSG => true,
            _ => {
                let message = format!("flags must be 0 or UV_UDP_RECVMMSG, not {flags}");
                return Err(PyValueError::new_err(message));
            }
        };
        Handle::init(slf.as_super(), r#loop, |core| {
            pyuv::UDP::new(core, family, recvmmsg).map_err(in_call::<UDPError>("UDP"))
        })
    }

    /// Takes over a datagram socket (`uv_udp_open_ex`): a number, or an object with `fileno()`.
    /// It is closed with the handle, so detach it from a `socket.socket`. Of `flags`,
    /// UV_UDP_REUSEADDR and UV_UDP_REUSEPORT mean anything.
    ///
    /// Raises UDPError with UV_EBUSY if the handle has a socket, UV_EEXIST if the loop has a
    /// handle for this one, UV_ENOTSOCK for what is no socket, UV_EINVAL for one of another kind.
    #[pyo3(signature = (fd, flags=4))]
    fn open(slf: &Bound<'_, Self>, fd: &Bound<'_, PyAny>, flags: u32) -> PyResult<()> {
        let allowed = UDPBindFlags::REUSEADDR | UDPBindFlags::REUSEPORT;
        let flags = bind_flags(flags, allowed)?;
        let fd = descriptor(fd)?;
        UDP::core(slf)?.open(fd, flags).map_err(in_call::<UDPError>("open"))
    }

    /// Binds to an address and port, 0 for any port (`uv_udp_bind`).
    ///
    /// `flags` are UV_UDP_IPV6ONLY, UV_UDP_REUSEADDR, UV_UDP_REUSEPORT, UV_UDP_LINUX_RECVERR.
    #[pyo3(signature = (address, flags=0))]
    fn bind(slf: &Bound<'_, Self>, address: &Bound<'_, PyAny>, flags: u32) -> PyResult<()> {
        let flags = bind_flags(flags, UDPBindFlags::all())?;
        let address = address::from_py(address)?;
        UDP::core(slf)?.bind(address, flags).map_err(in_call::<UDPError>("bind"))
    }

    /// Has datagrams go to `address` and come from there alone (`uv_udp_connect`); `send` then
    /// gets None for an address. That nobody receives there is told of from then on, as
    /// UV_ECONNREFUSED.
    ///
    /// Raises UDPError with UV_EISCONN on a handle that is connected.
    fn connect(slf: &Bound<'_, Self>, address: &Bound<'_, PyAny>) -> PyResult<()> {
        let address = address::from_py(address)?;
        UDP::core(slf)?.connect(address).map_err(in_call::<UDPError>("connect"))
    }

    /// Undoes `connect` (`uv_udp_connect` without an address). Raises UDPError with UV_ENOTCONN
    /// on a handle that is not connected.
    fn disconnect(slf: &Bound<'_, Self>) -> PyResult<()> {
        UDP::core(slf)?.disconnect().map_err(in_call::<UDPError>("disconnect"))
    }

    /// The address it is bound to (`uv_udp_getsockname`).
    fn getsockname<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let name = UDP::core(slf)?.getsockname().map_err(in_call::<UDPError>("getsockname"))?;
        address::to_py(slf.py(), name)
    }

    /// The address it is connected to (`uv_udp_getpeername`).
    fn getpeername<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let name = UDP::core(slf)?.getpeername().map_err(in_call::<UDPError>("getpeername"))?;
        address::to_py(slf.py(), name)
    }

    /// The file descriptor (`uv_fileno`). Raises UDPError with UV_EBADF while there is none.
    fn fileno(slf: &Bound<'_, Self>) -> PyResult<i32> {
        UDP::core(slf)?.fileno().map_err(in_call::<UDPError>("fileno"))
    }

    /// AF_INET or AF_INET6, as its address is. Raises UDPError with UV_EBADF while there is no
    /// socket.
    #[getter]
    fn family(slf: &Bound<'_, Self>) -> PyResult<i32> {
        let name = UDP::core(slf)?.getsockname().map_err(in_call::<UDPError>("family"))?;
        Ok(if name.is_ipv4() { Family::V4 } else { Family::V6 }.as_raw())
    }

    /// Whether several datagrams are received with one system call (`uv_udp_using_recvmmsg`).
    #[getter]
    fn using_recvmmsg(slf: &Bound<'_, Self>) -> PyResult<bool> {
        UDP::core(slf)?.using_recvmmsg().map_err(in_call::<UDPError>("using_recvmmsg"))
    }
}

buffer_size_methods!(UDP, UDPError);

/// The default of `open`, in a form that Python's `inspect` can show.
const _: () = assert!(UDPBindFlags::REUSEADDR.bits() == 4);

fn bind_flags(flags: u32, allowed: UDPBindFlags) -> PyResult<UDPBindFlags> {
    UDPBindFlags::from_bits(flags).filter(|flags| allowed.contains(*flags)).ok_or_else(|| {
        PyValueError::new_err(format!("flags must be of those documented, not {flags}"))
    })
}
