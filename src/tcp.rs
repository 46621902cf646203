//! `uv_tcp_t`: TCP connections and listeners.

#[cfg(unix)]
pub(crate) mod race;

use std::net::SocketAddr;
use std::os::raw::{c_int, c_uint};
use std::time::Duration;

use libuv_sys2 as uv;

use crate::address::RawAddress;
use crate::error::{Code, Error, Result};
use crate::handle::{Handle, stream_kind};
use crate::r#loop::{Held, Loop};
use crate::poll::Fd;
use crate::stream::connect::on_connect;
use crate::stream::{State, Stream};
use crate::util::HandleType;

bitflags::bitflags! {
    /// Flags of [`TCP::bind`] (`uv_tcp_flags`).
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct BindFlags: c_uint {
        /// `UV_TCP_IPV6ONLY`: an IPv6 address does not take IPv4 connections too.
        #[allow(clippy::unnecessary_cast)]
        const IPV6ONLY = uv::uv_tcp_flags_UV_TCP_IPV6ONLY as c_uint;
        /// `UV_TCP_REUSEPORT`: several listeners share the port, and the system spreads
        /// connections over them.
        #[allow(clippy::unnecessary_cast)]
        const REUSEPORT = uv::uv_tcp_flags_UV_TCP_REUSEPORT as c_uint;
    }
}

/// A TCP connection or listener (`uv_tcp_t`).
#[repr(transparent)]
pub struct TCP(Stream);

// SAFETY: the struct is transparent over a Stream, made by `create` alone, with `uv_tcp_init`.
stream_kind!(unsafe TCP, uv::uv_tcp_t {
    fn fd_lost(&self, held: &Held, code: Code) {
        self.stream_lost(held, code);
    }
});

impl TCP {
    /// A new handle without a socket, which is made when its address family is known
    /// (`uv_tcp_init`).
    pub fn new(event_loop: &Loop) -> Result<TCP> {
        TCP::with_family(event_loop, libc::AF_UNSPEC)
    }

    /// A new handle with a socket of this family, `AF_INET` or `AF_INET6`; without one for
    /// `AF_UNSPEC` (`uv_tcp_init_ex`).
    ///
    /// Fails with `UV_EINVAL` for another family, `UV_EMFILE` where no fd is left.
    pub fn with_family(event_loop: &Loop, family: i32) -> Result<TCP> {
        let flags = c_uint::try_from(family).unwrap_or(c_uint::MAX);
        Handle::create(event_loop, State::new(false), "uv_tcp_init_ex", |event_loop, handle| {
            // SAFETY: the loop is open and ours; the handle's memory is its own.
            unsafe { uv::uv_tcp_init_ex(event_loop, handle, flags) }
        })
    }

    /// Takes `sock`, a stream socket of IPv4 or IPv6 that somebody else opened, and makes it
    /// non-blocking (`uv_tcp_open`). It is closed with the handle.
    ///
    /// Fails with `UV_EBADF` for what is not open, `UV_EINVAL` for what is no such socket,
    /// `UV_EEXIST` for one that another handle of this loop has, `UV_EBUSY` on a handle that has
    /// a socket.
    pub fn open(&self, sock: Fd) -> Result<()> {
        self.open_with(sock, &[HandleType::Tcp], || {
            // SAFETY: the handle is open, a TCP, and its loop is ours.
            unsafe { uv::uv_tcp_open(self.uv(), sock) }
        })
    }

    /// [`open`](TCP::open) of a socket that is known to be of this kind and not to block, and that no other
    /// handle of the loop has: spares system calls, and looking at every handle.
    pub fn open_known(&self, sock: Fd) -> Result<()> {
        self.open_known_with(sock, || {
            // SAFETY: the handle is open, a TCP, and its loop is ours.
            unsafe { uv::uv_tcp_open(self.uv(), sock) }
        })
    }

    /// Gives the socket an address (`uv_tcp_bind`). Port 0 has the system choose one.
    ///
    /// Fails with `UV_EINVAL` for a socket that has one, `UV_EADDRNOTAVAIL`, `UV_EACCES`. An
    /// address in use is reported by the `listen` or `connect` that follows.
    pub fn bind(&self, address: SocketAddr, flags: BindFlags) -> Result<()> {
        let entered = self.enter()?;
        if self.is_connecting()? {
            return Err(Error::new(Code::EINVAL, "the stream is connecting"));
        }
        let raw = RawAddress::from(address);
        // SAFETY: the handle is open, a TCP, and its loop is ours; libuv copies the address.
        let status = unsafe { uv::uv_tcp_bind(self.uv(), raw.as_ptr(), flags.bits()) };
        Error::check(status, format_args!("{address}"))?;
        self.remember_bound(&entered, address);
        Ok(())
    }

    /// Connects (`uv_tcp_connect`). `done` is called when it has, or cannot: `UV_ECONNREFUSED`,
    /// `UV_ETIMEDOUT` and such. Writes before that wait for it.
    ///
    /// Fails with `UV_EALREADY` while a connect is in flight.
    pub fn connect(
        &self,
        address: SocketAddr,
        done: impl FnOnce(&Stream, Result<()>) + Send + 'static,
    ) -> Result<()> {
        let raw = RawAddress::from(address);
        self.begin_connect(
            Box::new(done),
            || address.to_string(),
            |request| {
                // SAFETY: the handle is open, a TCP, and its loop is ours; libuv copies the address.
                unsafe { uv::uv_tcp_connect(request, self.uv(), raw.as_ptr(), Some(on_connect)) }
            },
        )
    }

    /// The socket's own address (`uv_tcp_getsockname`). Fails with `UV_EBADF` before there is a
    /// socket.
    pub fn getsockname(&self) -> Result<SocketAddr> {
        self.name("uv_tcp_getsockname", uv::uv_tcp_getsockname)
    }

    /// The peer's address (`uv_tcp_getpeername`). Fails with `UV_ENOTCONN` without a peer.
    pub fn getpeername(&self) -> Result<SocketAddr> {
        self.name("uv_tcp_getpeername", uv::uv_tcp_getpeername)
    }

    fn name(
        &self,
        what: &'static str,
        get: unsafe extern "C" fn(*const uv::uv_tcp_t, *mut uv::sockaddr, *mut c_int) -> c_int,
    ) -> Result<SocketAddr> {
        let _entered = self.enter()?;
        let mut raw = RawAddress::empty();
        let mut length = size_of::<RawAddress>() as c_int;
        // SAFETY: the handle is open, a TCP, and its loop is ours; there is so much room.
        let status = unsafe { get(self.uv(), raw.as_mut_ptr(), &raw mut length) };
        Error::check(status, what)?;
        raw.get().ok_or_else(|| Error::new(crate::Code::EAFNOSUPPORT, what))
    }

    /// Sends small writes at once instead of gathering them, or not (`uv_tcp_nodelay`).
    pub fn nodelay(&self, on: bool) -> Result<()> {
        let _entered = self.enter()?;
        // SAFETY: the handle is open, a TCP, and its loop is ours.
        Error::check(unsafe { uv::uv_tcp_nodelay(self.uv(), c_int::from(on)) }, "uv_tcp_nodelay")?;
        Ok(())
    }

    /// Probes a connection that has been silent for `idle`, in whole seconds, to see whether it
    /// is still there; `None` turns that off (`uv_tcp_keepalive`).
    pub fn keepalive(&self, idle: Option<Duration>) -> Result<()> {
        self.keepalive_ex(idle.map(|idle| (idle, Duration::from_secs(1), 10)))
    }

    /// [`keepalive`](TCP::keepalive) with the time between probes, in whole seconds, and how many
    /// may go unanswered (`uv_tcp_keepalive_ex`).
    ///
    /// Fails with `UV_EINVAL` for numbers below 1 and those the system finds too large. Times set
    /// before there is a socket are lost: libuv remembers only that it is on.
    pub fn keepalive_ex(&self, probes: Option<(Duration, Duration, u32)>) -> Result<()> {
        let _entered = self.enter()?;
        let seconds = |time: Duration| c_uint::try_from(time.as_secs()).unwrap_or(c_uint::MAX);
        let (idle, interval, count) = match probes {
            Some((idle, interval, count)) => (seconds(idle), seconds(interval), count),
            None => (0, 0, 0),
        };
        let on = probes.is_some();
        if on && (idle < 1 || interval < 1 || count < 1) {
            return Err(Error::new(crate::Code::EINVAL, "keepalive of less than 1"));
        }
        // SAFETY: the handle is open, a TCP, and its loop is ours.
        let status =
            unsafe { uv::uv_tcp_keepalive_ex(self.uv(), c_int::from(on), idle, interval, count) };
        Error::check(status, "uv_tcp_keepalive_ex")?;
        Ok(())
    }

    /// Accepts several connections at a time, on Windows (`uv_tcp_simultaneous_accepts`).
    pub fn simultaneous_accepts(&self, on: bool) -> Result<()> {
        let _entered = self.enter()?;
        // SAFETY: the handle is open, a TCP, and its loop is ours.
        let status = unsafe { uv::uv_tcp_simultaneous_accepts(self.uv(), c_int::from(on)) };
        Error::check(status, "uv_tcp_simultaneous_accepts")?;
        Ok(())
    }

    /// Closes the handle with a reset of the connection (`uv_tcp_close_reset`): what is queued
    /// here or there is thrown away, and the port is free at once.
    ///
    /// Fails with `UV_EINVAL` while a shutdown is in flight, `UV_EBADF` without a socket; the
    /// handle stays open then.
    pub fn close_reset(&self, on_close: impl FnOnce(&Handle) + Send + 'static) -> Result<()> {
        let closed = self.close_by(
            on_close,
            |handle, callback| {
                // SAFETY: the handle is open, a TCP, and its loop is ours.
                unsafe { uv::uv_tcp_close_reset(handle.cast(), callback) }
            },
            "uv_tcp_close_reset",
        );
        if closed.is_err() {
            self.keep_lent();
        }
        closed
    }
}
