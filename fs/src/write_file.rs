//! A whole file, written in one trip to the thread pool.

use pyuv::buffer::Source;
use pyuv::{Error, Loop, Request, Result};

use crate::argument;
use crate::function::Function;
use crate::open_file::OpenFile;
use crate::operation::{Operation, prepare};
use crate::path::PathArg;
use crate::replace;

/// Makes `path` a file that holds all of `source`, its pieces in order: opens it, empties it,
/// writes and closes it, as one piece of work. Gives how many bytes that are.
///
/// A file that is made gets the permissions `mode`, less the process's umask; one that was there
/// keeps its own. While it is written, others see a part of it, and a write that fails leaves one:
/// the error's [`written`](Error::written) says how much. See [`replace_file`] for all or nothing.
///
/// Fails with `UV_EACCES`, `UV_ENOENT` where the folder is missing, `UV_EISDIR`, `UV_ENOSPC`,
/// `UV_EFBIG`.
///
/// ```
/// use pyuv_fs::{Operation, append_file, read_file, unlink, write_file};
///
/// let path = std::env::temp_dir().join(format!("write-file-{}", std::process::id()));
/// assert_eq!(write_file(&path, "one ", 0o600).run()?, 4);
/// assert_eq!(append_file(&path, vec!["two ", "three"], 0o600).run()?, 9);
/// assert_eq!(read_file(&path, None).run()?, "one two three");
/// unlink(&path).run()?;
/// # Ok::<(), pyuv::Error>(())
/// ```
pub fn write_file<'a, S: Source>(
    path: impl Into<PathArg<'a>>,
    source: S,
    mode: u32,
) -> impl Operation<Output = u64> + Send {
    to_file(path.into(), source, mode, libc::O_TRUNC)
}

/// Writes all of `source` behind what `path` holds already, in any file that has been made by
/// then ([`write_file`] says with which permissions): opens it to append, writes and closes it, as
/// one piece of work. Gives how many bytes were written.
///
/// Each write of the system's goes to what is the end at that moment, whoever else appends. A
/// write that fails leaves what it has appended: the error's [`written`](Error::written) says how
/// much. The errors are those of [`write_file`].
pub fn append_file<'a, S: Source>(
    path: impl Into<PathArg<'a>>,
    source: S,
    mode: u32,
) -> impl Operation<Output = u64> + Send {
    to_file(path.into(), source, mode, libc::O_APPEND)
}

/// [`write_file`] that leaves the old file or the new one, whole, whatever happens to the process or
/// the machine meanwhile.
///
/// The content goes to a new file in the same folder, named `.pyuv-*.tmp`, which reaches the disk
/// (`fsync`) before it takes the name (`rename`), as does the folder after it. On any error the new
/// file is removed, and the old one is as it was; a crash may leave the new file under its own name.
///
/// - What `path` leads to is replaced: where it is a symbolic link, the link stays.
/// - Without a `mode`, the new file has the permissions of the old one, and its owner and group if
///   the process may give files away; without an old one they are 0666 less the umask. With a
///   `mode` they are `mode` less the umask. Access control lists and extended attributes are not
///   carried over.
/// - Other names of the old file, and whoever has it open, keep the old file. That it may not be
///   written does not protect it, only that its folder may not.
///
/// Fails as [`write_file`] does, and with `UV_EINVAL` for what is there and no regular file. The
/// error's [`written`](Error::written) is 0, except where only the folder's way to the disk has
/// failed: then the new file is in place, but may not be after a crash.
///
/// ```
/// use pyuv_fs::{Operation, read_file, replace_file, unlink};
///
/// let path = std::env::temp_dir().join(format!("replace-file-{}", std::process::id()));
/// replace_file(&path, "old", None).run()?;
/// replace_file(&path, "new", None).run()?;
/// assert_eq!(read_file(&path, None).run()?, "new");
/// unlink(&path).run()?;
/// # Ok::<(), pyuv::Error>(())
/// ```
pub fn replace_file<'a, S: Source>(
    path: impl Into<PathArg<'a>>,
    source: S,
    mode: Option<u32>,
) -> impl Operation<Output = u64> + Send {
    let path = path.into().into_owned();
    Counted(Function {
        what: path.describe(),
        work: prepare(|| {
            path.check()?;
            mode.map_or(Ok(0), argument::mode)?;
            Ok(move || {
                let pieces = source.buffers();
                // SAFETY: the source keeps the memory until this is over.
                let replaced = unsafe { replace::replace(path.as_c_str(), mode, pieces.as_ref()) };
                replaced.map_err(|(code, written)| {
                    Error::new(code, path.describe()).after_writing(written)
                })
            })
        }),
    })
}

fn to_file<S: Source>(
    path: PathArg<'_>,
    source: S,
    mode: u32,
    flag: i32,
) -> impl Operation<Output = u64> + Send + use<S> {
    let path = path.into_owned();
    Counted(Function {
        what: path.describe(),
        work: prepare(|| {
            path.check()?;
            let mode = argument::mode(mode)?;
            Ok(move || {
                let failed = |code| Error::new(code, path.describe());
                let flags = libc::O_WRONLY | libc::O_CREAT | flag;
                let file = OpenFile::open(path.as_c_str(), flags, mode).map_err(failed)?;
                let pieces = source.buffers();
                // SAFETY: the source keeps the memory until this is over.
                let (written, outcome) = unsafe { file.write(pieces.as_ref()) };
                let outcome = outcome.and_then(|()| file.close());
                outcome.map_err(|code| failed(code).after_writing(written))?;
                Ok(written)
            })
        }),
    })
}

/// An operation that writes, whose errors all say how much: nothing, unless they know better.
struct Counted<O>(O);

impl<O: Operation<Output = u64>> Operation for Counted<O> {
    type Output = u64;

    fn run(self) -> Result<u64> {
        self.0.run().map_err(|error| error.after_writing(0))
    }

    fn submit(
        self,
        event_loop: &Loop,
        done: impl FnOnce(Result<u64>) + Send + 'static,
    ) -> Result<Request> {
        let none = |error: Error| error.after_writing(0);
        self.0.submit(event_loop, move |outcome| done(outcome.map_err(none))).map_err(none)
    }
}
