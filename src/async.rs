//! `uv_async_t`: wakes the loop from another thread.

use std::cell::UnsafeCell;
use std::sync::{Mutex, PoisonError};

use libuv_sys2 as uv;

use crate::error::{Error, Result};
use crate::handle::{Handle, dispatch, handle_kind};
use crate::r#loop::{Held, Loop};

/// Has its callback called on the loop's thread, whichever thread asked (`uv_async_t`).
///
/// It is active from the start: it keeps the loop running until it is closed, unless
/// [`set_ref`](Handle::set_ref) says otherwise.
#[repr(transparent)]
pub struct Async(Handle);

type Callback = Box<dyn FnMut(&Async) + Send>;

/// Whether `send` may still be called. `uv_async_send` after close would touch freed memory and
/// write to an fd that may be anybody's by then, so both happen under this lock, which lives as
/// long as there is somebody who could send.
pub struct Gate(UnsafeCell<Mutex<bool>>);

// SAFETY: the cell is written only in a forked child, by its only thread.
unsafe impl Send for Gate {}
// SAFETY: as for Send.
unsafe impl Sync for Gate {}

impl Gate {
    fn lock(&self) -> std::sync::MutexGuard<'_, bool> {
        // SAFETY: as for Send.
        unsafe { &*self.0.get() }.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// SAFETY: the struct is transparent over a Handle, made by `create` alone, with `uv_async_init`.
handle_kind!(unsafe Async, uv::uv_async_t, Callback, Gate {
    fn before_close(&self, _held: &Held) {
        *self.gate().lock() = false;
    }

    fn after_fork(&self, _held: &Held) {
        let open = self.shared().is_open();
        // SAFETY: a thread that stayed in the parent may have held the lock; here is only this.
        unsafe { self.gate().0.get().write(Mutex::new(open)) };
    }
});

impl Async {
    /// A new, active handle (`uv_async_init`).
    pub fn new(event_loop: &Loop, callback: impl FnMut(&Async) + Send + 'static) -> Result<Async> {
        unsafe extern "C" fn trampoline(handle: *mut uv::uv_async_t) {
            // SAFETY: libuv gives the handle that this was made with.
            unsafe { dispatch::<Async>(handle, |callback, handle, _| callback(handle)) };
        }
        let entered = event_loop.enter()?;
        let gate = Gate(UnsafeCell::new(Mutex::new(true)));
        let handle: Async =
            Handle::create(event_loop, gate, "uv_async_init", |event_loop, handle| {
                // SAFETY: the loop is open and ours; the handle's memory is its own.
                unsafe { uv::uv_async_init(event_loop, handle, Some(trampoline)) }
            })?;
        // SAFETY: the handle is an Async, and its loop is ours.
        unsafe { handle.set_callback::<Async>(&entered, Box::new(callback)) };
        drop(entered);
        Ok(handle)
    }

    /// Has the callback called soon, on the loop's thread (`uv_async_send`). Several sends before
    /// that make one call. May be called from any thread.
    ///
    /// Fails with `UV_EBADF` where somebody has closed the loop's own descriptors.
    pub fn send(&self) -> Result<()> {
        if self.shared().event_loop().is_forked() {
            return Err(Error::Forked);
        }
        let open = self.gate().lock();
        if !*open {
            return Err(Error::HandleClosed);
        }
        // SAFETY: the handle is open and stays so while the lock is held.
        Error::check(unsafe { uv::uv_async_send(self.uv()) }, "uv_async_send")?;
        // SAFETY: the loop is open as long as the handle is.
        unsafe { self.shared().event_loop().check_own_fds() }
    }

    fn gate(&self) -> &Gate {
        // SAFETY: this handle is an Async.
        unsafe { self.shared_extra::<Async>() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::RunMode;

    #[test]
    fn wakes_a_sleeping_loop_from_another_thread() {
        let event_loop = Loop::new().unwrap();
        let count = Arc::new(AtomicUsize::new(0));
        let counted = count.clone();
        let wake = Arc::new(
            Async::new(&event_loop, move |handle| {
                counted.fetch_add(1, Ordering::Relaxed);
                handle.close(|_| ()).unwrap();
            })
            .unwrap(),
        );
        let sender = wake.clone();
        let thread = std::thread::spawn(move || sender.send());
        event_loop.run(RunMode::Default).unwrap();
        assert_eq!(thread.join().unwrap(), Ok(()));
        assert_eq!(count.load(Ordering::Relaxed), 1);
        assert_eq!(wake.send(), Err(Error::HandleClosed));
    }

    #[test]
    fn sends_race_with_close_and_never_fault() {
        for _ in 0..50 {
            let event_loop = Loop::new().unwrap();
            let wake = Arc::new(Async::new(&event_loop, |_| ()).unwrap());
            let senders: Vec<_> = (0..4)
                .map(|_| {
                    let wake = wake.clone();
                    std::thread::spawn(move || while wake.send().is_ok() {})
                })
                .collect();
            event_loop.run(RunMode::Once).unwrap();
            wake.close(|_| ()).unwrap();
            event_loop.run(RunMode::Default).unwrap();
            event_loop.close().unwrap();
            for sender in senders {
                sender.join().unwrap();
            }
        }
    }

    #[test]
    fn other_threads_may_do_nothing_else() {
        let event_loop = Loop::new().unwrap();
        let shared = event_loop.clone();
        let wake = Arc::new(
            Async::new(&event_loop, move |handle| {
                let shared = shared.clone();
                let outcome = std::thread::spawn(move || shared.now()).join().unwrap();
                assert_eq!(outcome, Err(Error::WrongThread));
                handle.close(|_| ()).unwrap();
            })
            .unwrap(),
        );
        wake.send().unwrap();
        event_loop.run(RunMode::Default).unwrap();
    }
}
