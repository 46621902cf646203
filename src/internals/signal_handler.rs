//! The handler of signals (`uv__signal_handler` in `unix/signal.c`), and what it tells the loops.
//!
//! libuv's handler waits for the lock of all signals, and asserts that it can write to the pipe of each loop
//! that has a handle for the signal: where somebody has closed these, a signal ends the process. libuv also
//! resets a signal to its default when its last handle stops, which ends the process where the next one comes
//! before what the program had set is back. So libuv's own calls of `sigaction` are swallowed; who sets what is
//! `disposition.rs`. The handler here looks for the mark of a pipe before it writes, and takes no lock: it goes
//! through lists whose links are atomic, and what is taken out of one is freed when no handler runs.
//!
//! What the handler writes into the pipe of a loop is read here, too. libuv's are the counts of both, `caught_signals`
//! and `dispatched_signals`: it closes no handle before they are the same.

use std::cell::Cell;
use std::os::raw::{c_int, c_uint};
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};

use libuv_sys2 as uv;

use super::linked;
use super::own_fds::Own;
use crate::disposition;
use crate::forks;
use crate::r#loop::Held;

/// Signals have the numbers 1 to 64.
const SIGNALS: usize = 65;

/// A signal for a handle, on its way through the pipe.
#[repr(C)]
struct Message {
    handle: *mut uv::uv_signal_t,
    signum: c_int,
    /// Zero: every byte of a message is written.
    _padding: c_int,
}

/// A handle that is to be told of a signal.
pub(crate) struct Watcher {
    handle: *mut uv::uv_signal_t,
    /// The value of [`forks::count`] in the process whose handle it is.
    forks: AtomicUsize,
    next: AtomicPtr<Watcher>,
}

/// Who is told of each signal.
static WATCHERS: [AtomicPtr<Watcher>; SIGNALS] =
    [const { AtomicPtr::new(ptr::null_mut()) }; SIGNALS];

/// Handlers that run.
static RUNNING: AtomicUsize = AtomicUsize::new(0);

/// Adds a handle to those that are told of a signal, 1 to 64.
///
/// The caller has the lock of `disposition.rs`, here and below.
pub(crate) fn add(handle: *mut uv::uv_signal_t, signum: c_int) {
    let head = &WATCHERS[signum as usize];
    let watcher = Box::new(Watcher {
        handle,
        forks: AtomicUsize::new(forks::count()),
        next: AtomicPtr::new(head.load(Ordering::SeqCst)),
    });
    head.store(Box::into_raw(watcher), Ordering::SeqCst);
}

/// Takes a handle out again. No handler knows of it afterwards.
pub(crate) fn remove(handle: *mut uv::uv_signal_t, signum: c_int) {
    let mut link = &WATCHERS[signum as usize];
    loop {
        let watcher = link.load(Ordering::SeqCst);
        // SAFETY: what is on a list is alive, and only the holder of the lock frees any.
        let Some(this) = (unsafe { watcher.as_ref() }) else { return };
        if this.handle != handle {
            link = &this.next;
            continue;
        }
        link.store(this.next.load(Ordering::SeqCst), Ordering::SeqCst);
        // They block nowhere.
        while RUNNING.load(Ordering::SeqCst) != 0 {
            std::thread::yield_now();
        }
        // SAFETY: it came from a Box, and no handler that has begun before it was taken out still runs.
        drop(unsafe { Box::from_raw(watcher) });
        return;
    }
}

/// Whether a handle of this process is told of a signal, other than this one.
pub(crate) fn is_watched_by_others(signum: c_int, handle: *mut uv::uv_signal_t) -> bool {
    let mut found = false;
    for_each(signum, |watcher| {
        let here = watcher.forks.load(Ordering::Relaxed) == forks::count();
        found |= here && watcher.handle != handle;
    });
    found
}

/// In a forked child whose loop this is now: its handles are this process's.
pub(crate) fn adopt(held: &Held) {
    for signum in 1..SIGNALS as c_int {
        for_each(signum, |watcher| {
            // SAFETY: a handle is alive as long as it is on a list.
            if unsafe { (*watcher.handle).loop_ } == held.uv() {
                watcher.forks.store(forks::count(), Ordering::Relaxed);
            }
        });
    }
}

fn for_each(signum: c_int, mut f: impl FnMut(&Watcher)) {
    let mut watcher = WATCHERS[signum as usize].load(Ordering::SeqCst);
    // SAFETY: what is on a list is alive, while the caller has the lock or counts in `RUNNING`.
    while let Some(this) = unsafe { watcher.as_ref() } {
        f(this);
        watcher = this.next.load(Ordering::SeqCst);
    }
}

/// What the process does with a signal that a handle is to be told of: as libuv has it.
pub(crate) fn action() -> libc::sigaction {
    // SAFETY: all zero is a valid value; the mask is filled below.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = on_signal as *const () as usize;
    action.sa_flags = libc::SA_RESTART;
    // SAFETY: the mask is ours.
    unsafe { libc::sigfillset(&raw mut action.sa_mask) };
    action
}

extern "C" fn on_signal(signum: c_int) {
    // SAFETY: the place is this thread's own.
    let error = unsafe { *libc::__errno_location() };
    RUNNING.fetch_add(1, Ordering::SeqCst);
    for_each(signum, |watcher| {
        // Those that a child has from its parent write to the parent's pipe.
        if watcher.forks.load(Ordering::Relaxed) == forks::count() {
            // SAFETY: the handle is taken out before it is closed.
            unsafe { tell(watcher.handle, signum) };
        }
    });
    RUNNING.fetch_sub(1, Ordering::SeqCst);
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = error };
}

/// # Safety
/// The handle is open, and so is its loop, one of this crate's.
unsafe fn tell(handle: *mut uv::uv_signal_t, signum: c_int) {
    // SAFETY: the caller says so. The fields read stay as they are while the loop is open.
    let (shared, pipe) = unsafe {
        let event_loop = (*handle).loop_;
        (Held::from_raw(event_loop).shared(), (*event_loop).signal_pipefd[1])
    };
    if !shared.own_fds().has(Own::SignalsIn, pipe) {
        return;
    }
    let message = Message { handle, signum, _padding: 0 };
    const LENGTH: usize = size_of::<Message>();
    loop {
        // SAFETY: the message is as long as that, and libuv reads it as one.
        let written = unsafe { libc::write(pipe, (&raw const message).cast(), LENGTH) };
        if written == LENGTH as isize {
            // SAFETY: the field is a number that only handlers change, on whichever thread.
            let caught = unsafe { AtomicU32::from_ptr((&raw mut (*handle).caught_signals).cast()) };
            caught.fetch_add(1, Ordering::Relaxed);
            return;
        }
        match std::io::Error::last_os_error().raw_os_error() {
            Some(libc::EINTR) => {}
            // The pipe is full: the loop has heard of enough.
            Some(libc::EAGAIN) => return,
            _ => return shared.own_fds().note_lost(Own::SignalsIn),
        }
    }
}

thread_local! {
    /// libuv is starting or stopping a handle.
    static SWALLOWED: Cell<bool> = const { Cell::new(false) };
}

/// Has libuv's calls of `sigaction` do nothing while `f` runs.
pub(crate) fn swallowing<T>(f: impl FnOnce() -> T) -> T {
    let outer = SWALLOWED.replace(true);
    let result = f();
    SWALLOWED.set(outer);
    result
}

/// # Safety
/// As for `sigaction`.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_sigaction(
    signum: c_int,
    new: *const libc::sigaction,
    old: *mut libc::sigaction,
) -> c_int {
    if SWALLOWED.get() && old.is_null() {
        return 0;
    }
    // SAFETY: the arguments are the caller's.
    unsafe { linked::sigaction()(signum, new, old) }
}

/// Reads what handlers have told, in the place of `uv__signal_event`. That one aborts where it cannot read, and takes
/// what it reads for addresses: also what it reads second, from a pipe that a callback has closed meanwhile.
///
/// # Safety
/// As for `uv__signal_event`: the loop is open, and this thread's.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_uv__signal_event(
    event_loop: *mut uv::uv_loop_t,
    _watcher: *mut uv::uv__io_t,
    _events: c_uint,
) {
    // SAFETY: the caller vouches for the loop, which is one of this crate's.
    let held = unsafe { Held::from_raw(event_loop) };
    // SAFETY: as above; the field is a number.
    let fd = || unsafe { (*event_loop).signal_pipefd[0] };
    while held.own_fds.has(Own::SignalsOut, fd()) {
        // SAFETY: all zero is a valid value.
        let mut messages: [Message; 32] = unsafe { std::mem::zeroed() };
        // SAFETY: the place is as long as that.
        let read =
            unsafe { libc::read(fd(), messages.as_mut_ptr().cast(), size_of_val(&messages)) };
        let error = std::io::Error::last_os_error().raw_os_error();
        match (read, error) {
            (-1, Some(libc::EINTR)) => continue,
            (-1, Some(libc::EAGAIN)) => return,
            (..1, _) => {
                held.own_fds.note_lost(Own::SignalsOut);
                break;
            }
            _ => {}
        }
        // Each was written at once, and so is whole.
        let count = read as usize / size_of::<Message>();
        for message in &messages[..count] {
            // SAFETY: the handle is one of the loop's, which is not done with closing before it was told of all
            // that was caught for it.
            unsafe { message.dispatch() };
        }
        if count < messages.len() {
            return;
        }
    }
    held.stop();
}

impl Message {
    /// # Safety
    /// The handle is alive, and its loop this thread's and in its poll phase.
    unsafe fn dispatch(&self) {
        // SAFETY: the caller says so.
        unsafe {
            if (*self.handle).signum == self.signum
                && let Some(callback) = (*self.handle).signal_cb
            {
                callback(self.handle, self.signum);
            }
            (*self.handle).dispatched_signals = (*self.handle).dispatched_signals.wrapping_add(1);
        }
    }
}

/// Before the process forks: no other thread is in the middle of libuv's tree, nor of the lists here.
pub(crate) fn before_fork() {
    disposition::take_for_fork();
}

/// After it has, in whichever process. No handler runs in a child: those that did stayed behind.
pub(crate) fn after_fork(in_child: bool) {
    if in_child {
        RUNNING.store(0, Ordering::SeqCst);
    }
    disposition::give_back_after_fork();
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Loop, RunMode, Signal};

    #[test]
    fn what_was_told_is_heard_once() {
        let event_loop = Loop::new().unwrap();
        let signal = Signal::new(&event_loop).unwrap();
        let heard = Arc::new(AtomicUsize::new(0));
        let counted = heard.clone();
        signal
            .start(libc::SIGURG, move |_, _| _ = counted.fetch_add(1, Ordering::Relaxed))
            .unwrap();
        let held = event_loop.hold().unwrap();
        let handle = signal.uv::<uv::uv_signal_t>();
        // More than are read at once.
        for _ in 0..50 {
            // SAFETY: the handle is open, and its loop this thread's.
            unsafe { tell(handle, libc::SIGURG) };
        }
        drop(held);
        event_loop.run(RunMode::NoWait).unwrap();
        assert_eq!(heard.load(Ordering::Relaxed), 50);
        // SAFETY: the handle is open.
        assert_eq!(unsafe { ((*handle).caught_signals, (*handle).dispatched_signals) }, (50, 50));
    }

    #[test]
    fn a_callback_may_close_the_pipe_that_is_read() {
        let event_loop = Loop::new().unwrap();
        let signal = Signal::new(&event_loop).unwrap();
        let held = event_loop.hold().unwrap();
        // SAFETY: the loop is open and this thread's.
        let pipe = unsafe { (*held.uv()).signal_pipefd[0] };
        let (zeroes, _end) = std::io::pipe().unwrap();
        let place = std::os::fd::AsRawFd::as_raw_fd(&zeroes);
        signal
            .start(libc::SIGURG, move |_, _| {
                // SAFETY: the number is one of this test's loop, and something else's from now on.
                unsafe { libc::dup2(place, pipe) };
            })
            .unwrap();
        for _ in 0..40 {
            // SAFETY: the handle is open, and its loop this thread's.
            unsafe { tell(signal.uv(), libc::SIGURG) };
        }
        drop(held);
        let lost = event_loop.run(RunMode::NoWait).unwrap_err();
        assert_eq!(lost.code(), Some(crate::Code::EBADF));
        drop((signal, event_loop));
        // SAFETY: the loop has left it alone.
        assert_eq!(unsafe { libc::close(pipe) }, 0);
    }

    #[test]
    fn a_handle_is_told_from_start_to_stop() {
        let event_loop = Loop::new().unwrap();
        let signal = Signal::new(&event_loop).unwrap();
        let nobody = ptr::null_mut();
        assert!(!is_watched_by_others(libc::SIGIO, nobody));
        signal.start(libc::SIGIO, |_, _| ()).unwrap();
        assert!(is_watched_by_others(libc::SIGIO, nobody));
        assert!(!is_watched_by_others(libc::SIGIO, signal.uv()));
        assert_eq!(disposition::current(libc::SIGIO).sa_sigaction, action().sa_sigaction);
        signal.stop().unwrap();
        assert!(!is_watched_by_others(libc::SIGIO, nobody));
        assert_ne!(disposition::current(libc::SIGIO).sa_sigaction, action().sa_sigaction);
    }
}
