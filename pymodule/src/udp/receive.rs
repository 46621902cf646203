//! Receiving.

use pyo3::prelude::*;
use pyuv::Received;

use super::UDP;
use crate::call::{call, callable, error_argument};
use crate::error::{UDPError, in_call};
use crate::handle::Handle;

#[pymethods]
impl UDP {
    /// Has `callback(udp_handle, address, flags, data, error)` called for each datagram
    /// (`uv_udp_recv_start`).
    ///
    /// `data` is the datagram and `address` that of its sender; with UV_UDP_PARTIAL in `flags`
    /// it was longer than `data`. Where something went wrong, `data` is None and `error` a code:
    /// UV_ECONNREFUSED, say, when a connected handle's peer is not there. The handle goes on
    /// receiving. With UV_UDP_LINUX_RECVERR in `flags`, `address` is the host that complained.
    ///
    /// A handle without an address is bound to any port of IPv4. Raises UDPError with UV_EALREADY
    /// if the handle is receiving.
    fn start_recv(slf: &Bound<'_, Self>, callback: Bound<'_, PyAny>) -> PyResult<()> {
        let callback = callable(callback)?;
        let held = Handle::hold(slf.as_super())?;
        UDP::core(slf)?.start_recv(on_recv).map_err(in_call::<UDPError>("start_recv"))?;
        Handle::started(slf.as_super(), held, callback);
        Ok(())
    }

    /// Receives no more (`uv_udp_recv_stop`). What arrives waits in the socket. Of a batch that
    /// UV_UDP_RECVMMSG has fetched, what is behind the datagram of this callback is dropped.
    fn stop_recv(slf: &Bound<'_, Self>) -> PyResult<()> {
        let held = Handle::hold(slf.as_super())?;
        UDP::core(slf)?.stop_recv().map_err(in_call::<UDPError>("stop_recv"))?;
        Handle::stopped(slf.as_super(), held);
        Ok(())
    }
}

fn on_recv(udp: &pyuv::UDP, received: Received<'_>) {
    Handle::dispatch(udp, "receive", |slf, callback| {
        let py = slf.py();
        // Where the collector has taken the loop away there is nobody to tell.
        let Some(event_loop) = slf.get().event_loop(py) else { return Ok(()) };
        let Ok(held) = udp.hold() else { return Ok(()) };
        let from = match received.from {
            Some(from) => event_loop.get().addresses.get(&held).tuple_of(py, from)?,
            None => py.None().into_bound(py),
        };
        let Ok(flags) = received.flags.bits().into_pyobject(py);
        let tell = |data: &Bound<'_, PyAny>, code: Option<i32>| {
            let error = error_argument(py, code);
            call(&callback, [slf.as_any(), &from, flags.as_any(), data, &error])
        };
        match received.outcome {
            Ok(data) => {
                let spare = event_loop.get().spare.get(&held);
                spare.show(py, spare.copy(py, data)?, data.len(), |data| tell(data, None))
            }
            Err(code) => {
                if !udp.is_receiving() && !udp.is_closing() {
                    Handle::stopped_by_itself(slf);
                }
                tell(&py.None().into_bound(py), Some(code.0))
            }
        }
    });
}
