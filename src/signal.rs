//! `uv_signal_t`: signals as callbacks.
//!
//! libuv resets a signal to its default when the last handle for it stops. Here the disposition
//! that was there before the first one started comes back instead, a handler of the host
//! program's included.

use std::cell::Cell;
use std::os::raw::c_int;

use libuv_sys2 as uv;

use crate::disposition;
use crate::error::{Code, Error, Result};
use crate::handle::{Handle, dispatch, handle_kind};
use crate::r#loop::{Held, Loop};

/// Has its callback called when the process gets a signal (`uv_signal_t`).
#[repr(transparent)]
pub struct Signal(Handle);

type Callback = Box<dyn FnMut(&Signal, i32) + Send>;

/// Which signal a handle has been started for, and how.
pub struct Started {
    /// 0 while it is stopped.
    signum: Cell<i32>,
    once: Cell<bool>,
}

// SAFETY: the struct is transparent over a Handle, made by `create` alone, with `uv_signal_init`.
handle_kind!(unsafe Signal, uv::uv_signal_t, Callback, Started {
    fn before_close(&self, held: &Held) {
        self.stop_started(held);
    }
});

impl Signal {
    /// A new, inactive handle (`uv_signal_init`).
    pub fn new(event_loop: &Loop) -> Result<Signal> {
        let started = Started { signum: Cell::new(0), once: Cell::new(false) };
        Handle::create(event_loop, started, "uv_signal_init", |event_loop, handle| {
            // SAFETY: the loop is open and ours; the handle's memory is its own.
            unsafe { uv::uv_signal_init(event_loop, handle) }
        })
    }

    /// Has `callback` called for each signal `signum` (`uv_signal_start`). Fails with `UV_EINVAL`
    /// for a number that is no signal, or one that cannot be caught.
    pub fn start(
        &self,
        signum: i32,
        callback: impl FnMut(&Signal, i32) + Send + 'static,
    ) -> Result<()> {
        self.start_as(signum, false, Box::new(callback))
    }

    /// Has `callback` called for the next signal `signum` only (`uv_signal_start_oneshot`).
    pub fn start_oneshot(
        &self,
        signum: i32,
        callback: impl FnMut(&Signal, i32) + Send + 'static,
    ) -> Result<()> {
        self.start_as(signum, true, Box::new(callback))
    }

    fn start_as(&self, signum: i32, once: bool, callback: Callback) -> Result<()> {
        unsafe extern "C" fn trampoline(handle: *mut uv::uv_signal_t, signum: c_int) {
            // SAFETY: libuv gives the handle that this was started with.
            unsafe {
                dispatch::<Signal>(handle, |callback, handle, held| {
                    if handle.started(held).once.get() {
                        // libuv would do it after the callback, and reset the disposition.
                        handle.stop_started(held);
                    }
                    callback(handle, signum);
                });
            }
        }
        let entered = self.enter()?;
        let started = self.started(&entered);
        if signum <= 0 {
            return Err(Error::new(Code::EINVAL, format!("signal {signum}")));
        }
        if started.signum.get() != signum {
            self.stop_started(&entered);
            // SAFETY: the handle is open, a Signal, and its loop is ours; `before_close` stops it.
            unsafe {
                disposition::start(
                    self.uv(),
                    signum,
                    || uv::uv_signal_start(self.uv(), Some(trampoline), signum),
                    || uv::uv_signal_stop(self.uv()),
                )?;
            }
            started.signum.set(signum);
        }
        started.once.set(once);
        // SAFETY: the handle is a Signal.
        unsafe { self.set_callback::<Signal>(&entered, callback) };
        Ok(())
    }

    /// Catches it no more (`uv_signal_stop`).
    pub fn stop(&self) -> Result<()> {
        let entered = self.enter()?;
        self.stop_started(&entered);
        Ok(())
    }

    /// The signal that the handle is started for.
    pub fn signum(&self) -> Result<Option<i32>> {
        let entered = self.enter()?;
        let signum = self.started(&entered).signum.get();
        Ok((signum != 0).then_some(signum))
    }

    fn stop_started(&self, held: &Held) {
        let signum = self.started(held).signum.replace(0);
        if signum != 0 {
            // SAFETY: the handle is open, a Signal, was started, and its loop is ours.
            unsafe {
                disposition::stop(self.uv(), signum, || uv::uv_signal_stop(self.uv()));
            }
        }
    }

    fn started<'a>(&'a self, held: &'a Held) -> &'a Started {
        // SAFETY: this handle is a Signal.
        unsafe { self.extra::<Signal>(held) }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI32, Ordering};

    use super::*;
    use crate::RunMode;

    fn handler(signum: i32) -> usize {
        disposition::current(signum).sa_sigaction
    }

    #[test]
    fn the_disposition_before_the_first_handle_is_back_after_the_last() {
        // SAFETY: ignoring a signal that nothing else in this test uses.
        unsafe { libc::signal(libc::SIGUSR2, libc::SIG_IGN) };
        let event_loop = Loop::new().unwrap();
        let (first, second) =
            (Signal::new(&event_loop).unwrap(), Signal::new(&event_loop).unwrap());
        first.start(libc::SIGUSR2, |_, _| ()).unwrap();
        second.start(libc::SIGUSR2, |_, _| ()).unwrap();
        first.stop().unwrap();
        assert_ne!(handler(libc::SIGUSR2), libc::SIG_IGN);
        second.close(|_| ()).unwrap();
        assert_eq!(handler(libc::SIGUSR2), libc::SIG_IGN);
        event_loop.run(RunMode::Default).unwrap();
    }

    #[test]
    fn a_oneshot_is_called_once_and_restores() {
        let before = handler(libc::SIGWINCH);
        let event_loop = Loop::new().unwrap();
        let signal = Signal::new(&event_loop).unwrap();
        let seen = Arc::new(AtomicI32::new(0));
        let noted = seen.clone();
        signal
            .start_oneshot(libc::SIGWINCH, move |_, signum| noted.store(signum, Ordering::Relaxed))
            .unwrap();
        // SAFETY: SIGWINCH is ignored by default.
        unsafe { libc::raise(libc::SIGWINCH) };
        event_loop.run(RunMode::Default).unwrap();
        assert_eq!(seen.load(Ordering::Relaxed), libc::SIGWINCH);
        assert_eq!(handler(libc::SIGWINCH), before);
    }

    #[test]
    fn what_cannot_be_caught_is_refused() {
        let event_loop = Loop::new().unwrap();
        let signal = Signal::new(&event_loop).unwrap();
        for signum in [0, -1, 12345, libc::SIGKILL] {
            let error = signal.start(signum, |_, _| ()).unwrap_err();
            assert_eq!(error, Error::new(Code::EINVAL, format!("signal {signum}")));
        }
        assert_eq!(signal.signum(), Ok(None));
    }
}
