//! `uv_stream_t`: what TCP connections, pipes and terminals share.
//!
//! Reads hand out slices of the loop's slab (`slab.rs`). Writes are tried at once; what the
//! system does not take is queued (`write.rs`).
//!
//! A stream that only has requests in flight (a connect, a shutdown, queued writes) is inactive
//! for libuv. They are counted, so that a stream nobody holds any more finishes them first.

use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;
use std::net::SocketAddr;
use std::ops::Deref;
use std::os::raw::c_int;
use std::ptr;

use libuv_sys2 as uv;

use crate::error::{Code, Error, Result};
use crate::handle::{Handle, Header};
#[cfg(unix)]
use crate::lent::Lent;
use crate::r#loop::Held;

#[cfg(unix)]
pub(crate) mod ahead;
pub(crate) mod connect;
#[cfg(unix)]
pub(crate) mod emfile;
pub(crate) mod listen;
mod open;
mod read;
#[cfg(unix)]
mod sendfile;
mod shutdown;
mod write;
pub(crate) mod written;

#[cfg(test)]
mod tests;

pub use read::{Arrived, Reader};

/// A stream of bytes in both directions (`uv_stream_t`): a [`TCP`](crate::TCP), a
/// [`Pipe`](crate::Pipe) or a [`TTY`](crate::TTY), which dereference to this.
#[repr(transparent)]
pub struct Stream(Handle);

/// The closure that is called again and again: a stream reads or listens, never both.
pub enum Callback {
    /// Gets what was read.
    Read(Box<dyn Reader>),
    /// Gets told of a connection.
    Connection(OnConnection),
}

type OnConnection = Box<dyn FnMut(&Stream, Result<()>) + Send>;

/// A closure that is called once, when a request has ended.
pub(crate) type Done = Box<dyn FnOnce(&Stream, Result<()>) + Send>;

/// What a stream has beside libuv's struct.
pub struct State {
    /// The connect in flight, or null.
    connect: Cell<*mut connect::Connect>,
    listening: Cell<bool>,
    /// Whether the reader is asked for memory before the next read.
    lends: Cell<bool>,
    /// A connection was announced and not accepted yet.
    waiting: Cell<bool>,
    /// One was announced since this was last set to false.
    announced: Cell<bool>,
    /// The system refuses to wait for the fd; the stream is closed when that was told.
    lost: Cell<bool>,
    /// Whether somebody else knows the fd and could close it.
    foreign: Cell<bool>,
    /// The address that a TCP was bound to.
    bound: Cell<Option<SocketAddr>>,
    /// Something comes first, and what is written waits for it.
    waits: Cell<bool>,
    ahead: RefCell<Option<Box<ahead::Ahead>>>,
    /// How many connects to several addresses there were.
    races: Cell<u64>,
    /// Which addresses the last connect failed with, and how.
    failures: RefCell<Vec<(SocketAddr, Code)>>,
    /// How many bytes wait for it.
    later_bytes: Cell<usize>,
    /// A shutdown waits for it.
    ends: Cell<bool>,
    /// How the fd is to be given back, where somebody else opened it.
    #[cfg(unix)]
    lent: Cell<Option<Lent>>,
    /// For a pipe: whether it carries handles.
    ipc: bool,
}

// SAFETY: the pointer is to a request of the handle's, which whoever has the handle may touch when
// the loop is its own; all else is Send.
unsafe impl Send for State {}

impl State {
    pub(crate) fn new(ipc: bool) -> State {
        State {
            connect: Cell::new(ptr::null_mut()),
            listening: Cell::new(false),
            lends: Cell::new(false),
            waiting: Cell::new(false),
            lost: Cell::new(false),
            announced: Cell::new(false),
            foreign: Cell::new(false),
            bound: Cell::new(None),
            waits: Cell::new(false),
            ahead: RefCell::new(None),
            races: Cell::new(0),
            failures: RefCell::default(),
            later_bytes: Cell::new(0),
            ends: Cell::new(false),
            #[cfg(unix)]
            lent: Cell::new(None),
            ipc,
        }
    }
}

impl Deref for Stream {
    type Target = Handle;
    fn deref(&self) -> &Handle {
        &self.0
    }
}

impl From<Stream> for Handle {
    fn from(stream: Stream) -> Handle {
        stream.0
    }
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Handle {
    /// This handle as a stream, or `None`.
    pub fn as_stream(&self) -> Option<&Stream> {
        // SAFETY: a Stream is transparent over a Handle that is one.
        self.shared().is_stream().then(|| unsafe { &*ptr::from_ref(self).cast::<Stream>() })
    }
}

/// A stream seen through its header; counts as no reference.
pub(crate) struct View(ManuallyDrop<Handle>);

impl View {
    pub(crate) fn new(header: &Header) -> View {
        View(header.view())
    }
}

impl Deref for View {
    type Target = Stream;
    fn deref(&self) -> &Stream {
        debug_assert!(self.0.shared().is_stream());
        // SAFETY: views are made of streams' headers alone.
        unsafe { &*ptr::from_ref::<Handle>(&self.0).cast::<Stream>() }
    }
}

/// What the stream behind a header has beside libuv's struct.
#[inline]
fn state(header: &Header) -> &State {
    debug_assert!(header.shared().is_stream());
    // SAFETY: this is asked of streams' headers alone, and streams have a State.
    unsafe { &*header.extra_place::<State>() }
}

/// Whether an open stream may be written to.
#[inline]
fn is_writable(header: &Header) -> bool {
    let state = state(header);
    // SAFETY: the handle is open, a stream, and its loop is ours.
    !state.listening.get()
        && (unsafe { uv::uv_is_writable(header.uv().cast()) } != 0 || state.waits.get())
}

impl Stream {
    #[inline]
    fn state<'a>(&'a self, held: &'a Held) -> &'a State {
        state(self.header(held))
    }

    /// Whether there may be something to read (`uv_is_readable`): connected, not at its end.
    pub fn is_readable(&self) -> Result<bool> {
        let entered = self.enter()?;
        // SAFETY: the handle is open and its loop is ours.
        Ok(!self.state(&entered).listening.get() && unsafe { uv::uv_is_readable(self.uv()) } != 0)
    }

    /// Whether it may be written to (`uv_is_writable`): connected or connecting, not shut down.
    pub fn is_writable(&self) -> Result<bool> {
        let entered = self.enter()?;
        Ok(is_writable(self.header(&entered)) && !self.state(&entered).ends.get())
    }

    /// Whether the stream has lost its fd to somebody else, and is closed when its callback has returned.
    pub fn is_lost(&self) -> bool {
        self.enter().is_ok_and(|held| self.state(&held).lost.get())
    }

    /// Whether a connect is in flight.
    pub fn is_connecting(&self) -> Result<bool> {
        let entered = self.enter()?;
        Ok(self.connecting(&entered))
    }

    fn connecting(&self, held: &Held) -> bool {
        let state = self.state(held);
        !state.connect.get().is_null()
            || (state.waits.get() && self.with_race(held, |_| ()).is_some())
    }

    /// How many bytes are queued to be written (`uv_stream_get_write_queue_size`), those of files not counted.
    pub fn write_queue_size(&self) -> Result<usize> {
        let entered = self.enter()?;
        Ok(self.queued_bytes().saturating_add(self.state(&entered).later_bytes.get()))
    }

    /// How many bytes libuv has queued, of an open stream on the caller's loop.
    fn queued_bytes(&self) -> usize {
        // SAFETY: the handle is open and its loop is ours.
        unsafe { uv::uv_stream_get_write_queue_size(self.uv()) }
    }

    /// The fd (`uv_fileno`), which stays the stream's. Fails with `UV_EBADF` while there is none.
    pub fn fileno(&self) -> Result<uv::uv_os_fd_t> {
        let entered = self.enter()?;
        let fd = self.header(&entered).fileno().map_err(|code| Error::new(code, "uv_fileno"))?;
        self.state(&entered).foreign.set(true);
        Ok(fd)
    }

    /// Makes reads and writes wait in the system, or not (`uv_stream_set_blocking`). A blocking
    /// stream blocks its whole loop.
    ///
    /// Fails with `UV_EBADF` before there is an fd.
    pub fn set_blocking(&self, blocking: bool) -> Result<()> {
        let _entered = self.enter()?;
        // SAFETY: the handle is open and its loop is ours.
        let status = unsafe { uv::uv_stream_set_blocking(self.uv(), c_int::from(blocking)) };
        Error::check(status, "uv_stream_set_blocking")?;
        Ok(())
    }

    /// Whether this is a pipe that carries handles.
    pub(crate) fn carries_handles(&self) -> bool {
        // SAFETY: this is a stream, and streams have a State, of which this field never changes.
        unsafe { (*self.shared().extra_place::<State>()).ipc }
    }

    fn refuse_while_listening(&self, held: &Held, what: &'static str) -> Result<()> {
        if self.state(held).listening.get() {
            return Err(Error::new(Code::ENOTCONN, what));
        }
        Ok(())
    }
}
