//! The handler of signals (`uv__signal_handler` in `unix/signal.c`), and what it tells the loops.
//!
//! libuv's handler waits for the lock of all signals, and asserts that it can write to the pipe of each loop
//! that has a handle for the signal: where somebody has closed these, a signal ends the process. libuv also
//! resets a signal to its default when its last handle stops, which ends the process where the next one comes
//! before what the program had set is back. So libuv's own calls of `sigaction` are swallowed; who sets what is
//! `disposition.rs`. The handler here looks for the mark of a pipe before it writes, and takes no lock: it goes
//! through lists whose links are atomic, and what is taken out of one is freed when no handler runs.
//!
//! The message in the pipe is libuv's (`uv__signal_msg_t`), and `uv__signal_event` reads it.

use std::cell::Cell;
use std::os::raw::{c_int, c_uint};
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};

use libuv_sys2 as uv;

use super::linked;
use super::own_fds::Own;
use crate::disposition;
use crate::forks;
use crate::r#loop::{Held, LoopShared};

/// Signals have the numbers 1 to 64.
const SIGNALS: usize = 65;

/// `uv__signal_msg_t`
#[repr(C)]
struct Message {
    handle: *mut uv::uv_signal_t,
    signum: c_int,
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
    // libuv has it all zero where nothing is.
    // SAFETY: all zero is a valid value.
    let mut message: Message = unsafe { std::mem::zeroed() };
    message.handle = handle;
    message.signum = signum;
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

/// Reads what handlers have told (`uv__signal_event`). It aborts where it cannot, and takes what it reads for
/// addresses.
///
/// # Safety
/// As for `uv__signal_event`: the loop is open, and this thread's.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_uv__signal_event(
    event_loop: *mut uv::uv_loop_t,
    watcher: *mut uv::uv__io_t,
    events: c_uint,
) {
    // SAFETY: the caller vouches for the loop.
    unsafe {
        let fd = (*event_loop).signal_pipefd[0];
        if LoopShared::known(event_loop)
            .is_some_and(|shared| !shared.own_fds().has(Own::SignalsOut, fd))
        {
            Held::from_raw(event_loop).stop();
            return;
        }
        linked::signal_event()(event_loop, watcher, events);
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
    use super::*;
    use crate::{Loop, Signal};

    #[test]
    fn libuv_reads_the_message_as_it_was_written() {
        let event_loop = Loop::new().unwrap();
        let signal = Signal::new(&event_loop).unwrap();
        signal.start(libc::SIGURG, |_, _| ()).unwrap();
        let held = event_loop.hold().unwrap();
        let handle = signal.uv::<uv::uv_signal_t>();
        // SAFETY: the handle is open, its loop this thread's, and the message is read back by hand.
        unsafe {
            tell(handle, libc::SIGURG);
            assert_eq!((*handle).caught_signals, 1);
            let mut watcher = (*held.uv()).signal_io_watcher;
            linked::signal_event()(held.uv(), &raw mut watcher, libc::EPOLLIN as c_uint);
            assert_eq!((*handle).dispatched_signals, 1);
        }
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
