//! Sending: `uv_udp_send`, `uv_udp_try_send` and `uv_udp_try_send2`.

use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::raw::{c_int, c_uint};
use std::ptr::{self, NonNull};

use libuv_sys2 as uv;

use super::{UDP, UDPBindFlags};
use crate::address::RawAddress;
use crate::buffer::{Buffer, Source};
use crate::error::{Code, Error, Result};
use crate::handle::Header;
#[cfg(unix)]
use crate::internals::udp_callbacks;
use crate::r#loop::Held;
use crate::trampoline;

/// How long a datagram may be that `join` makes: longer than any of UDP.
const MAX_JOINED: usize = 1 << 20;

/// How many pieces of memory the kernel sends as one datagram (`IOV_MAX`).
const MAX_PIECES: usize = 1024;

/// How many datagrams one `uv_udp_try_send2` gets. libuv hands so many to one `sendmmsg`; of more,
/// 1.53 leaves out as many as it has sent.
const MAX_BATCH: usize = 20;

/// A send in flight: libuv's until its callback.
struct Sending<S, F> {
    uv: MaybeUninit<uv::uv_udp_send_t>,
    /// The handle, which ends what it sends before it is freed. A `UDP` would keep the loop, and
    /// one that nobody can run any more could not be torn down.
    handle: NonNull<Header>,
    data: S,
    done: F,
}

impl UDP {
    /// Sends a datagram (`uv_udp_send`): at once if that is possible, and otherwise when the
    /// socket has room. The loop calls `done` when it has gone out or failed, once, and with
    /// `UV_ECANCELED` if the handle was closed first; `data` is kept until then.
    ///
    /// `to` is `None` on a connected handle. Fails with `UV_EISCONN` where a connected one gets an
    /// address, `UV_EDESTADDRREQ` where another gets none.
    pub fn send<S: Source>(
        &self,
        to: Option<SocketAddr>,
        data: S,
        done: impl FnOnce(&UDP, Result<()>) + Send + 'static,
    ) -> Result<()> {
        let entered = self.enter()?;
        self.ensure_socket_for(&entered, to)?;
        let raw = to.map(RawAddress::from);
        let address = raw.as_ref().map_or(ptr::null(), RawAddress::as_ptr);
        let buffers = data.buffers();
        let buffers = buffers.as_ref();
        // SAFETY: the memory is the source's.
        if let Some(joined) = unsafe { join(buffers) } {
            return self.send(to, joined, done);
        }
        let count = buffers.len() as c_uint;
        let handle = self.header(&entered).whole();
        submit(Sending { uv: MaybeUninit::uninit(), handle, data, done }, |request, callback| {
            // SAFETY: the handle is open, a UDP, and its loop is ours. libuv copies address and
            // buffers; the memory behind them is the source's, which the request keeps.
            unsafe {
                uv::uv_udp_send(
                    request,
                    self.uv(),
                    Buffer::as_raw(buffers),
                    count,
                    address,
                    callback,
                )
            }
        })
        .map_err(|code| refusal(code, to))
    }

    /// Sends a datagram if that is possible at once (`uv_udp_try_send`). Gives its length.
    ///
    /// Fails with `UV_EAGAIN` where the socket has no room or others are waiting to be sent,
    /// otherwise as [`send`](UDP::send) does.
    pub fn try_send(&self, to: Option<SocketAddr>, data: &[u8]) -> Result<usize> {
        let buffer = Buffer::new(data.as_ptr().cast_mut(), data.len());
        // SAFETY: the buffer is the slice, which is borrowed until this returns.
        unsafe { self.try_send_buffers(to, &[buffer]) }
    }

    /// [`try_send`](UDP::try_send) of a datagram in several pieces of memory.
    ///
    /// # Safety
    /// The memory may be read until this returns.
    pub unsafe fn try_send_buffers(
        &self,
        to: Option<SocketAddr>,
        buffers: &[Buffer],
    ) -> Result<usize> {
        let entered = self.enter()?;
        // SAFETY: the caller vouches for the memory.
        if let Some(joined) = unsafe { join(buffers) } {
            return self.try_send(to, &joined);
        }
        self.ensure_socket_for(&entered, to)?;
        let raw = to.map(RawAddress::from);
        let address = raw.as_ref().map_or(ptr::null(), RawAddress::as_ptr);
        let count = buffers.len() as c_uint;
        // SAFETY: the handle is open, a UDP, and its loop is ours; the caller vouches for the
        // memory.
        let status =
            unsafe { uv::uv_udp_try_send(self.uv(), Buffer::as_raw(buffers), count, address) };
        usize::try_from(status).map_err(|_| refusal(Code(status), to))
    }

    /// Sends as many of these datagrams as go out at once, in order (`uv_udp_try_send2`, which
    /// takes up to 20 of them to the kernel with one system call). Gives how many that were.
    ///
    /// Fails if the first cannot be sent, as [`try_send`](UDP::try_send) does. An error of another
    /// is met again by whoever tries to send the rest.
    pub fn try_send2(&self, datagrams: &[(Option<SocketAddr>, &[u8])]) -> Result<usize> {
        let pieces: Vec<_> = datagrams
            .iter()
            .map(|(to, data)| (*to, [Buffer::new(data.as_ptr().cast_mut(), data.len())]))
            .collect();
        // SAFETY: the buffers are the slices, which are borrowed until this returns.
        unsafe { self.try_send2_buffers(&pieces) }
    }

    /// [`try_send2`](UDP::try_send2) of datagrams in several pieces of memory each.
    ///
    /// # Safety
    /// The memory may be read until this returns.
    pub unsafe fn try_send2_buffers<B: AsRef<[Buffer]>>(
        &self,
        datagrams: &[(Option<SocketAddr>, B)],
    ) -> Result<usize> {
        let entered = self.enter()?;
        let Some((first, _)) = datagrams.first() else { return Ok(0) };
        self.ensure_socket_for(&entered, *first)?;
        let mut sent = 0;
        for batch in datagrams.chunks(MAX_BATCH) {
            // SAFETY: the caller vouches for the memory.
            let status = unsafe { self.try_send_batch(batch) };
            match usize::try_from(status) {
                Ok(count) => sent += count,
                Err(_) if sent == 0 => return Err(refusal(Code(status), *first)),
                Err(_) => break,
            }
            if status as usize != batch.len() {
                break;
            }
        }
        Ok(sent)
    }

    /// # Safety
    /// As for [`try_send2_buffers`](UDP::try_send2_buffers); there are 1 to `MAX_BATCH` datagrams.
    unsafe fn try_send_batch<B: AsRef<[Buffer]>>(
        &self,
        batch: &[(Option<SocketAddr>, B)],
    ) -> c_int {
        let mut raws = [RawAddress::empty(); MAX_BATCH];
        let mut addresses = [ptr::null_mut(); MAX_BATCH];
        let mut buffers = [ptr::null_mut(); MAX_BATCH];
        let mut counts: [c_uint; MAX_BATCH] = [0; MAX_BATCH];
        let joined: Vec<_> = batch
            .iter()
            .map(|(_, pieces)| {
                // SAFETY: the caller vouches for the memory.
                let joined = unsafe { join(pieces.as_ref()) }?;
                let buffer = Buffer::new(joined.as_ptr().cast_mut(), joined.len());
                Some((joined, [buffer]))
            })
            .collect();
        for (index, (to, pieces)) in batch.iter().enumerate() {
            let pieces = joined[index].as_ref().map_or(pieces.as_ref(), |(_, buffer)| buffer);
            if let Some(to) = to {
                raws[index] = RawAddress::from(*to);
                addresses[index] = raws[index].as_mut_ptr();
            }
            buffers[index] = Buffer::as_raw(pieces).cast_mut();
            counts[index] = pieces.len() as c_uint;
        }
        // SAFETY: the handle is open, a UDP, and its loop is ours; the arrays have an entry for
        // each datagram, and the caller vouches for the memory. libuv only reads all this.
        unsafe {
            uv::uv_udp_try_send2(
                self.uv(),
                batch.len() as c_uint,
                buffers.as_mut_ptr(),
                counts.as_mut_ptr(),
                addresses.as_mut_ptr(),
                0,
            )
        }
    }

    /// How many datagrams wait to be sent or to be told of (`uv_udp_get_send_queue_count`).
    pub fn send_queue_count(&self) -> Result<usize> {
        let _entered = self.enter()?;
        // SAFETY: the handle is open, a UDP, and its loop is ours.
        Ok(unsafe { uv::uv_udp_get_send_queue_count(self.uv()) })
    }

    /// How many bytes those are (`uv_udp_get_send_queue_size`).
    pub fn send_queue_size(&self) -> Result<usize> {
        let _entered = self.enter()?;
        // SAFETY: the handle is open, a UDP, and its loop is ours.
        Ok(unsafe { uv::uv_udp_get_send_queue_size(self.uv()) })
    }

    /// Has libuv try to send what is queued, though nobody tells it that it can.
    #[cfg_attr(not(unix), allow(unused_variables))]
    pub(super) fn fail_sends(&self, held: &Held) {
        #[cfg(unix)]
        // SAFETY: the handle is open, a UDP, and its loop is ours.
        unsafe {
            udp_callbacks::try_queued(self, held);
        }
    }

    fn ensure_socket_for(&self, held: &Held, to: Option<SocketAddr>) -> Result<()> {
        match to {
            Some(to) => self.ensure_socket(held, to.ip(), UDPBindFlags::empty()),
            None => Ok(()),
        }
    }
}

/// The bytes of more pieces than the kernel takes, in one; `None` for fewer. A datagram that is too
/// long is left as it is, for the kernel to refuse.
///
/// # Safety
/// The memory may be read.
unsafe fn join(buffers: &[Buffer]) -> Option<Vec<u8>> {
    let length = || buffers.iter().map(Buffer::length).fold(0, usize::saturating_add);
    if buffers.len() <= MAX_PIECES || length() > MAX_JOINED {
        return None;
    }
    let mut joined: Vec<u8> = Vec::with_capacity(length());
    for buffer in buffers {
        // SAFETY: the caller says so; there is room for all of them.
        unsafe {
            let end = joined.as_mut_ptr().add(joined.len());
            ptr::copy_nonoverlapping(buffer.address(), end, buffer.length());
            joined.set_len(joined.len() + buffer.length());
        }
    }
    Some(joined)
}

/// The error for a datagram that libuv or the kernel refused.
#[cold]
fn refusal(code: Code, to: Option<SocketAddr>) -> Error {
    Error::new(code, to.map_or_else(String::new, |to| to.to_string()))
}

/// Hands `sending` to libuv by `start`; takes it back if libuv refuses.
fn submit<S, F>(
    sending: Sending<S, F>,
    start: impl FnOnce(*mut uv::uv_udp_send_t, uv::uv_udp_send_cb) -> c_int,
) -> std::result::Result<(), Code>
where
    F: FnOnce(&UDP, Result<()>),
{
    unsafe extern "C" fn on_sent<S, F>(request: *mut uv::uv_udp_send_t, status: c_int)
    where
        F: FnOnce(&UDP, Result<()>),
    {
        // SAFETY: `data` is the allocation that was leaked below, and libuv is done with it.
        let sending = unsafe { *Box::from_raw((*request).data.cast::<Sending<S, F>>()) };
        // SAFETY: the handle is alive as long as libuv calls back for what it sends.
        let header = unsafe { sending.handle.as_ref() };
        trampoline::enter(header.held(), || {
            drop(sending.data);
            if !header.held().is_abandoned() {
                let outcome = Error::check(status, "").map(|_| ());
                header.with::<UDP, _>(|udp| (sending.done)(udp, outcome));
            }
        });
        // libuv counts the handle as active until it has called back for all that was sent.
        header.close_if_lost();
    }

    let allocation = Box::into_raw(Box::new(sending));
    // SAFETY: the allocation is whole and nobody else's; `data` is a field of every request, which
    // libuv leaves alone.
    let request = unsafe {
        let request = (*allocation).uv.as_mut_ptr();
        (&raw mut (*request).data).write(allocation.cast());
        request
    };
    let status = start(request, Some(on_sent::<S, F>));
    Code::check(status).map(|_| ()).inspect_err(|_| {
        // SAFETY: libuv refused, so nobody else has the allocation.
        drop(unsafe { Box::from_raw(allocation) });
    })
}

#[cfg(all(test, unix))]
mod tests {
    use std::net::UdpSocket;
    use std::os::fd::IntoRawFd;
    use std::os::unix::net::UnixDatagram;
    use std::sync::{Arc, Mutex};

    use bytes::Bytes;

    use super::*;
    use crate::{Loop, RunMode};

    type Seen = Arc<Mutex<Vec<Result<()>>>>;

    fn note(seen: &Seen) -> impl FnOnce(&UDP, Result<()>) + Send + use<> {
        let seen = seen.clone();
        move |_, outcome| seen.lock().unwrap().push(outcome)
    }

    fn peer() -> (UdpSocket, Option<SocketAddr>) {
        let peer = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        peer.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
        let address = peer.local_addr().unwrap();
        (peer, Some(address))
    }

    fn received(peer: &UdpSocket) -> Vec<u8> {
        let mut buffer = [0; 65536];
        let length = peer.recv(&mut buffer).unwrap();
        buffer[..length].to_vec()
    }

    #[test]
    fn pieces_go_out_as_one_datagram() {
        let event_loop = Loop::new().unwrap();
        let udp = UDP::new(&event_loop, None, false).unwrap();
        let (peer, to) = peer();
        let seen = Seen::default();
        udp.send(
            to,
            vec![Bytes::from_static(b"ab"), Bytes::new(), Bytes::from_static(b"c")],
            note(&seen),
        )
        .unwrap();
        assert_eq!((udp.send_queue_count(), udp.send_queue_size()), (Ok(1), Ok(3)));
        assert!(seen.lock().unwrap().is_empty());
        event_loop.run(RunMode::Default).unwrap();
        assert_eq!(*seen.lock().unwrap(), [Ok(())]);
        assert_eq!((udp.send_queue_count(), udp.send_queue_size()), (Ok(0), Ok(0)));
        assert_eq!(received(&peer), b"abc");
    }

    #[test]
    fn more_pieces_than_the_kernel_takes_are_joined() {
        let event_loop = Loop::new().unwrap();
        let udp = UDP::new(&event_loop, None, false).unwrap();
        let (peer, to) = peer();
        let pieces: Vec<Bytes> = (0..3000u32).map(|n| vec![n as u8].into()).collect();
        let whole: Vec<u8> = (0..3000u32).map(|n| n as u8).collect();
        let buffers = pieces.buffers();
        // SAFETY: the pieces outlive the calls.
        unsafe {
            assert_eq!(udp.try_send_buffers(to, buffers.as_ref()), Ok(3000));
            assert_eq!(udp.try_send2_buffers(&[(to, buffers.as_ref().to_vec())]), Ok(1));
        }
        udp.send(to, pieces, |_, outcome| assert_eq!(outcome, Ok(()))).unwrap();
        event_loop.run(RunMode::Default).unwrap();
        for _ in 0..3 {
            assert_eq!(received(&peer), whole);
        }
    }

    #[test]
    fn what_waits_at_close_is_cancelled_once() {
        let event_loop = Loop::new().unwrap();
        let udp = UDP::new(&event_loop, None, false).unwrap();
        let (_peer, to) = peer();
        let seen = Seen::default();
        // The first goes out at once, and is told of later; the others wait for that.
        for _ in 0..3 {
            udp.send(to, "x", note(&seen)).unwrap();
        }
        udp.close(|_| ()).unwrap();
        event_loop.run(RunMode::Default).unwrap();
        let cancelled = || Err(Code::ECANCELED.into());
        assert_eq!(*seen.lock().unwrap(), [Ok(()), cancelled(), cancelled()]);
    }

    #[test]
    fn a_handle_nobody_holds_sends_what_it_has() {
        let event_loop = Loop::new().unwrap();
        let udp = UDP::new(&event_loop, None, false).unwrap();
        let (peer, to) = peer();
        let seen = Seen::default();
        udp.send(to, "a", note(&seen)).unwrap();
        udp.send(to, "b", note(&seen)).unwrap();
        drop(udp);
        event_loop.run(RunMode::Default).unwrap();
        assert_eq!(*seen.lock().unwrap(), [Ok(()), Ok(())]);
        assert_eq!([received(&peer), received(&peer)], [b"a", b"b"]);
        assert!(event_loop.handles().unwrap().is_empty());
    }

    #[test]
    fn a_loop_nobody_holds_drops_what_waits_and_calls_nothing() {
        let event_loop = Loop::new().unwrap();
        let udp = UDP::new(&event_loop, None, false).unwrap();
        let (_peer, to) = peer();
        let held = Arc::new(());
        for _ in 0..2 {
            let held = held.clone();
            udp.send(to, "x", move |_, _| panic!("{held:?} was called")).unwrap();
        }
        drop(udp);
        drop(event_loop);
        assert_eq!(Arc::strong_count(&held), 1);
    }

    #[test]
    fn the_callback_may_send_and_close() {
        let event_loop = Loop::new().unwrap();
        let udp = UDP::new(&event_loop, None, false).unwrap();
        let (peer, to) = peer();
        let seen = Seen::default();
        let last = note(&seen);
        udp.send(to, "a", move |udp, _| {
            assert_eq!(udp.try_send(to, b"b"), Ok(1));
            udp.send(to, "c", |udp, _| udp.close(|_| ()).unwrap()).unwrap();
            udp.send(to, "d", last).unwrap();
        })
        .unwrap();
        event_loop.run(RunMode::Default).unwrap();
        assert_eq!(*seen.lock().unwrap(), [Ok(())]);
        assert_eq!([(); 4].map(|()| received(&peer)), [b"a", b"b", b"c", b"d"]);
    }

    #[test]
    fn all_of_a_large_batch_goes_out() {
        let event_loop = Loop::new().unwrap();
        let udp = UDP::new(&event_loop, None, false).unwrap();
        let (peer, to) = peer();
        let texts: Vec<String> = (0..65).map(|n| n.to_string()).collect();
        let batch: Vec<_> = texts.iter().map(|text| (to, text.as_bytes())).collect();
        assert_eq!(udp.try_send2(&batch), Ok(65));
        for text in &texts {
            assert_eq!(received(&peer), text.as_bytes());
        }
        assert_eq!(udp.try_send2(&[]), Ok(0));
    }

    #[test]
    fn a_batch_that_waits_for_others_fails() {
        let event_loop = Loop::new().unwrap();
        let udp = UDP::new(&event_loop, None, false).unwrap();
        let (_peer, to) = peer();
        udp.send(to, "x", |_, _| ()).unwrap();
        assert_eq!(udp.try_send2(&[(to, b"y")]).unwrap_err().code(), Some(Code::EAGAIN));
        assert_eq!(udp.try_send(to, b"y").unwrap_err().code(), Some(Code::EAGAIN));
    }

    #[test]
    fn an_address_is_needed_unless_connected() {
        let event_loop = Loop::new().unwrap();
        let udp = UDP::new(&event_loop, None, false).unwrap();
        let (peer, to) = peer();
        let code = |outcome: Result<usize>| outcome.unwrap_err().code();
        assert_eq!(code(udp.try_send(None, b"x")), Some(Code::EDESTADDRREQ));
        assert_eq!(code(udp.try_send2(&[(None, b"x")])), Some(Code::EDESTADDRREQ));
        udp.connect(to.unwrap()).unwrap();
        assert_eq!(code(udp.try_send(to, b"x")), Some(Code::EISCONN));
        assert_eq!(code(udp.try_send2(&[(to, b"x")])), Some(Code::EISCONN));
        let error = udp.send(to, "x", |_, _| panic!("refused")).unwrap_err();
        assert_eq!(error, Error::new(Code::EISCONN, to.unwrap().to_string()));
        assert_eq!(udp.try_send(None, b"x"), Ok(1));
        assert_eq!(received(&peer), b"x");
    }

    #[test]
    fn nothing_to_send_is_an_error_and_an_empty_datagram_is_none() {
        let event_loop = Loop::new().unwrap();
        let udp = UDP::new(&event_loop, None, false).unwrap();
        let (peer, to) = peer();
        let none: Vec<Bytes> = Vec::new();
        let error = udp.send(to, none, |_, _| panic!("refused")).unwrap_err();
        assert_eq!(error.code(), Some(Code::EINVAL));
        assert_eq!(udp.try_send(to, b""), Ok(0));
        assert_eq!(received(&peer), b"");
    }

    #[test]
    fn a_full_socket_sends_when_it_has_room() {
        let event_loop = Loop::new().unwrap();
        let (ours, theirs) = UnixDatagram::pair().unwrap();
        let udp = UDP::new(&event_loop, None, false).unwrap();
        udp.open(ours.into_raw_fd(), UDPBindFlags::empty()).unwrap();
        let mut sent = 0;
        while udp.try_send(None, b"x").is_ok() {
            sent += 1;
        }
        let seen = Seen::default();
        udp.send(None, "last", note(&seen)).unwrap();
        event_loop.run(RunMode::NoWait).unwrap();
        assert!(seen.lock().unwrap().is_empty());
        let mut buffer = [0; 9];
        for _ in 0..sent {
            assert_eq!(theirs.recv(&mut buffer).unwrap(), 1);
        }
        event_loop.run(RunMode::Default).unwrap();
        assert_eq!(*seen.lock().unwrap(), [Ok(())]);
        assert_eq!(theirs.recv(&mut buffer).unwrap(), 4);
    }

    #[test]
    fn an_icmp_error_while_only_sending_is_an_error_not_an_abort() {
        let event_loop = Loop::new().unwrap();
        let udp = UDP::new(&event_loop, None, false).unwrap();
        let (peer, to) = peer();
        drop(peer);
        udp.connect(to.unwrap()).unwrap();
        let seen = Seen::default();
        let last = note(&seen);
        udp.send(None, "a", move |udp, _| {
            // The first takes the error away, the second brings a new one; the third waits.
            assert_eq!(udp.try_send(None, b"b").unwrap_err().code(), Some(Code::ECONNREFUSED));
            assert_eq!(udp.try_send(None, b"c"), Ok(1));
            udp.send(None, "d", last).unwrap();
        })
        .unwrap();
        event_loop.run(RunMode::Default).unwrap();
        assert_eq!(*seen.lock().unwrap(), [Err(Code::ECONNREFUSED.into())]);
    }
}
