//! `uv_process_t`: child processes.

mod abandoned;
#[cfg(target_os = "linux")]
mod blocked;
mod containers;
mod options;

mod sigchld;
mod spawn;
#[cfg(all(test, unix))]
mod tests;

use std::cell::Cell;
use std::os::raw::c_int;

use libuv_sys2 as uv;

use crate::error::{Error, Result};
use crate::handle::{Handle, dispatch, handle_kind};
use crate::r#loop::{Held, Loop};

pub use options::{ProcessFlags, ProcessOptions};

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Exit {
    /// What it returned; 0 where a signal ended it.
    pub status: i64,
    /// The signal that ended it, or 0.
    pub term_signal: i32,
}

/// A child process (`uv_process_t`), active until its end.
///
/// Closing the handle of a process that runs leaves it running; its end is seen by nobody, but it
/// does not stay a zombie for longer than until the next spawn.
///
/// In a child after `fork()` the process is still the parent's: its end is not seen there, and its
/// handle does not keep the loop running.
#[repr(transparent)]
pub struct Process(Handle);

/// Called once; then there is nothing left to call.
type Callback = Option<Box<dyn FnOnce(&Process, Exit) + Send>>;

/// What is known of a process beside libuv's struct.
#[derive(Default)]
pub struct State {
    /// Whether it is a child of the process that this one was forked from.
    foreign: Cell<bool>,
    /// The descriptor that its end is watched for by, where no signal would tell.
    #[cfg(target_os = "linux")]
    watched: Cell<Option<c_int>>,
}

// SAFETY: the struct is transparent over a Handle, made by `create` alone, with `uv_spawn`.
handle_kind!(unsafe Process, uv::uv_process_t, Callback, State {
    fn before_close(&self, held: &Held) {
        #[cfg(target_os = "linux")]
        if let Some(fd) = self.state(held).watched.take() {
            blocked::forget(held, fd);
        }
        sigchld::before_close(self, held);
        if self.header(held).is_active() {
            abandoned::add(self.pid());
        }
    }

    fn after_fork(&self, held: &Held) {
        self.state(held).foreign.set(true);
        // SAFETY: the handle is open and its loop is ours.
        unsafe { uv::uv_unref(self.uv()) };
    }
});

impl Process {
    /// Starts a program (`uv_spawn`). `on_exit` is called when it has ended, in an iteration of
    /// the loop.
    ///
    /// Fails where the program cannot be started, naming what stood in the way: `UV_ENOENT` for an
    /// executable or a working directory that is not there, `UV_EACCES` for a file that cannot be
    /// executed, `UV_E2BIG` for too long arguments, `UV_EPERM` for a user that this process may
    /// not become, `UV_EBADF` for an fd or a stream that is closed,
    /// `UV_EBUSY` for a pipe that is in use, `UV_EAGAIN` and `UV_EMFILE` for want of
    /// processes and fds, `UV_EINVAL` for a string with a NUL; where this thread has `SIGCHLD` blocked, `UV_ENOSYS`
    /// on a Linux before 5.3, which could not tell of the child's end otherwise.
    pub fn spawn(
        event_loop: &Loop,
        options: &ProcessOptions<'_>,
        on_exit: impl FnOnce(&Process, Exit) + Send + 'static,
    ) -> Result<Process> {
        unsafe extern "C" fn trampoline(handle: *mut uv::uv_process_t, status: i64, signal: c_int) {
            // SAFETY: libuv gives the handle that was spawned.
            unsafe {
                dispatch::<Process>(handle, |callback, handle, held| {
                    if let Some(on_exit) = callback.take()
                        && !handle.state(held).foreign.get()
                    {
                        on_exit(handle, Exit { status, term_signal: signal });
                    }
                });
            }
        }
        abandoned::reap();
        let entered = event_loop.enter()?;
        #[cfg(target_os = "linux")]
        let place = blocked::reserve()?;
        let process = spawn::spawn(event_loop, &entered, options, trampoline)?;
        // SAFETY: the handle is a Process.
        unsafe { process.set_callback::<Process>(&entered, Some(Box::new(on_exit))) };
        #[cfg(target_os = "linux")]
        if let Some(place) = place {
            let watched = blocked::watch(event_loop, process.pid(), place)?;
            process.state(&entered).watched.set(Some(watched));
        }
        Ok(process)
    }

    /// Whether it is the working directory that an error of [`spawn`](Process::spawn) is about, not
    /// the executable.
    pub fn blames_folder(error: &Error) -> bool {
        spawn::blames_folder(error)
    }

    fn state<'a>(&'a self, held: &'a Held) -> &'a State {
        // SAFETY: this handle is a Process.
        unsafe { self.extra::<Process>(held) }
    }

    /// The process's number (`uv_process_get_pid`). May be asked from any thread, and of a handle
    /// that is closed; after the end of the process, somebody else may have it.
    pub fn pid(&self) -> i32 {
        // SAFETY: the memory is a uv_process_t, whose number never changes after the spawn.
        unsafe { uv::uv_process_get_pid(self.uv()) }
    }

    /// Sends it a signal (`uv_process_kill`); signal 0 only asks whether it is there. Fails with
    /// `UV_ESRCH` once its end was seen, `UV_EINVAL` for a number that is no signal.
    pub fn kill(&self, signum: i32) -> Result<()> {
        let _entered = self.enter()?;
        // SAFETY: the handle is open, a Process, and its loop is ours.
        let status = unsafe { uv::uv_process_kill(self.uv(), signum) };
        Error::check(status, format_args!("signal {signum} for process {}", self.pid())).map(drop)
    }
}

/// Keeps the fds that this process inherited from its children: marks every open fd from 0 on as
/// close-on-exec (`uv_disable_stdio_inheritance`). What [`Stdio`](crate::Stdio) passes on is
/// passed on all the same.
pub fn disable_stdio_inheritance() {
    // SAFETY: no arguments; it sets flags of fds and nothing else.
    unsafe { uv::uv_disable_stdio_inheritance() };
}
