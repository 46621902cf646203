//! A whole file, read in one trip to the thread pool.

use std::mem::MaybeUninit;
use std::ptr;

use bytes::{BufMut, Bytes, BytesMut};
use pyuv::buffer::Buffer;
use pyuv::{Code, Error, Loop, Request, Result};

use crate::buffer::{Destination, Fresh};
use crate::function::Function;
use crate::open_file::OpenFile;
use crate::operation::{Operation, prepare};
use crate::path::PathArg;

/// How much is read before the file is asked how long it is. Most files are shorter, and are known
/// by a read that gives nothing to be over.
const FIRST: usize = 16 << 10;

/// How much longer than it says a file may turn out to be, unless its reader sets a limit: what
/// has no end ends in an error and not in the last of the memory.
pub const UNANNOUNCED: u64 = 64 << 20;

/// Memory for files that are long, and what becomes of interruptions.
pub trait FileMemory: Send + 'static {
    /// From how many bytes on a file is read straight into memory from [`allocate`], and not
    /// into a vector.
    ///
    /// [`allocate`]: FileMemory::allocate
    const LARGE: usize;

    /// That memory.
    type Large: Destination;

    /// Memory of exactly that length, if there is so much; called on the thread that reads, at
    /// most once.
    fn allocate(&mut self, length: usize) -> Option<Self::Large>;

    /// A signal has interrupted a read that blocks. It goes on, unless this is an error.
    fn interrupted(&mut self) -> Result<()> {
        Ok(())
    }
}

/// What a file held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content<F> {
    /// A file of any length, or one that did not say how long it is.
    Small(Vec<u8>),
    /// A large file, and what it had beyond the length that it had said.
    Large(F, Vec<u8>),
}

/// Reads the whole file that `path` leads to: opens it, reads to its end and closes it, as one
/// piece of work.
///
/// A file that is longer than `max_size` is an error, `UV_EFBIG`; without one, a file may be as
/// long as it says, and [`UNANNOUNCED`] bytes longer. Fails with `UV_ENOENT`, `UV_EACCES`,
/// `UV_EISDIR`, `UV_ENOMEM` for what memory does not hold.
///
/// ```
/// use pyuv_fs::{Operation, read_file};
///
/// assert!(read_file("Cargo.toml", None).run()?.starts_with(b"[package]"));
/// assert_eq!(read_file("Cargo.toml", Some(5)).run().unwrap_err().code(), Some(pyuv::Code::EFBIG));
/// # Ok::<(), pyuv::Error>(())
/// ```
pub fn read_file<'a>(
    path: impl Into<PathArg<'a>>,
    max_size: Option<u64>,
) -> impl Operation<Output = Bytes> + Send {
    Joined(read_file_into(path, max_size, InRust))
}

/// [`read_file`], with a say in where long files go.
pub fn read_file_into<'a, M: FileMemory>(
    path: impl Into<PathArg<'a>>,
    max_size: Option<u64>,
    memory: M,
) -> impl Operation<Output = Content<<M::Large as Destination>::Filled>> + Send {
    let path = path.into().into_owned();
    Function {
        what: path.describe(),
        work: prepare(|| {
            path.check()?;
            Ok(move || {
                let file = OpenFile::open(path.as_c_str(), libc::O_RDONLY, 0)
                    .map_err(|code| Error::new(code, path.describe()))?;
                let limit = max_size.unwrap_or(u64::MAX);
                let mut reading = Reading { path, file, memory, limit, count: 0 };
                reading.all(max_size.is_some())
            })
        }),
    }
}

struct Reading<M> {
    path: PathArg<'static>,
    file: OpenFile,
    memory: M,
    /// How many bytes there may be.
    limit: u64,
    /// How many there have been.
    count: u64,
}

impl<M: FileMemory> Reading<M> {
    fn all(&mut self, limited: bool) -> Result<Content<<M::Large as Destination>::Filled>> {
        let mut first = [const { MaybeUninit::<u8>::uninit() }; FIRST];
        let head = self.fill(&mut first)?;
        if head.len() < FIRST {
            return Ok(Content::Small(head.to_vec()));
        }
        let size = self.file.size().map_err(|code| self.failed(code))?;
        if !limited {
            self.limit = size.max(FIRST as u64).saturating_add(UNANNOUNCED);
        } else if size > self.limit {
            return Err(self.too_long());
        }
        let length = usize::try_from(size).map_err(|_| self.failed(Code::ENOMEM))?;
        if length < M::LARGE.max(FIRST) {
            let mut content = Vec::new();
            self.reserve(&mut content, length.max(FIRST))?;
            content.extend_from_slice(head);
            self.read_to_end(&mut content)?;
            return Ok(Content::Small(content));
        }
        let mut large = self.memory.allocate(length).ok_or_else(|| self.failed(Code::ENOMEM))?;
        let place = large.buffer();
        if place.length() < length {
            return Err(self.failed(Code::ENOBUFS));
        }
        // SAFETY: the memory is at least as long as what was read first, and nobody else's.
        unsafe { ptr::copy_nonoverlapping(head.as_ptr(), place.address(), FIRST) };
        let filled = FIRST + self.fill_buffer(place.first(length).skip(FIRST))?;
        let mut beyond = Vec::new();
        if filled == length {
            self.read_to_end(&mut beyond)?;
        }
        // SAFETY: so much of it has been filled.
        Ok(Content::Large(unsafe { large.filled(filled) }, beyond))
    }

    /// Reads until the memory is full, or the file at its end. Gives what was read.
    fn fill<'a>(&mut self, memory: &'a mut [MaybeUninit<u8>]) -> Result<&'a [u8]> {
        let filled = self.fill_buffer(Buffer::new(memory.as_mut_ptr().cast(), memory.len()))?;
        // SAFETY: so many bytes of it have been read.
        Ok(unsafe { std::slice::from_raw_parts(memory.as_ptr().cast(), filled) })
    }

    /// As `fill`. The memory is to be written, and used by nobody else.
    fn fill_buffer(&mut self, memory: Buffer) -> Result<usize> {
        let mut filled = 0;
        while filled < memory.length() {
            match self.read(memory.skip(filled))? {
                0 => break,
                count => filled += count,
            }
        }
        Ok(filled)
    }

    /// Reads what is left, without a larger vector before it is known that there is something.
    fn read_to_end(&mut self, content: &mut Vec<u8>) -> Result<()> {
        const PROBE: usize = 32;
        loop {
            let spare = content.spare_capacity_mut();
            if !spare.is_empty() {
                let room = spare.len();
                let count = self.fill(spare)?.len();
                // SAFETY: so many bytes of the spare capacity have been filled.
                unsafe { content.set_len(content.len() + count) };
                if count < room {
                    return Ok(());
                }
            }
            let mut probe = [const { MaybeUninit::<u8>::uninit() }; PROBE];
            let further = self.fill(&mut probe)?;
            if !further.is_empty() {
                // Doubled, so that what comes bit by bit is not copied again and again.
                self.reserve(content, content.len().max(FIRST))?;
                content.extend_from_slice(further);
            }
            if further.len() < PROBE {
                return Ok(());
            }
        }
    }

    /// One read, which may be cut short at the limit.
    fn read(&mut self, memory: Buffer) -> Result<usize> {
        // One byte more than there may be tells that there is too much.
        let room = usize::try_from(self.limit - self.count).unwrap_or(usize::MAX);
        let memory = memory.first(room.saturating_add(1));
        let count = loop {
            // SAFETY: the callers vouch for the memory.
            match unsafe { self.file.read(memory) } {
                Err(Code::EINTR) => self.memory.interrupted()?,
                outcome => break outcome.map_err(|code| self.failed(code))?,
            }
        };
        self.count += count as u64;
        if self.count > self.limit { Err(self.too_long()) } else { Ok(count) }
    }

    fn reserve(&self, content: &mut Vec<u8>, further: usize) -> Result<()> {
        content.try_reserve_exact(further).map_err(|_| self.failed(Code::ENOMEM))
    }

    fn failed(&self, code: Code) -> Error {
        Error::new(code, self.path.describe())
    }

    fn too_long(&self) -> Error {
        let what = format!("{}: more than {} bytes", self.path.describe(), self.limit);
        Error::new(Code::EFBIG, what)
    }
}

/// Long files in [`Bytes`].
struct InRust;

impl FileMemory for InRust {
    const LARGE: usize = 1 << 20;
    type Large = Fresh;

    fn allocate(&mut self, length: usize) -> Option<Fresh> {
        Fresh::of_any_length(length).ok()
    }
}

/// An operation that gives a content, which gives it in one piece.
struct Joined<O>(O);

impl<O: Operation<Output = Content<Bytes>>> Operation for Joined<O> {
    type Output = Bytes;

    fn run(self) -> Result<Bytes> {
        self.0.run().map(joined)
    }

    fn submit(
        self,
        event_loop: &Loop,
        done: impl FnOnce(Result<Bytes>) + Send + 'static,
    ) -> Result<Request> {
        self.0.submit(event_loop, |outcome| done(outcome.map(joined)))
    }
}

fn joined(content: Content<Bytes>) -> Bytes {
    match content {
        Content::Small(content) => content.into(),
        Content::Large(content, beyond) if beyond.is_empty() => content,
        Content::Large(content, beyond) => {
            let mut whole = BytesMut::with_capacity(content.len() + beyond.len());
            whole.put(content);
            whole.put(&beyond[..]);
            whole.into()
        }
    }
}
