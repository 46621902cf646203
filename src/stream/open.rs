//! `uv_tcp_open`, `uv_pipe_open`: streams on fds that somebody else opened.
//!
//! libuv looks at such an fd late, and aborts the process where it cannot be polled. So what kind
//! of file it is, and whether another handle of the loop has it, is looked at first; and since
//! its former owner may close it at any time, the stream hears of it where libuv cannot register it
//! (`internals/registration.rs`). The same holds once `fileno` has given a stream's own fd away.

use std::os::raw::c_int;

use libuv_sys2 as uv;

use super::{Callback, Stream, View, state};
use crate::error::{Code, Error, Result};
use crate::handle::dispatch_to;
#[cfg(unix)]
use crate::internals::watcher_fd;
#[cfg(unix)]
use crate::lent::Lent;
use crate::r#loop::Held;
use crate::places;
use crate::poll::Fd;
use crate::util::{HandleType, guess_handle_type};

impl Stream {
    /// Has `open` give the stream `fd`, which is of one of these types.
    pub(crate) fn open_with(
        &self,
        fd: Fd,
        types: &[HandleType],
        open: impl FnOnce() -> c_int,
    ) -> Result<()> {
        let entered = self.enter()?;
        let fail = |code, fault: &str| Err(Error::new(code, format!("fd {fd}{fault}")));
        if self.header(&entered).has_fd() || self.connecting(&entered) {
            return fail(Code::EBUSY, ": the handle has an fd");
        }
        places::check_open(fd)?;
        if !types.contains(&guess_handle_type(fd as _)) {
            return fail(Code::EINVAL, ": wrong type of file");
        }
        if entered.has_fd(fd) {
            return fail(Code::EEXIST, ": another handle of this loop has it");
        }
        #[cfg(unix)]
        let lent = Lent::of(fd);
        entered.make_way(fd);
        if let Err(error) = Error::check(open(), format_args!("fd {fd}")) {
            #[cfg(unix)]
            if let Some(lent) = lent {
                lent.give_back(fd);
            }
            return Err(error);
        }
        #[cfg(unix)]
        self.lend(&entered, lent);
        self.state(&entered).foreign.set(true);
        Ok(())
    }

    /// [`open_with`](Stream::open_with) for what is known to be a socket of the right kind that does not
    /// block, and that no other handle of the loop has.
    pub(crate) fn open_known_with(&self, fd: Fd, open: impl FnOnce() -> c_int) -> Result<()> {
        let entered = self.enter()?;
        if self.header(&entered).has_fd() || self.connecting(&entered) {
            return Err(Error::new(Code::EBUSY, format!("fd {fd}: the handle has an fd")));
        }
        // libuv looks for it in its table.
        Error::check(if i64::from(fd) < 0 { Code::EBADF.0 } else { 0 }, format_args!("fd {fd}"))?;
        entered.make_way(fd);
        Error::check(open(), format_args!("fd {fd}"))?;
        self.state(&entered).foreign.set(true);
        Ok(())
    }

    /// Leaves the stream without its fd, which somebody else has closed, or will. Returns whether it
    /// could: not while something is queued to be written.
    pub fn forget_fd(&self) -> Result<bool> {
        let entered = self.enter()?;
        if self.queued_bytes() > 0 || !self.header(&entered).has_fd() {
            return Ok(false);
        }
        self.stop_read()?;
        #[cfg(unix)]
        // SAFETY: the handle is open, its loop is ours, and libuv waits for nothing of it: it reads no
        // more, and has nothing to write.
        unsafe {
            watcher_fd::take_from_stream(self);
        }
        Ok(true)
    }

    /// Remembers how the fd is to be given back.
    #[cfg(unix)]
    pub(crate) fn lend(&self, held: &Held, lent: Option<Lent>) {
        self.state(held).lent.set(lent);
    }

    /// Before the handle closes: gives the fd back as it was.
    #[cfg_attr(not(unix), expect(unused_variables))]
    pub(crate) fn give_back(&self, held: &Held) {
        #[cfg(unix)]
        if let Some(lent) = self.state(held).lent.take() {
            lent.give_back(self.header(held).fileno().unwrap_or(-1));
        }
    }

    /// The handle has not been closed after all: its fd is not to block.
    pub(crate) fn keep_lent(&self) {
        #[cfg(unix)]
        if let Ok(held) = self.enter()
            && self.state(&held).foreign.get()
            && let Ok(fd) = self.header(&held).fileno()
        {
            self.lend(&held, Lent::of(fd));
            // SAFETY: the handle is open, a stream, and its loop is ours.
            unsafe { uv::uv_stream_set_blocking(self.uv(), 0) };
        }
    }

    /// Before a call that polls.
    pub(super) fn check_foreign(&self, held: &Held) -> Result<()> {
        match self.header(held).fileno() {
            Ok(fd) if self.state(held).foreign.get() => places::check_open(fd as _),
            _ => Ok(()),
        }
    }

    /// The system refuses to wait for the fd: tells whoever reads or listens, and closes the
    /// stream.
    pub(crate) fn stream_lost(&self, held: &Held, code: Code) {
        let header = self.header(held);
        let fd = header.fileno().unwrap_or(-1);
        state(header).lost.set(true);
        if !state(header).listening.get() {
            // SAFETY: the handle is open, a stream, and its loop is ours.
            unsafe { uv::uv_read_stop(self.uv()) };
        }
        // SAFETY: it is a stream, and a callback of libuv's is running.
        unsafe {
            dispatch_to::<Callback>(header, |callback, _| {
                let (view, error) = (View::new(header), Error::new(code, format!("fd {fd}")));
                match callback {
                    Callback::Read(reader) => {
                        reader.read(&view, held, Err(error));
                    }
                    Callback::Connection(callback) => callback(&view, Err(error)),
                }
            });
        }
        #[cfg(unix)]
        if code != Code::EINVAL && code != Code::EBADF {
            // The kernel has refused to wait for what has the number now: that is somebody else's.
            // SAFETY: the handle is open, its loop is ours, and libuv waits for nothing of it.
            unsafe { watcher_fd::take_from_stream(self) };
        }
        header.close_silently();
    }
}
