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
use crate::{registration, trampoline};

/// How many datagrams one `uv_udp_try_send2` gets. libuv hands so many to one `sendmmsg`; of more,
/// 1.53 leaves out as many as it has sent.
const MAX_BATCH: usize = 20;

/// A send in flight: libuv's until its callback.
struct Sending<S, F> {
    uv: MaybeUninit<uv::uv_udp_send_t>,
    /// The handle, by a reference that this request holds. A `UDP` would keep the loop, too, and
    /// a loop that nobody can run any more could not be torn down.
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
        let _entered = self.enter()?;
        self.ensure_socket_for(to)?;
        let raw = to.map(RawAddress::from);
        let address = raw.as_ref().map_or(ptr::null(), RawAddress::as_ptr);
        let buffers = data.buffers();
        let buffers = buffers.as_ref();
        let count = c_uint::try_from(buffers.len()).unwrap_or(c_uint::MAX);
        let handle = self.header().hold();
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
        let _entered = self.enter()?;
        self.ensure_socket_for(to)?;
        let raw = to.map(RawAddress::from);
        let address = raw.as_ref().map_or(ptr::null(), RawAddress::as_ptr);
        let count = c_uint::try_from(buffers.len()).unwrap_or(c_uint::MAX);
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
            .map(|(to, data)| (*to, vec![Buffer::new(data.as_ptr().cast_mut(), data.len())]))
            .collect();
        // SAFETY: the buffers are the slices, which are borrowed until this returns.
        unsafe { self.try_send2_buffers(&pieces) }
    }

    /// [`try_send2`](UDP::try_send2) of datagrams in several pieces of memory each.
    ///
    /// # Safety
    /// The memory may be read until this returns.
    pub unsafe fn try_send2_buffers(
        &self,
        datagrams: &[(Option<SocketAddr>, Vec<Buffer>)],
    ) -> Result<usize> {
        let _entered = self.enter()?;
        let Some((first, _)) = datagrams.first() else { return Ok(0) };
        self.ensure_socket_for(*first)?;
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
    unsafe fn try_send_batch(&self, batch: &[(Option<SocketAddr>, Vec<Buffer>)]) -> c_int {
        let mut raws = [RawAddress::empty(); MAX_BATCH];
        let mut addresses = [ptr::null_mut(); MAX_BATCH];
        let mut buffers = [ptr::null_mut(); MAX_BATCH];
        let mut counts: [c_uint; MAX_BATCH] = [0; MAX_BATCH];
        for (index, (to, pieces)) in batch.iter().enumerate() {
            if let Some(to) = to {
                raws[index] = RawAddress::from(*to);
                addresses[index] = raws[index].as_mut_ptr();
            }
            buffers[index] = Buffer::as_raw(pieces).cast_mut();
            counts[index] = c_uint::try_from(pieces.len()).unwrap_or(c_uint::MAX);
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

    /// For the owner: has libuv try to send what is queued, though nobody tells it that it can.
    pub(super) fn fail_sends(&self) {
        #[cfg(unix)]
        // SAFETY: the handle is open, a UDP, and its loop is ours.
        unsafe {
            let handle = self.uv::<uv::uv_udp_t>();
            if (*handle).send_queue_count > 0 {
                registration::feed(self.header().inner(), &raw mut (*handle).io_watcher);
            }
        }
    }

    fn ensure_socket_for(&self, to: Option<SocketAddr>) -> Result<()> {
        match to {
            Some(to) => self.ensure_socket(to.ip(), UDPBindFlags::empty()),
            None => Ok(()),
        }
    }
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
        // SAFETY: the request's reference keeps the handle alive.
        let header = unsafe { sending.handle.as_ref() };
        trampoline::enter(header.inner(), || {
            drop(sending.data);
            if !header.inner().is_abandoned() {
                let outcome = Error::check(status, "").map(|_| ());
                header.with::<UDP, _>(|udp| (sending.done)(udp, outcome));
            }
        });
        // SAFETY: the request's reference is given up, once, by the loop's owner.
        unsafe { Header::drop_reference(sending.handle) };
    }

    let handle = sending.handle;
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
        // SAFETY: libuv refused, so nobody else has the allocation or gives up its reference.
        unsafe {
            drop(Box::from_raw(allocation));
            Header::drop_reference(handle);
        }
    })
}
