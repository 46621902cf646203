//! libuv's event loop and its handles, as safe Rust.
//!
//! A [`Loop`] owns a `uv_loop_t`; a [`Timer`], [`Poll`] or any other handle is a reference to a
//! `uv_*_t` that lives until libuv has closed it. Callbacks are closures.
//!
//! ```
//! use std::time::Duration;
//! use pyuv::{Loop, RunMode, Timer};
//!
//! let event_loop = Loop::new()?;
//! let timer = Timer::new(&event_loop)?;
//! timer.start(Duration::from_millis(1), Duration::ZERO, |timer| {
//!     println!("due; active: {:?}", timer.is_active());
//! })?;
//! event_loop.run(RunMode::Default)?;
//! # Ok::<(), pyuv::Error>(())
//! ```
//!
//! # Linking
//!
//! On Linux a program is linked with arguments by which calls of libuv's come to this crate, where libuv would
//! end the process. A package that depends on this one gets them in its build script:
//!
//! ```text
//! if let Ok(argument) = std::env::var("DEP_PYUV_LINK_ARG") {
//!     println!("cargo::rustc-link-arg={argument}");
//! }
//! ```
//!
//! Without them, [`Loop::new`] fails with `UV_ENOSYS` and says so.
//!
//! # Threads
//!
//! Loops and handles may be sent anywhere but belong to the thread that is using them: while one
//! thread is inside [`Loop::run`], a call from another is [`Error::WrongThread`]. The one
//! exception is [`Async::send`]. `owner.rs` has the rule.
//!
//! # Life
//!
//! Dropping the last reference to an inactive handle closes it; an active one stays with its loop
//! and closes when it becomes inactive. When the last `Loop` and handle are gone, what is left on
//! the loop is closed without calling anything, and freed. `src/handle` has the rules.

pub mod address;
mod r#async;
pub mod buffer;
mod buffer_size;
mod check;
mod disposition;
mod error;
mod forks;
mod handle;
mod hooks;
mod idle;
mod internals;
mod job;
#[cfg(unix)]
mod kept;
pub mod kind;
#[cfg(unix)]
mod lent;
mod r#loop;
mod metrics;
mod owned;
mod owner;
mod pipe;
#[cfg(unix)]
mod places;
mod poll;
mod pool;
mod prepare;
mod process;
pub mod request;
mod signal;
mod slab;
mod socket;
mod stdio;
mod stream;
mod tcp;
pub mod thread;
mod timer;
mod trampoline;
mod tty;
mod udp;
pub mod util;
mod watcher;
mod work;

pub use r#async::Async;
pub use buffer::{Buffer, Source};
pub use check::Check;
pub use error::{Code, Error, Failure, Result};
pub use forks::count as forks;
pub use handle::{DataOwner, Handle, HandleKind, HandleType};
pub use hooks::PollHooks;
pub use idle::Idle;
pub use job::Job;
#[cfg(unix)]
pub use kept::Kept;
#[cfg(unix)]
pub use lent::give_back_descriptors;
pub use r#loop::{Configure, Entered, Held, Loop, Remote, RunMode};
pub use metrics::Metrics;
pub use owned::Owned;
pub use pipe::Pipe;
pub use poll::{Events, Poll};
pub use pool::pool_size;
pub use prepare::Prepare;
pub use process::{Exit, Process, ProcessFlags, ProcessOptions, disable_stdio_inheritance};
pub use request::Request;
pub use signal::Signal;
pub use socket::Family;
pub use stdio::{PipeFlags, Stdio};
pub use stream::{Arrived, Reader, Stream};
#[cfg(unix)]
pub use tcp::race::{ConnectOptions, Found};
pub use tcp::{BindFlags, TCP};
pub use timer::Timer;
pub use tty::{TTY, TTYMode, VTermState};
pub use udp::{Membership, Received, ReceivedFlags, UDP, UDPBindFlags};

/// libuv's version, as `uv_version_string` gives it: `"1.53.1"`.
pub fn version() -> &'static str {
    // SAFETY: uv_version_string returns a static string.
    let text = unsafe { std::ffi::CStr::from_ptr(libuv_sys2::uv_version_string()) };
    text.to_str().unwrap_or_default()
}
