//! Receiving: `uv_udp_recv_start`.
//!
//! Datagrams arrive in the loop's slab. With recvmmsg libuv cuts it into pieces of 64 KiB, fills
//! as many as there are datagrams, and reports each; the slab is lent until the last of them has
//! been looked at. Nothing else of this loop can read meanwhile, for libuv reads from its poll
//! phase alone and callbacks cannot run that.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::raw::{c_int, c_uint};

use libuv_sys2 as uv;

use super::{UDP, UDPBindFlags};
use crate::address::RawAddress;
use crate::error::{Code, Error, Result};
use crate::handle::{Header, dispatch};
#[cfg(unix)]
use crate::internals::udp_callbacks;
use crate::r#loop::Held;
use crate::{address, slab, socket};

bitflags::bitflags! {
    /// What is to be said of something [`Received`] (`uv_udp_flags`).
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct ReceivedFlags: u32 {
        /// The datagram was longer than the buffer, the rest is lost (`UV_UDP_PARTIAL`).
        const PARTIAL = uv::uv_udp_flags_UV_UDP_PARTIAL;
        /// Not a datagram but an error from the socket's error queue (`UV_UDP_LINUX_RECVERR`).
        const LINUX_RECVERR = uv::uv_udp_flags_UV_UDP_LINUX_RECVERR;
    }
}

/// A datagram, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received<'a> {
    /// Who sent it; for `LINUX_RECVERR`, which host complained. `None` for other errors, and for
    /// a socket of another family than IPv4 and IPv6 that was opened.
    pub from: Option<SocketAddr>,
    /// More about it.
    pub flags: ReceivedFlags,
    /// The datagram, which may be empty, or libuv's code.
    pub outcome: std::result::Result<&'a [u8], Code>,
}

pub(crate) type Callback = Box<dyn FnMut(&UDP, Received<'_>) + Send>;

impl UDP {
    /// Has `callback` called with each datagram (`uv_udp_recv_start`), also with errors, after
    /// which it goes on.
    ///
    /// Binds to any port of IPv4 if the handle has no address yet. Fails with `UV_EALREADY` if
    /// the handle is receiving.
    pub fn start_recv(
        &self,
        callback: impl FnMut(&UDP, Received<'_>) + Send + 'static,
    ) -> Result<()> {
        let entered = self.enter()?;
        self.ensure_socket(&entered, Ipv4Addr::UNSPECIFIED.into(), UDPBindFlags::empty())?;
        socket::check_datagrams(self.header(&entered).fileno()?)?;
        // SAFETY: the handle is open, a UDP, and its loop is ours.
        let status = unsafe { uv::uv_udp_recv_start(self.uv(), Some(on_alloc), Some(on_recv)) };
        Error::check(status, "")?;
        self.state(&entered).receiving.set(true);
        // SAFETY: the handle is a UDP.
        unsafe { self.set_callback::<UDP>(&entered, Box::new(callback)) };
        Ok(())
    }

    /// Receives no more (`uv_udp_recv_stop`). What has arrived waits in the socket; only what
    /// recvmmsg has fetched along with the datagram that is being looked at is lost.
    pub fn stop_recv(&self) -> Result<()> {
        let entered = self.enter()?;
        // SAFETY: the handle is open, a UDP, and its loop is ours.
        unsafe { uv::uv_udp_recv_stop(self.uv()) };
        self.state(&entered).receiving.set(false);
        self.guard();
        Ok(())
    }

    /// Whether the handle is receiving.
    pub fn is_receiving(&self) -> bool {
        self.enter().is_ok_and(|entered| self.state(&entered).receiving.get())
    }

    /// Ends receiving with an error.
    pub(super) fn fail_receiving(&self, held: &Held, code: Code) {
        if self.state(held).receiving.get() && self.stop_recv().is_ok() {
            // SAFETY: the handle is a UDP, alive by `self`.
            unsafe {
                dispatch::<UDP>(self.uv(), |callback, udp, _| {
                    let flags = ReceivedFlags::empty();
                    callback(udp, Received { from: None, flags, outcome: Err(code) });
                });
            }
        }
    }

    /// While the handle is not receiving: gives libuv callbacks all the same.
    pub(super) fn guard(&self) {
        #[cfg(unix)]
        // SAFETY: the handle is a UDP that is initialised, and its loop is ours.
        unsafe {
            udp_callbacks::set(self, Some(on_alloc), Some(on_recv));
        }
    }
}

/// Leaves the buffer as libuv made it, empty, for a handle that is not receiving.
unsafe extern "C" fn on_alloc(handle: *mut uv::uv_handle_t, size: usize, buf: *mut uv::uv_buf_t) {
    // SAFETY: libuv gives a handle with a header in `data`, alive by its own reference.
    let header = unsafe { Header::from_uv(handle) };
    if header.with::<UDP, _>(|udp| udp.state(header.held()).receiving.get()) {
        // SAFETY: the arguments are libuv's.
        unsafe { slab::alloc(handle, size, buf) };
    }
}

unsafe extern "C" fn on_recv(
    handle: *mut uv::uv_udp_t,
    nread: isize,
    buf: *const uv::uv_buf_t,
    from: *const uv::sockaddr,
    flags: c_uint,
) {
    // Of an error from the error queue, 1.53 negates the number without its sign, so that a length of
    // nearly 4 GiB is what is left of it; the lower half is the code.
    let nread = nread as c_int;
    let is_datagram = !from.is_null() || flags & uv::uv_udp_flags_UV_UDP_MMSG_CHUNK != 0;
    if nread == 0 && !is_datagram {
        // Nothing was there, or the slab is given back after a batch.
        return;
    }
    // SAFETY: libuv gives the handle that receives.
    unsafe {
        dispatch::<UDP>(handle, |callback, udp, held| {
            if !udp.state(held).receiving.get() {
                return;
            }
            let from = address::read(from.cast(), size_of::<RawAddress>());
            let flags = ReceivedFlags::from_bits_truncate(flags);
            match usize::try_from(nread) {
                Err(_) => {
                    callback(udp, Received { from, flags, outcome: Err(Code(nread)) });
                }
                Ok(length) => held.slab.show((*buf).base, length, |data| {
                    callback(udp, Received { from, flags, outcome: Ok(data) });
                }),
            }
        });
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::net::UdpSocket;
    use std::os::fd::IntoRawFd;
    use std::os::unix::net::UnixDatagram;
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::{Loop, RunMode};

    type Seen = Arc<Mutex<Vec<(ReceivedFlags, std::result::Result<Vec<u8>, Code>)>>>;

    /// Remembers what comes; then runs `then`.
    fn note(
        seen: &Seen,
        then: impl Fn(&UDP, usize) + Send + 'static,
    ) -> impl FnMut(&UDP, Received<'_>) + Send + 'static {
        let seen = seen.clone();
        move |udp, received| {
            let count = {
                let mut seen = seen.lock().unwrap();
                seen.push((received.flags, received.outcome.map(<[u8]>::to_vec)));
                seen.len()
            };
            then(udp, count);
        }
    }

    fn data(seen: &Seen) -> Vec<Vec<u8>> {
        seen.lock().unwrap().iter().map(|(_, outcome)| outcome.clone().unwrap()).collect()
    }

    fn receiver(event_loop: &Loop, recvmmsg: bool) -> (UDP, UdpSocket) {
        let udp = UDP::new(event_loop, None, recvmmsg).unwrap();
        udp.bind(([127, 0, 0, 1], 0).into(), UDPBindFlags::empty()).unwrap();
        let peer = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        peer.connect(udp.getsockname().unwrap()).unwrap();
        (udp, peer)
    }

    #[test]
    fn datagrams_keep_their_bounds_and_senders() {
        for recvmmsg in [false, true] {
            let event_loop = Loop::new().unwrap();
            let (udp, peer) = receiver(&event_loop, recvmmsg);
            let sender = peer.local_addr().unwrap();
            let seen = Seen::default();
            let mut remember = note(&seen, |udp, count| {
                if count == 30 {
                    udp.stop_recv().unwrap();
                }
            });
            udp.start_recv(move |udp, received| {
                assert_eq!(received.from, Some(sender));
                remember(udp, received);
            })
            .unwrap();
            assert!(udp.is_receiving());
            let sent: Vec<Vec<u8>> = (0..30).map(|length| vec![b'x'; length * 50]).collect();
            sent.iter().for_each(|datagram| assert!(peer.send(datagram).is_ok()));
            event_loop.run(RunMode::Default).unwrap();
            assert_eq!(data(&seen), sent, "recvmmsg: {recvmmsg}");
            assert!(!udp.is_receiving());
        }
    }

    #[test]
    fn the_callback_may_close_in_the_middle_of_a_batch() {
        for recvmmsg in [false, true] {
            let event_loop = Loop::new().unwrap();
            let (udp, peer) = receiver(&event_loop, recvmmsg);
            let seen = Seen::default();
            udp.start_recv(note(&seen, |udp, count| {
                if count == 2 {
                    udp.close(|_| ()).unwrap();
                }
            }))
            .unwrap();
            ["a", "b", "c", "d"]
                .iter()
                .for_each(|text| assert!(peer.send(text.as_bytes()).is_ok()));
            assert_eq!(event_loop.run(RunMode::Default), Ok(false));
            assert_eq!(data(&seen), [b"a", b"b"]);
        }
    }

    #[test]
    fn the_callback_may_stop_and_start_again() {
        let event_loop = Loop::new().unwrap();
        let (udp, peer) = receiver(&event_loop, false);
        let (first, second) = (Seen::default(), Seen::default());
        let later = second.clone();
        udp.start_recv(note(&first, move |udp, _| {
            udp.stop_recv().unwrap();
            udp.start_recv(note(&later, |udp, _| udp.stop_recv().unwrap())).unwrap();
        }))
        .unwrap();
        ["a", "b"].iter().for_each(|text| assert!(peer.send(text.as_bytes()).is_ok()));
        event_loop.run(RunMode::Default).unwrap();
        assert_eq!((data(&first), data(&second)), (vec![b"a".to_vec()], vec![b"b".to_vec()]));
    }

    #[test]
    fn what_is_longer_than_the_buffer_is_partial() {
        let event_loop = Loop::new().unwrap();
        let (ours, theirs) = UnixDatagram::pair().unwrap();
        let udp = UDP::new(&event_loop, None, true).unwrap();
        udp.open(ours.into_raw_fd(), UDPBindFlags::empty()).unwrap();
        let seen = Seen::default();
        udp.start_recv(note(&seen, |udp, count| {
            if count == 2 {
                udp.stop_recv().unwrap();
            }
        }))
        .unwrap();
        theirs.send(&[7; 100_000]).unwrap();
        theirs.send(&[]).unwrap();
        event_loop.run(RunMode::Default).unwrap();
        let seen = seen.lock().unwrap();
        assert_eq!(seen[0], (ReceivedFlags::PARTIAL, Ok(vec![7; 65536])));
        assert_eq!(seen[1], (ReceivedFlags::empty(), Ok(vec![])));
    }

    #[test]
    fn a_second_start_is_refused() {
        let event_loop = Loop::new().unwrap();
        let (udp, _peer) = receiver(&event_loop, false);
        udp.start_recv(|_, _| ()).unwrap();
        assert_eq!(udp.start_recv(|_, _| ()).unwrap_err().code(), Some(Code::EALREADY));
    }
}
