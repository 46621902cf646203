//! `read_many`: the contents of many files.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use pyuv::Result;
use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, openat};
use rustix::io::{self, Errno};

use crate::path::PathArg;
use crate::tree::crew::{Hands, Work};
use crate::tree::job::Tree;
use crate::tree::report::Progress;
use crate::whole::read_whole;

/// So many files are one task.
const SHARE: usize = 16;

/// See [`read_many`].
pub struct ReadMany {
    paths: Vec<PathArg<'static>>,
    contents: Mutex<Vec<Option<Bytes>>>,
}

/// Reads whole files. Gives their contents in the order of the paths; what failed is `None`.
///
/// Symbolic links are followed, for these are paths that were given, and no tree. What is no plain
/// file is not read, for it might have no end: `UV_EISDIR` for folders, `UV_EINVAL` for others.
/// Further errors are `UV_ENOENT`, `UV_EACCES`, `UV_EMFILE`, `UV_ENOMEM` for a file that memory does
/// not hold.
///
/// ```
/// use pyuv_fs::tree::{OnError, read_many};
///
/// let ended = read_many(["Cargo.toml", "no/such/file"]).on_error(OnError::Continue).run();
/// let contents = ended.result?;
/// assert!(contents[0].as_ref().is_some_and(|content| content.starts_with(b"[package]")));
/// assert_eq!(contents[1], None);
/// assert_eq!(ended.errors[0].path, b"no/such/file");
/// # Ok::<(), pyuv::Error>(())
/// ```
pub fn read_many<'a, P: Into<PathArg<'a>>>(paths: impl IntoIterator<Item = P>) -> Tree<ReadMany> {
    let paths: Vec<_> = paths.into_iter().map(|path| path.into().into_owned()).collect();
    let what = format!("{} files", paths.len());
    let contents = Mutex::new(vec![None; paths.len()]);
    let work: Result<()> = paths.iter().try_for_each(PathArg::check);
    Tree::new(what, work.map(|()| ReadMany { paths, contents }))
}

impl ReadMany {
    fn contents(&self) -> MutexGuard<'_, Vec<Option<Bytes>>> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(path: &PathArg<'_>) -> io::Result<Bytes> {
    // A pipe without a writer would have its reader wait.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let fd = openat(CWD, path.as_c_str(), flags, Mode::empty())?;
    let stat = fstat(&fd)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => {}
        FileType::Directory => return Err(Errno::ISDIR),
        _ => return Err(Errno::INVAL),
    }
    read_whole(&fd, stat.st_size as u64).map(Bytes::from)
}

impl Work for ReadMany {
    type Task = Range<usize>;
    type Batch = ();
    type Output = Vec<Option<Bytes>>;

    fn begin(&self, hands: &mut Hands<'_, Range<usize>>) {
        hands.push(0..self.paths.len());
    }

    /// Reads the first few, and leaves the others.
    fn perform(&self, task: Range<usize>, hands: &mut Hands<'_, Range<usize>>) {
        let share = task.start..task.end.min(task.start + SHARE);
        if share.end < task.end {
            hands.offer(share.end..task.end);
        }
        let mut bytes = 0;
        let read: Vec<_> = self.paths[share.clone()]
            .iter()
            .map_while(|path| {
                if hands.stopped() {
                    return None;
                }
                Some(match read(path) {
                    Ok(content) => {
                        bytes += content.len() as u64;
                        Some(content)
                    }
                    Err(errno) => {
                        hands.report.fail(path.as_c_str().to_bytes().to_vec(), errno);
                        None
                    }
                })
            })
            .collect();
        hands.report.add_files(read.iter().flatten().count() as u64);
        hands.report.add_bytes(bytes);
        let mut contents = self.contents();
        for (place, content) in contents[share].iter_mut().zip(read) {
            *place = content;
        }
    }

    fn output(&self, _progress: Progress) -> Vec<Option<Bytes>> {
        std::mem::take(&mut self.contents())
    }
}
