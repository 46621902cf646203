//! One try at what a socket is to do, without ever blocking.

use std::io;
use std::net::SocketAddr;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyuv::Code;
use pyuv::address::RawAddress;
use pyuv::buffer::Buffer;

use super::Kind;
use crate::asyncio::watches::Direction;
use crate::buffer::Piece;
use crate::error::to_os_error;
use crate::fresh_bytes::{FreshBytes, SLACK};
use crate::message_size::MessageSize;

/// How long the memory is that messages of unknown length are received into.
const LENGTH: usize = 256 * 1024;

/// Where the sockets of an event loop receive: small messages are copied out of it.
#[derive(Default)]
pub struct Receiver {
    size: MessageSize,
    /// Zeroes come from the system as they are: what nobody fills takes no memory.
    memory: Vec<u8>,
}

impl Receiver {
    /// Memory for one message.
    pub fn memory(&mut self) -> &mut [u8] {
        if self.memory.is_empty() {
            self.memory = vec![0; LENGTH];
        }
        &mut self.memory
    }

    /// At most `limit` bytes from a socket; `None` if there are none yet.
    fn receive(&mut self, py: Python<'_>, fd: i32, limit: usize) -> PyResult<Option<Py<PyAny>>> {
        if let Some(expected) = self.size.expected() {
            let length = (expected + SLACK).min(limit);
            let fresh = FreshBytes::new(py, length)?;
            let Some(received) = receive(fd, fresh.buffer(length))? else { return Ok(None) };
            self.size.note(received);
            return Ok(Some(fresh.cut(py, received)?.into_any().unbind()));
        }
        let place = Buffer::new(self.memory().as_mut_ptr(), LENGTH).first(limit);
        let Some(received) = receive(fd, place)? else { return Ok(None) };
        self.size.note(received);
        Ok(Some(FreshBytes::of(py, &[&self.memory[..received]])?.into_any().unbind()))
    }
}

/// What is tried.
pub enum Attempt {
    Receive { limit: usize },
    ReceiveInto { place: Piece },
    Send { data: Piece, sent: usize },
}

impl Attempt {
    /// What `argument` asks for.
    pub fn new(kind: Kind, argument: &Bound<'_, PyAny>) -> PyResult<Attempt> {
        match kind {
            Kind::Receive => match argument.extract::<isize>()? {
                ..0 => Err(PyValueError::new_err("negative buffersize in recv")),
                limit => Ok(Attempt::Receive { limit: limit.unsigned_abs() }),
            },
            Kind::ReceiveInto => Ok(Attempt::ReceiveInto { place: Piece::writable(argument)? }),
            Kind::SendAll => Ok(Attempt::Send { data: Piece::new(argument)?, sent: 0 }),
        }
    }

    /// What it waits for.
    pub fn direction(&self) -> Direction {
        match self {
            Attempt::Receive { .. } | Attempt::ReceiveInto { .. } => Direction::Reading,
            Attempt::Send { .. } => Direction::Writing,
        }
    }

    /// Tries: what comes of it, or `None` if it has to wait.
    pub fn make(
        &mut self,
        py: Python<'_>,
        fd: i32,
        receiver: &mut Receiver,
    ) -> PyResult<Option<Py<PyAny>>> {
        match self {
            Attempt::Receive { limit } => receiver.receive(py, fd, *limit),
            Attempt::ReceiveInto { place } => {
                let buffer = place.buffer();
                let received = if buffer.length() == 0 { Some(0) } else { receive(fd, buffer)? };
                received.map(|count| Ok(count.into_pyobject(py)?.into_any().unbind())).transpose()
            }
            Attempt::Send { data, sent } => loop {
                let rest = data.buffer().skip(*sent);
                if rest.length() == 0 {
                    return Ok(Some(py.None()));
                }
                match send_to(fd, rest, None)? {
                    Some(count) => *sent += count,
                    None => return Ok(None),
                }
            },
        }
    }
}

/// `recv(2)`
fn receive(fd: i32, place: Buffer) -> PyResult<Option<usize>> {
    // SAFETY: the memory is that of an object which the caller keeps, and as long.
    counted(|| unsafe {
        libc::recv(fd, place.address().cast(), place.length(), libc::MSG_DONTWAIT)
    })
}

/// `recvfrom(2)`, of a socket of IPv4 or IPv6: how long the datagram is, and whose.
pub fn receive_from(fd: i32, place: Buffer) -> PyResult<Option<(usize, Option<SocketAddr>)>> {
    let mut from = RawAddress::empty();
    let received = counted(|| {
        let mut length = size_of::<RawAddress>() as libc::socklen_t;
        // SAFETY: the memory is the caller's, and as long; so is the address.
        unsafe {
            libc::recvfrom(
                fd,
                place.address().cast(),
                place.length(),
                libc::MSG_DONTWAIT,
                from.as_mut_ptr().cast(),
                &raw mut length,
            )
        }
    })?;
    Ok(received.map(|length| (length, from.get())))
}

/// `sendto(2)`, or `send(2)` where there is no address.
pub fn send_to(fd: i32, data: Buffer, to: Option<&RawAddress>) -> PyResult<Option<usize>> {
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    let (address, length) = to.map_or((std::ptr::null(), 0), |to| (to.as_ptr(), to.length()));
    // SAFETY: the memory is that of an object which the caller keeps, and as long; so is the address.
    counted(|| unsafe {
        libc::sendto(fd, data.address().cast(), data.length(), flags, address.cast(), length)
    })
}

/// What a call of the system's has moved; `None` if it would have to wait.
fn counted(mut call: impl FnMut() -> isize) -> PyResult<Option<usize>> {
    loop {
        let count = call();
        if count >= 0 {
            return Ok(Some(count.unsigned_abs()));
        }
        let error = io::Error::last_os_error();
        match error.raw_os_error() {
            Some(libc::EAGAIN) => return Ok(None),
            Some(libc::EINTR) => {}
            number => return Err(to_os_error(Code(-number.unwrap_or(libc::EIO)).into())),
        }
    }
}
