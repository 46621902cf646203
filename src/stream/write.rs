//! `uv_try_write` and `uv_write2`: what goes out.
//!
//! A write is tried at once. Only what the system does not take is queued, with the memory it
//! comes from, until it has gone out or failed.

use std::mem;
use std::os::raw::c_int;
use std::ptr::NonNull;

use libuv_sys2 as uv;

use super::written::Written;
use super::{Done, Stream, View, is_writable};
use crate::buffer::{Buffer, Source, check_length};
use crate::error::{Code, Error, Result};
use crate::handle::{Handle, Header, InFlight};
use crate::r#loop::Held;
use crate::trampoline;

/// A queued write. libuv's until its callback.
#[repr(C)]
struct Write<S> {
    uv: uv::uv_write_t,
    header: NonNull<Header>,
    done: Option<Done>,
    /// Keeps the memory.
    source: S,
    /// Keeps the handle that is sent along.
    handle: Option<InFlight>,
}

/// How far a write got in the call itself.
enum Tried {
    /// A file is on its way; so many bytes wait for it.
    Later(usize),
    /// All is out.
    Everything,
    /// So many bytes are, and with any of them the handle.
    Some(usize),
    /// The system refused.
    Failed(Code),
}

impl Stream {
    /// Writes `data` (`uv_try_write`, `uv_write`). `done` is called when all of it went out or
    /// it failed, in a later iteration of the loop; never from inside this call.
    ///
    /// The data is dropped when it has gone out, which may be before this returns. `done` gets
    /// `UV_ECANCELED` when the stream is closed before.
    ///
    /// Fails with `UV_EBADF` or `UV_EPIPE` on a stream that is not connected, or shut down.
    pub fn write<S: Source>(
        &self,
        data: S,
        done: impl FnOnce(&Stream, Result<()>) + Send + 'static,
    ) -> Result<()> {
        self.write_from(&mut Some(data), None, done)
    }

    /// [`write`](Stream::write), or [`write2`](Stream::write2) where there is a handle, of data that
    /// is taken out of its place only if it has to wait: to let go of it may do anything, and is the
    /// caller's then, who knows when.
    pub fn write_from<S: Source>(
        &self,
        data: &mut Option<S>,
        handle: Option<&Handle>,
        done: impl FnOnce(&Stream, Result<()>) + Send + 'static,
    ) -> Result<()> {
        self.write_all(data, handle, Box::new(done), true)?;
        Ok(())
    }

    /// Writes `data`, but `done` is called only if some of it had to wait, or if it failed, and
    /// not if all of it went out at once, when this returns true. The data is kept as long as
    /// `done` is.
    pub fn send<S: Source>(
        &self,
        data: S,
        done: impl FnOnce(&Stream, Result<()>) + Send + 'static,
    ) -> Result<bool> {
        self.send_from(&mut Some(data), done)
    }

    /// [`send`](Stream::send) of data that is taken out of its place only if it has to wait.
    pub fn send_from<S: Source>(
        &self,
        data: &mut Option<S>,
        done: impl FnOnce(&Stream, Result<()>) + Send + 'static,
    ) -> Result<bool> {
        self.write_all(data, None, Box::new(done), false)
    }

    /// Writes `data` and with its first byte sends `handle` to the process at the other end of
    /// this pipe (`uv_try_write2`, `uv_write2`). The handle stays open here.
    ///
    /// Fails with `UV_EINVAL` on what is not a pipe for handles ([`Pipe::new`](crate::Pipe::new)),
    /// for a handle that is none of TCP, Pipe and UDP or is on another loop, and for empty data;
    /// with `UV_EBADF` for a handle without an fd.
    pub fn write2<S: Source>(
        &self,
        data: S,
        handle: &Handle,
        done: impl FnOnce(&Stream, Result<()>) + Send + 'static,
    ) -> Result<()> {
        self.write_from(&mut Some(data), Some(handle), done)
    }

    /// Writes as much as the system takes at once, and says how many bytes that were
    /// (`uv_try_write`).
    ///
    /// Fails with `UV_EAGAIN` when that is nothing, or other writes are queued before it.
    pub fn try_write<S: Source>(&self, data: &S) -> Result<usize> {
        self.try_write_buffers(data.buffers().as_ref(), None)
    }

    /// [`try_write`](Stream::try_write) of one piece.
    #[inline]
    pub fn try_write_slice(&self, data: &[u8]) -> Result<usize> {
        self.try_write_buffers(&[Buffer::new(data.as_ptr().cast_mut(), data.len())], None)
    }

    /// [`try_write`](Stream::try_write) that sends a handle along (`uv_try_write2`).
    pub fn try_write2<S: Source>(&self, data: &S, handle: &Handle) -> Result<usize> {
        self.try_write_buffers(data.buffers().as_ref(), Some(handle))
    }

    /// Queues `data` without trying first, as what is left of a [`try_write`](Stream::try_write). `done`
    /// is called as by [`write`](Stream::write).
    pub fn write_rest<S: Source>(
        &self,
        data: S,
        done: impl FnOnce(&Stream, Result<()>) + Send + 'static,
    ) -> Result<()> {
        let entered = self.enter()?;
        let length = self.check_write(&entered, data.buffers().as_ref(), None)?;
        let data = &mut Some(data);
        if self.state(&entered).waits.get() {
            return self.write_later(&entered, data, length, None, Box::new(done));
        }
        self.queue(&entered, data, 0, None, Box::new(done)).map_err(|(error, _)| error)
    }

    // Always: one piece is most of all writes, and of what is looked at here little is left for it.
    #[inline(always)]
    fn try_write_buffers(&self, buffers: &[Buffer], handle: Option<&Handle>) -> Result<usize> {
        let entered = self.enter()?;
        self.check_write(&entered, buffers, handle)?;
        if self.state(&entered).waits.get() {
            return Err(Error::new(Code::EAGAIN, "uv_try_write"));
        }
        let written = self.try_now(buffers, handle);
        Ok(Error::check(written, "uv_try_write")? as usize)
    }

    fn write_all<S: Source>(
        &self,
        data: &mut Option<S>,
        handle: Option<&Handle>,
        done: Done,
        always: bool,
    ) -> Result<bool> {
        let entered = self.enter()?;
        let tried = {
            let Some(data) = data else { return Err(Error::new(Code::EINVAL, "no data")) };
            let buffers = data.buffers();
            let length = self.check_write(&entered, buffers.as_ref(), handle)?;
            if self.state(&entered).waits.get() {
                Tried::Later(length)
            } else {
                match Code::check(self.try_now(buffers.as_ref(), handle)) {
                    Ok(written) if written as usize == length => Tried::Everything,
                    Ok(written) => Tried::Some(written as usize),
                    Err(Code::EAGAIN) => Tried::Some(0),
                    Err(code) => Tried::Failed(code),
                }
            }
        };
        match tried {
            Tried::Later(length) => self.write_later(&entered, data, length, handle, done)?,
            Tried::Everything => {
                if always {
                    Written::push(&entered, self.header(&entered), done, Ok(()));
                }
                return Ok(true);
            }
            Tried::Some(written) => {
                // The handle goes with the first byte.
                let handle = handle.filter(|_| written == 0);
                let queued = self.queue(&entered, data, written, handle, done);
                queued.map_err(|(error, _)| error)?;
            }
            Tried::Failed(code) => {
                let data = data.take();
                let done: Done = Box::new(|stream, outcome| {
                    drop(data);
                    done(stream, outcome);
                });
                Written::push(&entered, self.header(&entered), done, Err(code));
            }
        }
        Ok(false)
    }

    /// Has the data written when what comes first is over.
    #[cold]
    fn write_later<S: Source>(
        &self,
        held: &Held,
        data: &mut Option<S>,
        length: usize,
        handle: Option<&Handle>,
        done: Done,
    ) -> Result<()> {
        if self.state(held).ends.get() {
            return Err(not_writable(self.header(held)));
        }
        let (mut data, handle) = (data.take(), handle.map(|handle| handle.in_flight(held)));
        self.later(held, length, done, move |stream, held, done| {
            let handle = handle.as_ref().map(|handle| handle.header().view());
            stream
                .queue(held, &mut data, 0, handle.as_deref(), done)
                .map_err(|(error, done)| (error.code().unwrap_or(Code::ECANCELED), done))
        });
        Ok(())
    }

    /// Whatever `uv_write2` would refuse, so that what is left is for the callback. Returns the
    /// length of the data.
    #[inline(always)]
    fn check_write(
        &self,
        held: &Held,
        buffers: &[Buffer],
        handle: Option<&Handle>,
    ) -> Result<usize> {
        let length = buffers.iter().map(Buffer::length).fold(0, usize::saturating_add);
        check_length(length)?;
        if buffers.is_empty() || u32::try_from(buffers.len()).is_err() {
            return Err(wrong_count(buffers));
        }
        let header = self.header(held);
        if !is_writable(header) {
            return Err(not_writable(header));
        }
        if let Some(handle) = handle {
            self.check_sent(held, handle, length)?;
        }
        Ok(length)
    }

    #[cold]
    fn check_sent(&self, held: &Held, handle: &Handle, length: usize) -> Result<()> {
        let fault = if !self.state(held).ipc {
            (Code::EINVAL, "the stream does not carry handles")
        } else if !matches!(handle.handle_type().name(), "TCP" | "Pipe" | "UDP") {
            (Code::EINVAL, "only TCP, Pipe and UDP handles can be sent")
        } else if !handle.is_on(held) {
            (Code::EINVAL, "the handle is on another loop")
        } else if length == 0 {
            (Code::EINVAL, "a handle needs at least one byte of data")
        } else if handle.is_closing() || !handle.header(held).has_fd() {
            (Code::EBADF, "the handle has no fd")
        } else {
            return Ok(());
        };
        Err(Error::new(fault.0, fault.1))
    }

    /// `uv_try_write2`.
    #[inline]
    fn try_now(&self, buffers: &[Buffer], handle: Option<&Handle>) -> c_int {
        let handle = handle.map_or(std::ptr::null_mut(), Handle::uv);
        // SAFETY: both handles are open and their loop is ours; the buffers point to memory
        // that may be read, as the trait `Source` says.
        unsafe {
            uv::uv_try_write2(self.uv(), Buffer::as_raw(buffers), buffers.len() as u32, handle)
        }
    }

    /// `uv_write2`, for what comes after the first `skip` bytes. Gives `done` back where it is refused.
    #[cold]
    pub(super) fn queue<S: Source>(
        &self,
        held: &Held,
        data: &mut Option<S>,
        skip: usize,
        handle: Option<&Handle>,
        done: Done,
    ) -> std::result::Result<(), (Error, Done)> {
        let Some(source) = data.take() else {
            return Err((Error::new(Code::EINVAL, "no data"), done));
        };
        let header = self.header(held);
        let request = Box::into_raw(Box::new(Write {
            // SAFETY: all-zero is a valid value of a C struct of integers and pointers.
            uv: unsafe { mem::zeroed() },
            header: header.whole(),
            done: Some(done),
            source,
            handle: handle.map(|handle| handle.in_flight(held)),
        }));
        let handle = handle.map_or(std::ptr::null_mut(), Handle::uv);
        // SAFETY: as in `try_now`; the request keeps memory and handle until its callback, which
        // takes it back.
        let status = unsafe {
            let buffers = rest((*request).source.buffers().as_ref(), skip);
            uv::uv_write2(
                request.cast(),
                self.uv(),
                Buffer::as_raw(&buffers),
                buffers.len() as u32,
                handle,
                Some(on_written::<S>),
            )
        };
        if let Err(error) = Error::check(status, "uv_write") {
            // SAFETY: libuv refused, so the request is ours again.
            let Write { source, done, .. } = *unsafe { Box::from_raw(request) };
            *data = Some(source);
            return Err((error, done.unwrap_or_else(|| Box::new(|_, _| ()))));
        }
        header.begin_request();
        Ok(())
    }
}

#[cold]
fn wrong_count(buffers: &[Buffer]) -> Error {
    Error::new(Code::EINVAL, format!("{} buffers", buffers.len()))
}

#[cold]
pub(super) fn not_writable(header: &Header) -> Error {
    Error::new(if header.has_fd() { Code::EPIPE } else { Code::EBADF }, "uv_write")
}

/// What is left of `buffers` after the first `skip` bytes.
fn rest(buffers: &[Buffer], mut skip: usize) -> Vec<Buffer> {
    let mut rest = Vec::with_capacity(buffers.len());
    for buffer in buffers {
        if skip < buffer.length() || skip == 0 {
            rest.push(buffer.skip(mem::take(&mut skip)));
        } else {
            skip -= buffer.length();
        }
    }
    rest
}

unsafe extern "C" fn on_written<S: Source>(request: *mut uv::uv_write_t, status: c_int) {
    // SAFETY: the request is the first field of a Box that `queue` gave away.
    let request = unsafe { Box::from_raw(request.cast::<Write<S>>()) };
    // SAFETY: libuv calls back before the close callback, which keeps the handle alive.
    let header = unsafe { request.header.as_ref() };
    let inner = header.held();
    inner.written.call_all(inner);
    header.finish_request();
    trampoline::enter(inner, || {
        let Write { source, handle, done, .. } = *request;
        drop(source);
        drop(handle);
        if let Some(done) = done
            && !inner.is_abandoned()
        {
            done(&View::new(header), Code::check(status).map(drop).map_err(Error::from));
        }
    });
    header.close_if_lost();
}
