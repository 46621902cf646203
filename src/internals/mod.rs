//! What this crate takes from libuv beyond its interface: private fields that it reads and writes, and calls of
//! libuv's own that the linker sends here.
//!
//! Each file is one borrowed fact and says which function of libuv 1.53 it was read from; its tests fail when
//! libuv changes it. Nothing outside this folder knows any of it, and the version is pinned (`Cargo.toml`).
//!
//! On Linux, a system call of libuv's can go wrong where libuv asserts that it does not, since anybody can
//! close a descriptor: a daemonizer closes them all, those of libuv's own included. `assertions.toml` has
//! every assertion of libuv's and why it holds.

use libuv_sys2 as uv;

#[cfg(target_os = "linux")]
pub(crate) mod caught_signals;
#[cfg(target_os = "linux")]
mod check_fd;
#[cfg(target_os = "linux")]
pub(crate) mod child_watcher;
#[cfg(target_os = "linux")]
mod close;
#[cfg(unix)]
pub(crate) mod handle_queue;
#[cfg(target_os = "linux")]
pub mod inotify;
#[cfg(target_os = "linux")]
pub(crate) mod linked;
#[cfg(target_os = "linux")]
mod listener;
pub(crate) mod lost_requests;
#[cfg(target_os = "linux")]
pub(crate) mod orphans;
#[cfg(unix)]
pub(crate) mod own_fds;
#[cfg(unix)]
pub(crate) mod pending;
pub(crate) mod registration;
#[cfg(unix)]
pub(crate) mod reserve;
#[cfg(target_os = "linux")]
pub(crate) mod resting;
#[cfg(target_os = "linux")]
pub(crate) mod signal_handler;
#[cfg(target_os = "linux")]
pub(crate) mod signal_lock;
#[cfg(target_os = "linux")]
pub(crate) mod sleep;
#[cfg(unix)]
pub(crate) mod udp_callbacks;
#[cfg(target_os = "linux")]
mod waitpid;
#[cfg(target_os = "linux")]
mod wakeup;
#[cfg(unix)]
pub(crate) mod watcher_fd;

const _: () = assert!(
    uv::UV_VERSION_MAJOR == 1 && uv::UV_VERSION_MINOR == 53,
    "src/internals was read from libuv 1.53: read the new version, then change this"
);
