//! A file, or a part of one, over a stream: with back-pressure, and to nobody else.
//!
//! The file goes out after what was written before, and what is written, shut down or sent meanwhile waits until
//! it is out. Descriptors are duplicated: neither a file nor a connection that is closed meanwhile gives its number
//! to another one that would then be read or written.
//!
//! On Linux a thread of the pool has the kernel move the bytes (`sendfile(2)`) until the system takes no more; then
//! the loop waits until it does. What the kernel cannot move, and everything elsewhere, is read in the pool and
//! written by the stream, piece by piece.

use std::mem;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::raw::c_int;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::ahead::{Stage, code_of};
use super::write::not_writable;
use super::{Done, Stream, View, is_writable, state};
use crate::error::{Code, Error, Result};
use crate::handle::InFlight;
use crate::job::Job;
use crate::kept::Kept;
use crate::r#loop::Held;
use crate::places;
use crate::poll::{Events, Poll};

/// How much one call is to move: a thread looks that often whether the stream is still open.
const CALL: u64 = 1 << 20;

/// How many calls a thread makes before others have their turn.
#[cfg(target_os = "linux")]
const CALLS: usize = 16;

/// How much is read at a time of what the kernel cannot move.
const PIECE: usize = 1 << 17;

/// What is known of it on every thread.
#[derive(Default)]
pub(crate) struct Progress {
    sent: AtomicU64,
    stopped: AtomicBool,
}

/// What is still to be sent.
struct Part {
    file: Kept<OwnedFd>,
    offset: u64,
    /// None: to the end of the file.
    left: Option<u64>,
}

impl Progress {
    /// Has the pool do no more of it.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }
}

impl Stream {
    /// Sends `length` bytes of the file `file` from `offset` on, or all to its end: after what was written before,
    /// and before what is written from now on. `done` gets how many went out, in a later iteration of the loop.
    /// It is called when all did; with `UV_EOF` when the file was shorter; with `UV_ECANCELED` when the stream was
    /// closed; or with what stopped it. What was written meanwhile gets `UV_ECANCELED` unless all went out.
    ///
    /// The file is read from a duplicate of its descriptor, which may be closed at once.
    ///
    /// Fails with `UV_EBADF` or `UV_EPIPE` on a stream that is not connected, or shut down; with `UV_EBADF` for a
    /// file that is not open, `UV_EINVAL` for an offset that no file has.
    pub fn sendfile(
        &self,
        file: c_int,
        offset: u64,
        length: Option<u64>,
        done: impl FnOnce(&Stream, u64, Result<()>) + Send + 'static,
    ) -> Result<()> {
        let entered = self.enter()?;
        let header = self.header(&entered);
        if !is_writable(header) || state(header).ends.get() {
            return Err(not_writable(header));
        }
        if offset.checked_add(length.unwrap_or(0)).and_then(|end| i64::try_from(end).ok()).is_none()
        {
            return Err(Error::new(Code::EINVAL, format!("offset {offset}")));
        }
        let file =
            places::duplicate(file, 3).map_err(|code| Error::new(code, format!("fd {file}")))?;
        let part = Part { file: Kept::new(file), offset, left: length };
        let progress = Arc::new(Progress::default());
        let counted = Arc::clone(&progress);
        let done: Done = Box::new(move |stream, outcome| {
            done(stream, counted.sent.load(Ordering::Relaxed), outcome);
        });
        if state(header).waits.get() {
            self.later(&entered, 0, done, |stream, held, done| {
                stream.begin_sendfile(held, part, progress, done)
            });
            return Ok(());
        }
        self.begin_sendfile(&entered, part, progress, done)
            .map_err(|(code, _)| Error::new(code, "sendfile"))
    }

    /// Sends the part as soon as what was written before is out.
    fn begin_sendfile(
        &self,
        held: &Held,
        part: Part,
        progress: Arc<Progress>,
        done: Done,
    ) -> std::result::Result<(), (Code, Done)> {
        let waits = self.connecting(held) || self.queued_bytes() > 0;
        self.go_ahead(held, Stage::Writing(Arc::clone(&progress)), done);
        if !waits {
            self.begin_part(held, part, progress);
            return Ok(());
        }
        // A write of nothing ends when those before it have.
        let nothing = &mut Some(&[][..]);
        let queued = self.queue::<&'static [u8]>(
            held,
            nothing,
            0,
            None,
            Box::new(move |stream, outcome| {
                let Ok(held) = stream.hold_even_closed() else { return };
                match stream.after_write(&outcome) {
                    Ok(()) => stream.begin_part(&held, part, progress),
                    Err(code) => stream.ahead_ended(&held, Err(code)),
                }
            }),
        );
        let Err((error, _)) = queued else { return Ok(()) };
        self.take_back(held).map_or(Ok(()), |done| Err((code_of(&error), done)))
    }

    fn begin_part(&self, held: &Held, part: Part, progress: Arc<Progress>) {
        let out = self.header(held).fileno().and_then(|fd| places::duplicate(fd as _, 3));
        match out {
            Ok(out) => {
                let stream = self.in_flight(held);
                let (out, copies) = (Kept::new(out), cfg!(not(target_os = "linux")));
                Work { part, out, progress, stream, copies }.go_on(held);
            }
            // Never from inside the call.
            Err(code) => self.give_up(held, code),
        }
    }

    /// Whether it can go on after a write that ended so.
    fn after_write(&self, outcome: &Result<()>) -> std::result::Result<(), Code> {
        match outcome {
            Ok(()) if self.is_closing() => Err(Code::ECANCELED),
            Ok(()) => Ok(()),
            Err(error) => Err(code_of(error)),
        }
    }
}

/// What is still to be sent, and whither.
struct Work {
    part: Part,
    out: Kept<OwnedFd>,
    progress: Arc<Progress>,
    stream: InFlight,
    /// Whether the kernel cannot move it.
    copies: bool,
}

/// How a turn in the pool ended.
enum End {
    /// There is more to do.
    More,
    /// The system takes no more.
    #[cfg(target_os = "linux")]
    Full,
    /// So many bytes are in the buffer, to be written.
    Read(usize),
    /// Everything that was asked for is out.
    Out,
    Failed(Code),
}

impl Work {
    /// Has the pool do what comes next.
    fn go_on(self, held: &Held) {
        let kept = self.stream.clone();
        let stream = View::new(kept.header());
        if !kept.header().is_open() {
            return;
        }
        stream.set_stage(held, Stage::Working(Arc::clone(&self.progress)));
        let buffer = if self.copies { vec![0; PIECE] } else { Vec::new() };
        let turn = Turn { work: Some(self), buffer, end: End::More };
        if let Err(error) = stream.event_loop().submit(turn) {
            stream.give_up(held, code_of(&error));
        }
    }

    /// What a turn came to.
    fn turned(self, end: End, buffer: Vec<u8>) {
        let kept = self.stream.clone();
        let header = kept.header();
        let (held, stream) = (header.held(), View::new(header));
        if !header.is_open() {
            return;
        }
        match end {
            End::More => self.go_on(held),
            #[cfg(target_os = "linux")]
            End::Full => self.wait(held),
            End::Read(length) => self.write(held, buffer, length),
            End::Out => stream.ahead_ended(held, Ok(())),
            End::Failed(code) => stream.ahead_ended(held, Err(code)),
        }
    }

    /// Goes on when the system takes more. An error is what the next call then says.
    #[cfg(target_os = "linux")]
    fn wait(self, held: &Held) {
        let kept = self.stream.clone();
        let stream = View::new(kept.header());
        let fd = self.out.as_raw_fd();
        let mut work = Some(self);
        let waiting = Poll::new(&stream.event_loop(), fd).and_then(|poll| {
            poll.hide("a file that is being sent")?;
            poll.start_unchecked(Events::WRITABLE, move |poll, _| {
                let Some(work) = work.take() else { return };
                let kept = work.stream.clone();
                let held = kept.header().held();
                poll.header(held).close_silently();
                work.go_on(held);
            })?;
            // It stays as long as it is active.
            stream.set_stage(held, Stage::Full(poll.in_flight(held)));
            Ok(())
        });
        if let Err(error) = waiting {
            stream.give_up(held, code_of(&error));
        }
    }

    /// Has the stream write what was read.
    fn write(mut self, held: &Held, mut buffer: Vec<u8>, length: usize) {
        let kept = self.stream.clone();
        let stream = View::new(kept.header());
        buffer.truncate(length);
        stream.set_stage(held, Stage::Writing(Arc::clone(&self.progress)));
        let queued = stream.queue(
            held,
            &mut Some(buffer),
            0,
            None,
            Box::new(move |stream, outcome| {
                let Ok(held) = stream.hold_even_closed() else { return };
                if outcome.is_ok() {
                    self.count(length);
                }
                match stream.after_write(&outcome) {
                    Ok(()) => self.go_on(&held),
                    Err(code) => stream.ahead_ended(&held, Err(code)),
                }
            }),
        );
        if let Err((error, _)) = queued {
            stream.give_up(held, code_of(&error));
        }
    }

    /// So many bytes are out.
    fn count(&mut self, length: usize) {
        let length = length as u64;
        self.part.left = self.part.left.map(|left| left.saturating_sub(length));
        self.part.offset += length;
        self.progress.sent.fetch_add(length, Ordering::Relaxed);
    }

    fn at_end(&self) -> End {
        match self.part.left {
            None | Some(0) => End::Out,
            Some(_) => End::Failed(Code::EOF),
        }
    }

    /// How much the next call is to move.
    fn wanted(&self) -> usize {
        self.part.left.unwrap_or(CALL).min(CALL) as usize
    }

    #[cfg(target_os = "linux")]
    fn send(&mut self) -> End {
        for _ in 0..CALLS {
            let wanted = self.wanted();
            if wanted == 0 || self.progress.stopped.load(Ordering::Relaxed) {
                return self.at_end();
            }
            let mut offset = self.part.offset as libc::off_t;
            let (out, file) = (self.out.as_raw_fd(), self.part.file.as_raw_fd());
            // SAFETY: both fds are open and this value's own; the number is written to.
            let sent = unsafe { libc::sendfile(out, file, &raw mut offset, wanted) };
            match usize::try_from(sent) {
                Ok(0) => return self.at_end(),
                Ok(sent) => self.count(sent),
                Err(_) => match places::last_error() {
                    Code::EINTR => {}
                    Code::EAGAIN => return End::Full,
                    Code::EINVAL | Code::ENOSYS | Code::ENOTSUP => {
                        self.copies = true;
                        return End::More;
                    }
                    code => return End::Failed(code),
                },
            }
        }
        End::More
    }

    fn read(&self, buffer: &mut [u8]) -> End {
        let wanted = self.wanted().min(buffer.len());
        if wanted == 0 {
            return self.at_end();
        }
        let (file, offset) = (self.part.file.as_raw_fd(), self.part.offset as libc::off_t);
        loop {
            // SAFETY: the fd is open and this value's own, and the buffer is at least that long.
            let read = unsafe { libc::pread(file, buffer.as_mut_ptr().cast(), wanted, offset) };
            match usize::try_from(read) {
                Ok(0) => return self.at_end(),
                Ok(length) => return End::Read(length),
                Err(_) => match places::last_error() {
                    Code::EINTR => {}
                    code => return End::Failed(code),
                },
            }
        }
    }
}

/// A turn in the pool.
struct Turn {
    work: Option<Work>,
    buffer: Vec<u8>,
    end: End,
}

impl Job for Turn {
    fn run(&mut self) {
        let Some(work) = &mut self.work else { return };
        #[cfg(target_os = "linux")]
        if !work.copies {
            self.end = work.send();
            return;
        }
        self.end = work.read(&mut self.buffer);
    }

    fn done(&mut self, outcome: Result<()>) {
        let Some(work) = self.work.take() else { return };
        let end = mem::replace(&mut self.end, End::Out);
        let end = outcome.map_or_else(|error| End::Failed(code_of(&error)), |()| end);
        work.turned(end, mem::take(&mut self.buffer));
    }

    fn is_long(&self) -> bool {
        true
    }
}
