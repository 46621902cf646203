//! Trees in one call.
//!
//! [`walk`] tells what is in a tree, [`du`] how much it takes, [`copytree`] copies it and
//! [`rmtree`] removes it; [`read_many`] reads many files. Each is a value that runs at once, or on
//! the thread pool of a loop, on several threads that share the work, and can be cancelled there.
//!
//! ```
//! use pyuv::{Loop, RunMode};
//! use pyuv_fs::tree::du;
//!
//! let event_loop = Loop::new()?;
//! du("src").submit(&event_loop, |_| (), |ended| match ended.result {
//!     Ok(usage) => println!("{} bytes", usage.bytes),
//!     Err(error) => println!("{error}"),
//! })?;
//! event_loop.run(RunMode::Default)?;
//! # Ok::<(), pyuv::Error>(())
//! ```
//!
//! # Links, and trees that change
//!
//! No symbolic link in a tree is followed, whatever is put into the place of what while it is gone
//! through: folders are opened by one name in their open parent with `O_NOFOLLOW`, and everything
//! else is done by one name in an open folder (`openat`, `fstatat`, `unlinkat` and their kin). Nor is
//! the path of the tree itself followed if it is one. That needs a system that has these calls: the
//! module is there on Unix, and not on Windows.
//!
//! # Bounds
//!
//! A tree may be as deep as it likes: some 70 folders are open at a time, and paths, which are made
//! for those who are told of them only, may be longer than the system takes. Names are bytes.

mod attributes;
mod copy_file;
mod copytree;
mod crew;
mod du;
mod extended;
mod folder;
mod forest;
mod hard_links;
mod job;
mod listing;
mod read_many;
mod report;
mod rmtree;
mod submit;
mod walk;

pub use copytree::{Copied, CopyTree, Special, copytree};
pub use crew::Work;
pub use du::{Du, Usage, du};
pub use forest::Forest;
pub use job::{Told, Tree};
pub use listing::Listing;
pub use read_many::{ReadMany, read_many};
pub use report::{Ended, OnError, PathError, Progress};
pub use rmtree::{Removed, RmTree, rmtree};
pub use submit::TreeRequest;
pub use walk::{Walk, WalkFolder, walk};
