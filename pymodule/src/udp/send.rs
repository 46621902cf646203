//! Sending.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use pyuv::Code;

use super::UDP;
use crate::address;
use crate::buffer::pieces;
use crate::call::{call, error_argument, optional_callable};
use crate::error::{UDPError, in_call, to_py};
use crate::handle::Handle;
use crate::life::back::object_of;
use crate::life::lending::Lending;
use crate::r#loop::Loop;

#[pymethods]
impl UDP {
    /// Sends a datagram, a bytes-like object or a sequence of them (`uv_udp_send`): at once if
    /// that is possible, otherwise when the socket has room. `address` is None on a connected
    /// handle.
    ///
    /// `callback(udp_handle, error)` is called in a later iteration, when the datagram has gone
    /// out or failed; with UV_ECANCELED if the handle was closed first. The data stays as it is,
    /// uncopied, until then. Without a callback, an error that is known at once is raised, and one
    /// that comes later is that of a datagram lost.
    ///
    /// Raises UDPError with UV_EISCONN where a connected handle gets an address and
    /// UV_EDESTADDRREQ where another gets none.
    #[pyo3(signature = (address, data, callback=None))]
    fn send(
        slf: &Bound<'_, Self>,
        address: &Bound<'_, PyAny>,
        data: &Bound<'_, PyAny>,
        callback: Option<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let py = slf.py();
        let callback = optional_callable(callback)?;
        let to = destination(slf, address)?;
        let udp = UDP::core(slf)?;
        if callback.is_none() {
            match try_send(udp, to, data)? {
                Err(error) if error.code() == Some(Code::EAGAIN) => {}
                outcome => return outcome.map(drop).map_err(in_call::<UDPError>("send")),
            }
        }
        let pieces = pieces(data)?;
        let event_loop = Handle::get_loop(slf.as_super())?;
        let callback = match Lending::of(py, &pieces)? {
            Some(lending) => Lending::with(lending, callback),
            None => callback.into_pyobject(py)?,
        };
        let waiting = PyTuple::new(py, [slf.as_any(), &callback])?;
        let held = Handle::hold(slf.as_super())?;
        let key = event_loop.get().active.get(&held).insert(waiting.into_any());
        udp.send(to, pieces, move |udp, outcome| on_sent(udp, key, outcome)).map_err(|error| {
            let waiting = event_loop.get().active.get(&held).take(py, key);
            drop(held);
            drop(waiting);
            to_py::<UDPError>(error.in_call("send"))
        })
    }

    /// Sends a datagram if that is possible at once and gives its length (`uv_udp_try_send`).
    /// Raises UDPError with UV_EAGAIN where it is not.
    fn try_send(
        slf: &Bound<'_, Self>,
        address: &Bound<'_, PyAny>,
        data: &Bound<'_, PyAny>,
    ) -> PyResult<usize> {
        let to = destination(slf, address)?;
        try_send(UDP::core(slf)?, to, data)?.map_err(in_call::<UDPError>("try_send"))
    }

    /// Sends as many of these datagrams as go out at once, in order, and gives how many that
    /// were (`uv_udp_try_send2`: up to 20 with one system call). `datagrams` is an iterable of
    /// (address, data).
    ///
    /// Raises UDPError where the first cannot be sent, as `try_send` does. An error of another is
    /// met again by whoever tries to send the rest.
    fn try_send2(slf: &Bound<'_, Self>, datagrams: &Bound<'_, PyAny>) -> PyResult<usize> {
        let mut held = Vec::new();
        let mut batch = Vec::new();
        for datagram in datagrams.try_iter()? {
            let datagram = datagram?;
            let pair = datagram.cast::<PyTuple>().ok().filter(|pair| pair.len() == 2);
            let pair = pair.ok_or_else(|| not_a_datagram(&datagram))?;
            let (address, data) = (pair.get_item(0)?, pair.get_item(1)?);
            let pieces = pieces(&data)?;
            batch.push((destination(slf, &address)?, pieces.memory()));
            held.push(pieces);
        }
        // SAFETY: the pieces are held until this has returned.
        let count = unsafe { UDP::core(slf)?.try_send2_buffers(&batch) };
        drop(held);
        count.map_err(in_call::<UDPError>("try_send2"))
    }

    /// How many datagrams wait to be sent, or for their callback (`uv_udp_get_send_queue_count`).
    #[getter]
    fn send_queue_count(slf: &Bound<'_, Self>) -> PyResult<usize> {
        UDP::core(slf)?.send_queue_count().map_err(in_call::<UDPError>("send_queue_count"))
    }

    /// How many bytes those are (`uv_udp_get_send_queue_size`).
    #[getter]
    fn send_queue_size(slf: &Bound<'_, Self>) -> PyResult<usize> {
        UDP::core(slf)?.send_queue_size().map_err(in_call::<UDPError>("send_queue_size"))
    }
}

fn not_a_datagram(object: &Bound<'_, PyAny>) -> PyErr {
    match object.repr() {
        Ok(repr) => PyTypeError::new_err(format!("a datagram is (address, data), not {repr}")),
        Err(error) => error,
    }
}

/// An address, or None.
fn destination(
    slf: &Bound<'_, UDP>,
    address: &Bound<'_, PyAny>,
) -> PyResult<Option<std::net::SocketAddr>> {
    if address.is_none() {
        return Ok(None);
    }
    let slf = slf.as_super();
    let known = match (slf.get().event_loop(slf.py()), Handle::hold(slf)) {
        (Some(event_loop), Ok(held)) => {
            event_loop.get().addresses.get(&held).address_in(address)?
        }
        // The call itself says what is wrong.
        _ => address::from_py(address)?,
    };
    Ok(Some(known))
}

fn try_send(
    udp: &pyuv::UDP,
    to: Option<std::net::SocketAddr>,
    data: &Bound<'_, PyAny>,
) -> PyResult<pyuv::Result<usize>> {
    if let Ok(bytes) = data.cast::<PyBytes>() {
        return Ok(udp.try_send(to, bytes.as_bytes()));
    }
    let pieces = pieces(data)?;
    // SAFETY: the pieces outlive the call.
    Ok(unsafe { udp.try_send_buffers(to, pieces.memory().as_ref()) })
}

/// Finds what waits under `key` of the loop's table: the handle and its callback, if any.
fn on_sent(udp: &pyuv::UDP, key: usize, outcome: pyuv::Result<()>) {
    // SAFETY: the core runs callbacks attached (see `GilHooks`).
    let Some(slf) = &(unsafe { object_of(udp) }) else { return };
    let py = slf.py();
    let Some(event_loop) = slf.get().event_loop(py) else { return };
    let Ok(held) = Handle::hold(slf) else { return };
    let Some(waiting) = event_loop.get().active.get(&held).take(py, key) else { return };
    drop(held);
    // SAFETY: `send` put a tuple of two there.
    let callback = unsafe { waiting.cast_unchecked::<PyTuple>() }.get_item(1);
    // What was lent is let go before the callback is called.
    drop(waiting);
    let callback = callback.map(Lending::callable);
    let code = outcome.err().and_then(|error| error.code()).map(|code| code.0);
    match callback {
        Ok(Some(callback)) if !callback.is_none() => {
            if let Err(error) = call(&callback, [slf.as_any(), &error_argument(py, code)]) {
                Loop::handle_exception(&event_loop, error, Some((slf.as_any(), "send")));
            }
        }
        _ => {}
    }
}
