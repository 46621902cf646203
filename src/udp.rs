//! `uv_udp_t`: a UDP socket.
//!
//! libuv makes the socket when an address first says of which family it has to be. Here that is
//! always done before the call that needs it, so that what is true of every socket holds whichever
//! call came first: its fd is above those of standard input, output and error, which libuv refuses
//! to close.

mod multicast;
mod receive;
mod send;

use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::raw::{c_int, c_uint};

use libuv_sys2 as uv;

use crate::address::RawAddress;
use crate::error::{Code, Error, Result};
use crate::handle::{Handle, handle_kind};
#[cfg(unix)]
use crate::internals::watcher_fd;
#[cfg(unix)]
use crate::lent::Lent;
use crate::r#loop::{Held, Loop};
use crate::poll::Fd;
use crate::socket::{self, Family};

pub use multicast::Membership;
pub use receive::{Received, ReceivedFlags};

bitflags::bitflags! {
    /// How [`UDP::bind`] binds (`uv_udp_flags`).
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct UDPBindFlags: u32 {
        /// Leave IPv4 alone (`UV_UDP_IPV6ONLY`).
        const IPV6ONLY = uv::uv_udp_flags_UV_UDP_IPV6ONLY;
        /// Take an address that others use who allow it, too (`UV_UDP_REUSEADDR`): the last one
        /// gets the datagrams, or all, if they are multicast.
        const REUSEADDR = uv::uv_udp_flags_UV_UDP_REUSEADDR;
        /// Share the datagrams with others who allow it, too (`UV_UDP_REUSEPORT`).
        const REUSEPORT = uv::uv_udp_flags_UV_UDP_REUSEPORT;
        /// Have ICMP errors reported, on Linux, also while the handle is not connected
        /// (`UV_UDP_LINUX_RECVERR`).
        const LINUX_RECVERR = uv::uv_udp_flags_UV_UDP_LINUX_RECVERR;
    }
}

/// A UDP socket (`uv_udp_t`).
///
/// Datagrams are sent with [`send`](UDP::send) or [`try_send`](UDP::try_send) and received by the
/// callback of [`start_recv`](UDP::start_recv). A handle with sends in flight stays open until
/// they have ended, whoever else has let go of it.
#[repr(transparent)]
pub struct UDP(Handle);

/// What a `UDP` knows beside libuv's struct.
pub struct State {
    receiving: Cell<bool>,
    /// How the fd is to be given back, where somebody else opened it.
    #[cfg(unix)]
    lent: Cell<Option<Lent>>,
}

// SAFETY: the struct is transparent over a Handle, made by `create` alone, with `uv_udp_init_ex`.
handle_kind!(unsafe UDP, uv::uv_udp_t, receive::Callback, State {
    fn is_busy(&self, held: &Held, _active: bool) -> bool {
        // SAFETY: the handle is a UDP, and its loop is ours.
        let sending = unsafe { uv::uv_udp_get_send_queue_count(self.uv()) };
        self.state(held).receiving.get() || sending > 0
    }

    fn before_close(&self, held: &Held) {
        let _ = held;
        #[cfg(unix)]
        if let Some(lent) = self.state(held).lent.take() {
            lent.give_back(self.header(held).fileno().unwrap_or(-1));
        }
    }

    fn fd_lost(&self, held: &Held, code: Code) {
        self.disown(held);
        self.fail_sends(held);
        self.fail_receiving(held, code);
    }
});

impl UDP {
    /// `UV_UDP_RECVMMSG`
    pub const RECVMMSG: u32 = uv::uv_udp_flags_UV_UDP_RECVMMSG;

    /// A new handle (`uv_udp_init_ex`). With a `family` it has a socket at once; otherwise the
    /// first address makes it one.
    ///
    /// With `recvmmsg`, many datagrams are received with one system call where the platform can do
    /// that (`UV_UDP_RECVMMSG`).
    pub fn new(event_loop: &Loop, family: Option<Family>, recvmmsg: bool) -> Result<UDP> {
        let domain = family.map_or(libc::AF_UNSPEC, Family::as_raw);
        let batch = if recvmmsg { UDP::RECVMMSG } else { 0 };
        let state = State {
            receiving: Cell::new(false),
            #[cfg(unix)]
            lent: Cell::new(None),
        };
        let entered = event_loop.enter()?;
        let udp: UDP =
            Handle::create(event_loop, state, "uv_udp_init_ex", |event_loop, handle| {
                // SAFETY: the loop is open and ours; the handle's memory is its own.
                unsafe { uv::uv_udp_init_ex(event_loop, handle, domain as c_uint | batch) }
            })?;
        udp.guard();
        udp.lift_fd(&entered)?;
        Ok(udp)
    }

    /// Takes over the datagram socket `fd` (`uv_udp_open_ex`), which becomes non-blocking and is
    /// closed with the handle. Of `flags` only `REUSEADDR` and `REUSEPORT` mean anything.
    ///
    /// Standard input, output and error stay open: a duplicate is taken over.
    ///
    /// Fails with `UV_EBUSY` if the handle has a socket, `UV_EEXIST` if a handle of this loop has
    /// this one, `UV_ENOTSOCK` for what is no socket and `UV_EINVAL` for one of streams.
    pub fn open(&self, fd: Fd, flags: UDPBindFlags) -> Result<()> {
        let entered = self.enter()?;
        if self.has_socket(&entered) {
            return Err(Error::new(Code::EBUSY, "the handle has a socket"));
        }
        socket::check_datagrams(fd)?;
        if entered.has_fd(fd) {
            return Err(Error::new(Code::EEXIST, format!("fd {fd}")));
        }
        let (ours, lifted) = socket::lift(fd)?;
        #[cfg(unix)]
        let lent = Lent::of(ours);
        entered.make_way(ours);
        // SAFETY: the handle is open, a UDP, and its loop is ours.
        let status = unsafe { uv::uv_udp_open_ex(self.uv(), ours, flags.bits()) };
        #[cfg(unix)]
        match lent {
            Some(lent) if status < 0 => lent.give_back(ours),
            lent => self.state(&entered).lent.set(lent),
        }
        if status < 0 && lifted {
            socket::close(ours);
        }
        Error::check(status, format_args!("fd {fd}"))?;
        Ok(())
    }

    /// Binds to an address and port, 0 for any port (`uv_udp_bind`).
    pub fn bind(&self, address: SocketAddr, flags: UDPBindFlags) -> Result<()> {
        let entered = self.enter()?;
        let had_socket = self.has_socket(&entered);
        let raw = RawAddress::from(address);
        // SAFETY: the handle is open, a UDP, and its loop is ours; the address lives on this frame.
        let status = unsafe { uv::uv_udp_bind(self.uv(), raw.as_ptr(), flags.bits()) };
        if !had_socket {
            // libuv keeps the socket that it made, also if it could not bind it.
            self.lift_fd(&entered)?;
        }
        Error::check(status, address.to_string())?;
        Ok(())
    }

    /// Has datagrams go to `address` and come from there alone (`uv_udp_connect`). Errors that a
    /// peer's host reports by ICMP are told of from then on.
    ///
    /// Fails with `UV_EISCONN` on a handle that is connected.
    pub fn connect(&self, address: SocketAddr) -> Result<()> {
        let entered = self.enter()?;
        self.ensure_socket(&entered, address.ip(), UDPBindFlags::empty())?;
        let raw = RawAddress::from(address);
        // SAFETY: the handle is open, a UDP, and its loop is ours; the address lives on this frame.
        let status = unsafe { uv::uv_udp_connect(self.uv(), raw.as_ptr()) };
        Error::check(status, address.to_string())?;
        Ok(())
    }

    /// Undoes [`connect`](UDP::connect) (`uv_udp_connect` without an address). Fails with
    /// `UV_ENOTCONN` on a handle that is not connected.
    pub fn disconnect(&self) -> Result<()> {
        let _entered = self.enter()?;
        // SAFETY: the handle is open, a UDP, and its loop is ours.
        let status = unsafe { uv::uv_udp_connect(self.uv(), std::ptr::null()) };
        Error::check(status, "")?;
        Ok(())
    }

    /// The address it is bound to (`uv_udp_getsockname`).
    pub fn getsockname(&self) -> Result<SocketAddr> {
        let _entered = self.enter()?;
        // SAFETY: the handle is open, a UDP, and its loop is ours; there is room for the address.
        name(|address, length| unsafe { uv::uv_udp_getsockname(self.uv(), address, length) })
    }

    /// The address it is connected to (`uv_udp_getpeername`).
    pub fn getpeername(&self) -> Result<SocketAddr> {
        let _entered = self.enter()?;
        // SAFETY: as for `getsockname`.
        name(|address, length| unsafe { uv::uv_udp_getpeername(self.uv(), address, length) })
    }

    /// Whether many datagrams are received with one system call (`uv_udp_using_recvmmsg`).
    pub fn using_recvmmsg(&self) -> Result<bool> {
        let _entered = self.enter()?;
        // SAFETY: the handle is open, a UDP, and its loop is ours.
        Ok(unsafe { uv::uv_udp_using_recvmmsg(self.uv()) } != 0)
    }

    /// The file descriptor (`uv_fileno`). Fails with `UV_EBADF` if there is no socket yet.
    pub fn fileno(&self) -> Result<Fd> {
        let entered = self.enter()?;
        Ok(self.header(&entered).fileno()?)
    }

    /// Whether there is a socket yet.
    fn has_socket(&self, held: &Held) -> bool {
        self.header(held).fileno().is_ok()
    }

    fn state<'a>(&'a self, held: &'a Held) -> &'a State {
        // SAFETY: this handle is a UDP.
        unsafe { self.extra::<UDP>(held) }
    }

    /// Leaves the descriptor alone if it is another's by now, also when the handle
    /// is closed.
    #[cfg_attr(not(unix), allow(unused_variables))]
    fn disown(&self, held: &Held) {
        #[cfg(unix)]
        if let Ok(fd) = self.header(held).fileno()
            && socket::check_datagrams(fd).is_err()
        {
            // SAFETY: the handle is a UDP and its loop is ours; libuv waits for nothing of it.
            unsafe { watcher_fd::set_of_udp(self, -1) };
        }
    }

    /// When libuv has made a socket: gives it a number that libuv can close.
    #[cfg_attr(not(unix), allow(unused_variables))]
    fn lift_fd(&self, held: &Held) -> Result<()> {
        #[cfg(unix)]
        if let Ok(fd) = self.header(held).fileno()
            && fd <= libc::STDERR_FILENO
        {
            let lifted = socket::lift(fd).map_or(-1, |(lifted, _)| lifted);
            // SAFETY: the handle is a UDP and its loop is ours. The socket is new, so nothing but
            // this field knows its number: it was never watched.
            unsafe { watcher_fd::set_of_udp(self, lifted) };
            socket::close(fd);
            Error::check(if lifted == -1 { Code::EMFILE.0 } else { 0 }, "")?;
        }
        Ok(())
    }

    /// Makes the socket for an address like `ip`, bound to any port, if there is none yet. That is what libuv does by itself.
    fn ensure_socket(&self, held: &Held, ip: IpAddr, flags: UDPBindFlags) -> Result<()> {
        if self.has_socket(held) {
            return Ok(());
        }
        let any: IpAddr = match ip {
            IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        self.bind((any, 0).into(), flags)
    }
}

/// The address that `get` fills in. Fails with `UV_EAFNOSUPPORT` for one that is neither IPv4 nor
/// IPv6.
fn name(get: impl FnOnce(*mut uv::sockaddr, *mut c_int) -> c_int) -> Result<SocketAddr> {
    let mut raw = RawAddress::empty();
    let mut length = size_of::<RawAddress>() as c_int;
    Error::check(get(raw.as_mut_ptr(), &raw mut length), "")?;
    raw.get().ok_or_else(|| Code::EAFNOSUPPORT.into())
}

#[cfg(all(test, unix))]
mod tests {
    use std::net::UdpSocket;
    use std::os::fd::{AsRawFd, IntoRawFd};

    use super::*;
    use crate::RunMode;

    const LOCAL: [u8; 4] = [127, 0, 0, 1];

    #[test]
    fn a_handle_without_a_socket_says_so() {
        let event_loop = Loop::new().unwrap();
        let udp = UDP::new(&event_loop, None, false).unwrap();
        for error in [
            udp.fileno().unwrap_err(),
            udp.getsockname().unwrap_err(),
            udp.getpeername().unwrap_err(),
            udp.set_broadcast(true).unwrap_err(),
            udp.set_ttl(1).unwrap_err(),
            udp.send_buffer_size().unwrap_err(),
        ] {
            assert_eq!(error.code(), Some(Code::EBADF));
        }
        assert_eq!(udp.disconnect().unwrap_err().code(), Some(Code::ENOTCONN));
    }

    #[test]
    fn a_family_makes_the_socket_at_once() {
        let event_loop = Loop::new().unwrap();
        let udp = UDP::new(&event_loop, Some(Family::V6), true).unwrap();
        assert!(udp.getsockname().unwrap().is_ipv6());
        assert_eq!(udp.using_recvmmsg(), Ok(cfg!(target_os = "linux")));
        assert_eq!(
            udp.bind((LOCAL, 0).into(), UDPBindFlags::empty()).unwrap_err().code(),
            Some(Code::EINVAL)
        );
    }

    #[test]
    fn names_are_those_of_the_socket() {
        let event_loop = Loop::new().unwrap();
        let peer = UdpSocket::bind((Ipv4Addr::from(LOCAL), 0)).unwrap();
        let udp = UDP::new(&event_loop, None, false).unwrap();
        udp.bind((LOCAL, 0).into(), UDPBindFlags::empty()).unwrap();
        assert_eq!(udp.getsockname().unwrap().ip(), IpAddr::from(LOCAL));
        assert_eq!(udp.getpeername().unwrap_err().code(), Some(Code::ENOTCONN));
        udp.connect(peer.local_addr().unwrap()).unwrap();
        assert_eq!(udp.getpeername(), Ok(peer.local_addr().unwrap()));
        assert_eq!(
            udp.connect(peer.local_addr().unwrap()).unwrap_err().code(),
            Some(Code::EISCONN)
        );
        udp.disconnect().unwrap();
        assert_eq!(udp.getpeername().unwrap_err().code(), Some(Code::ENOTCONN));
    }

    #[test]
    fn a_port_in_use_is_named() {
        let event_loop = Loop::new().unwrap();
        let other = UdpSocket::bind((Ipv4Addr::from(LOCAL), 0)).unwrap();
        let udp = UDP::new(&event_loop, None, false).unwrap();
        let address = other.local_addr().unwrap();
        let error = udp.bind(address, UDPBindFlags::empty()).unwrap_err();
        assert_eq!(error, Error::new(Code::EADDRINUSE, address.to_string()));
    }

    #[test]
    fn only_a_socket_of_datagrams_is_opened_and_only_once() {
        let event_loop = Loop::new().unwrap();
        let open = |fd| {
            let udp = UDP::new(&event_loop, None, false).unwrap();
            udp.open(fd, UDPBindFlags::REUSEADDR).map(|()| udp)
        };
        let file = std::fs::File::open("/dev/null").unwrap();
        let stream = std::net::TcpListener::bind((Ipv4Addr::from(LOCAL), 0)).unwrap();
        assert_eq!(open(-1).unwrap_err().code(), Some(Code::EBADF));
        assert_eq!(open(file.as_raw_fd()).unwrap_err().code(), Some(Code::ENOTSOCK));
        assert_eq!(open(stream.as_raw_fd()).unwrap_err().code(), Some(Code::EINVAL));
        let fd = UdpSocket::bind((Ipv4Addr::from(LOCAL), 0)).unwrap().into_raw_fd();
        let udp = open(fd).unwrap();
        assert_eq!(udp.fileno(), Ok(fd));
        assert_eq!(open(fd).unwrap_err().code(), Some(Code::EEXIST));
        assert_eq!(udp.open(fd, UDPBindFlags::empty()).unwrap_err().code(), Some(Code::EBUSY));
        udp.close(|_| ()).unwrap();
        event_loop.run(RunMode::Default).unwrap();
        assert_eq!(socket::check_datagrams(fd).unwrap_err().code(), Some(Code::EBADF));
    }

    #[test]
    fn after_close_every_call_says_so() {
        let event_loop = Loop::new().unwrap();
        let udp = UDP::new(&event_loop, Some(Family::V4), false).unwrap();
        udp.close(|_| ()).unwrap();
        assert_eq!(udp.bind((LOCAL, 0).into(), UDPBindFlags::empty()), Err(Error::HandleClosed));
        assert_eq!(udp.try_send(Some((LOCAL, 9).into()), b"x"), Err(Error::HandleClosed));
        assert_eq!(udp.send(None, "x", |_, _| ()), Err(Error::HandleClosed));
        assert_eq!(udp.start_recv(|_, _| ()), Err(Error::HandleClosed));
        assert_eq!(udp.set_multicast_loop(true), Err(Error::HandleClosed));
    }
}
