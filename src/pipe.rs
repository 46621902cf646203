//! `uv_pipe_t`: Unix domain sockets, and pipes of other kinds.

use std::os::raw::c_uint;

use libuv_sys2 as uv;

use crate::error::{Code, Error, Result};
use crate::handle::{Handle, stream_kind};
use crate::r#loop::{Held, Loop};
use crate::poll::{Events, Fd};
#[cfg(unix)]
use crate::socket;
use crate::stream::connect::on_connect;
use crate::stream::{State, Stream};
use crate::util::HandleType;

/// A Unix domain socket, a FIFO or an end of a pipe; on Windows a named pipe (`uv_pipe_t`).
///
/// Names are bytes. On Linux one that begins with a NUL is in the abstract namespace, not in the
/// file system.
#[repr(transparent)]
pub struct Pipe(Stream);

// SAFETY: the struct is transparent over a Stream, made by `create` alone, with `uv_pipe_init`.
stream_kind!(unsafe Pipe, uv::uv_pipe_t {
    fn fd_lost(&self, held: &Held, code: Code) {
        self.stream_lost(held, code);
    }
});

impl Pipe {
    /// A new handle (`uv_pipe_init`). With `ipc`, handles can be sent over it.
    pub fn new(event_loop: &Loop, ipc: bool) -> Result<Pipe> {
        Handle::create(event_loop, State::new(ipc), "uv_pipe_init", |event_loop, handle| {
            // SAFETY: the loop is open and ours; the handle's memory is its own.
            unsafe { uv::uv_pipe_init(event_loop, handle, ipc.into()) }
        })
    }

    /// Whether handles can be sent over it.
    pub fn is_ipc(&self) -> bool {
        self.carries_handles()
    }

    /// Takes `fd`, a Unix domain socket, a FIFO, an end of a pipe or a terminal that somebody else
    /// opened, and makes it non-blocking (`uv_pipe_open`). It is closed with the handle.
    ///
    /// Fails with `UV_EBADF` for what is not open, `UV_EINVAL` for another type of file,
    /// `UV_EEXIST` for one that another handle of this loop has, `UV_EBUSY` on a handle that has
    /// an fd.
    pub fn open(&self, fd: i32) -> Result<()> {
        self.open_with(fd as Fd, &[HandleType::NamedPipe, HandleType::Tty], || {
            // SAFETY: the handle is open, a Pipe, and its loop is ours.
            unsafe { uv::uv_pipe_open(self.uv(), fd) }
        })
    }

    /// [`open`](Pipe::open) of a socket that is known to be of this kind and not to block, and that no other
    /// handle of the loop has: spares system calls, and looking at every handle.
    pub fn open_known(&self, fd: i32) -> Result<()> {
        self.open_known_with(fd as Fd, || {
            // SAFETY: the handle is open, a Pipe, and its loop is ours.
            unsafe { uv::uv_pipe_open(self.uv(), fd) }
        })
    }

    /// Gives the socket a name (`uv_pipe_bind2`). On Linux the empty name has the system choose an
    /// abstract one. A file of that name is removed when the handle is closed.
    ///
    /// A name too long for the system is `UV_EINVAL`, or cut short if `truncate`. Fails with
    /// `UV_EADDRINUSE`; `UV_EACCES`, also where the folder is missing; `UV_EINVAL` for a handle
    /// that has an fd.
    pub fn bind(&self, name: &[u8], truncate: bool) -> Result<()> {
        let _entered = self.enter()?;
        let bytes = with_nul(name);
        let flags = flags(truncate);
        // SAFETY: the handle is open, a Pipe, and its loop is ours; libuv copies the name.
        let status =
            unsafe { uv::uv_pipe_bind2(self.uv(), bytes.as_ptr().cast(), name.len(), flags) };
        Code::check(status).map_err(|code| Error::new(code, printable(name)))?;
        Ok(())
    }

    /// Connects to the socket of this name (`uv_pipe_connect2`). `done` is called when it has, or
    /// cannot: `UV_ENOENT`, `UV_ECONNREFUSED` and such.
    ///
    /// Fails with `UV_EINVAL` for a name that is empty, or too long unless `truncate`; with
    /// `UV_EALREADY` while a connect is in flight.
    pub fn connect(
        &self,
        name: &[u8],
        truncate: bool,
        done: impl FnOnce(&Stream, Result<()>) + Send + 'static,
    ) -> Result<()> {
        let bytes = with_nul(name);
        let (start, flags) = (bytes.as_ptr().cast(), flags(truncate));
        self.begin_connect(
            Box::new(done),
            || printable(name),
            |request| {
                // SAFETY: the handle is open, a Pipe, and its loop is ours; libuv copies the name.
                unsafe {
                    let callback: uv::uv_connect_cb = Some(on_connect);
                    uv::uv_pipe_connect2(request, self.uv(), start, name.len(), flags, callback)
                }
            },
        )
    }

    /// The socket's own name, empty if it has none (`uv_pipe_getsockname`). Fails with `UV_EBADF`
    /// before there is a socket.
    pub fn getsockname(&self) -> Result<Vec<u8>> {
        // SAFETY: `name` passes an open handle, a buffer and its size.
        self.name("uv_pipe_getsockname", |handle, buffer, size| unsafe {
            uv::uv_pipe_getsockname(handle, buffer, size)
        })
    }

    /// The peer's name, empty if it has none (`uv_pipe_getpeername`). Fails with `UV_ENOTCONN`
    /// without a peer.
    pub fn getpeername(&self) -> Result<Vec<u8>> {
        // SAFETY: `name` passes an open handle, a buffer and its size.
        self.name("uv_pipe_getpeername", |handle, buffer, size| unsafe {
            uv::uv_pipe_getpeername(handle, buffer, size)
        })
    }

    fn name(
        &self,
        what: &'static str,
        get: impl Fn(*const uv::uv_pipe_t, *mut std::ffi::c_char, *mut usize) -> i32,
    ) -> Result<Vec<u8>> {
        let _entered = self.enter()?;
        let mut name = vec![0u8; 256];
        loop {
            let mut size = name.len();
            let status = get(self.uv(), name.as_mut_ptr().cast(), &raw mut size);
            if status == Code::ENOBUFS.0 && size > name.len() {
                name.resize(size, 0);
                continue;
            }
            Error::check(status, what)?;
            name.truncate(size);
            return Ok(name);
        }
    }

    /// How many connections can wait at a time, on Windows (`uv_pipe_pending_instances`).
    pub fn pending_instances(&self, count: i32) -> Result<()> {
        let _entered = self.enter()?;
        // SAFETY: the handle is open, a Pipe, and its loop is ours.
        unsafe { uv::uv_pipe_pending_instances(self.uv(), count) };
        Ok(())
    }

    /// How many handles have been received and wait for [`accept`](Stream::accept)
    /// (`uv_pipe_pending_count`).
    pub fn pending_count(&self) -> Result<usize> {
        let _entered = self.enter()?;
        // SAFETY: the handle is open, a Pipe, and its loop is ours.
        Ok(usize::try_from(unsafe { uv::uv_pipe_pending_count(self.uv()) }).unwrap_or(0))
    }

    /// What the next of them is (`uv_pipe_pending_type`).
    pub fn pending_type(&self) -> Result<HandleType> {
        let _entered = self.enter()?;
        // SAFETY: the handle is open, a Pipe, and its loop is ours.
        let pending = unsafe { uv::uv_pipe_pending_type(self.uv()) };
        Ok(HandleType::from_raw(pending as u32))
    }

    /// Lets everybody connect who may read or write the socket's file (`uv_pipe_chmod`): `events`
    /// are `READABLE`, `WRITABLE` or both.
    ///
    /// Fails with `UV_EBADF` before `bind`, `UV_EINVAL` for other events, and with `UV_ENOTSOCK` on
    /// a pipe that was opened with another descriptor than a socket's, whose mode libuv would set.
    pub fn chmod(&self, events: Events) -> Result<()> {
        let entered = self.enter()?;
        #[cfg(unix)]
        if let Ok(fd) = self.header(&entered).fileno() {
            socket::type_of(fd as _)?;
        }
        // SAFETY: the handle is open, a Pipe, and its loop is ours.
        Error::check(unsafe { uv::uv_pipe_chmod(self.uv(), events.bits()) }, "uv_pipe_chmod")?;
        Ok(())
    }
}

fn with_nul(name: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(name.len() + 1);
    bytes.extend_from_slice(name);
    bytes.push(0);
    bytes
}

fn flags(truncate: bool) -> c_uint {
    if truncate { 0 } else { uv::UV_PIPE_NO_TRUNCATE as c_uint }
}

fn printable(name: &[u8]) -> String {
    String::from_utf8_lossy(name).replace('\0', "\\0")
}
