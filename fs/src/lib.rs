//! libuv's filesystem operations, as values that run at once or on a loop.
//!
//! Each function here describes one operation and does nothing yet. [`Operation::run`] does it
//! now, in this thread, without a loop; [`Operation::submit`] hands it to the loop's thread pool
//! and has a closure called with the outcome.
//!
//! ```
//! use pyuv::{Loop, RunMode};
//! use pyuv_fs::{Operation, stat};
//!
//! println!("{} bytes", stat("Cargo.toml").run()?.size);
//!
//! let event_loop = Loop::new()?;
//! stat("Cargo.toml").submit(&event_loop, |outcome| match outcome {
//!     Ok(stat) => println!("{} bytes", stat.size),
//!     Err(error) => println!("{error}"),
//! })?;
//! event_loop.run(RunMode::Default)?;
//! # Ok::<(), pyuv::Error>(())
//! ```
//!
//! [`FsEvent`] and [`FsPoll`] are handles of a loop that watch a path.
//!
//! An [`Error`](pyuv::Error) names the path, the two paths or the fd that it is about. Modes and
//! flags are those of the system (`0o644`, `O_RDONLY`); an fd is the number that [`open`] gave,
//! and whoever opened it closes it.

mod argument;
mod buffer;
#[cfg(unix)]
mod copy_block;
#[cfg(unix)]
mod copyfile;
mod dir;
mod dirent;
#[cfg(unix)]
mod errno;
mod folder;
mod fs_event;
mod fs_poll;
mod function;
#[cfg(unix)]
mod holes;
#[cfg(unix)]
mod identity;
mod open_file;
mod opened;
mod operation;
mod path;
mod read;
mod read_file;
mod replace;
mod scandir;
mod stat;
mod statfs;
mod table;
mod target;
mod temporary;
#[cfg(unix)]
pub mod tree;
#[cfg(unix)]
mod utime;
#[cfg(unix)]
mod whole;
mod write;
mod write_file;

pub use argument::{
    COPYFILE_EXCL, COPYFILE_FICLONE, COPYFILE_FICLONE_FORCE, NOW, OMIT, SYMLINK_DIR,
    SYMLINK_JUNCTION,
};
pub use buffer::Destination;
#[cfg(unix)]
pub use copyfile::copyfile;
pub use dir::{Dir, closedir, opendir, readdir};
pub use dirent::{Dirent, DirentType};
pub use fs_event::{FsChange, FsEvent, FsEventFlags, FsEvents};
pub use fs_poll::{FsPoll, StatChange};
pub use opened::Opened;
pub use operation::Operation;
pub use path::PathArg;
pub use pyuv::buffer::{Buffer, MAX_LENGTH, Source};
pub use read::{read, read_into, read_scattered};
pub use read_file::{Content, FileMemory, UNANNOUNCED, read_file, read_file_into};
pub use scandir::scandir;
pub use stat::{Stat, Timestamp};
pub use statfs::StatFs;
pub use table::*;
pub use temporary::{Temporary, mkdtemp, mkstemp};
#[cfg(unix)]
pub use utime::{futime_ns, lutime_ns, utime_ns};
pub use write::write;
pub use write_file::{append_file, replace_file, write_file};
