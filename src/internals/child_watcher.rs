//! `child_watcher` and `process_handles`, the signal handle by which a loop hears of the end of its children and
//! the list of those that run (`unix/process.c`).
//!
//! `uv_spawn` starts it, and `uv_close` stops it when the list is empty. Both happen here before, so that what
//! the program does with `SIGCHLD` otherwise is kept (`disposition.rs`); libuv finds it done.

use std::os::raw::c_int;
use std::ptr;

use libuv_sys2 as uv;

use crate::disposition;
use crate::error::Result;
use crate::r#loop::Held;
use crate::process::Process;

unsafe extern "C" {
    fn uv__wait_children(event_loop: *mut uv::uv_loop_t);
}

unsafe extern "C" fn on_child(watcher: *mut uv::uv_signal_t, _signum: c_int) {
    // SAFETY: the handle is a part of its loop, which runs.
    unsafe { uv__wait_children((*watcher).loop_) };
}

/// Looks which children of the loop have ended, and tells of them.
pub(crate) fn look(held: &Held) {
    // SAFETY: the loop is open and the caller's, and runs.
    unsafe { uv__wait_children(held.uv()) };
}

/// For the owner: runs `spawn` with the watcher started, and stops it where no child runs. A handler of the
/// signal that the program has set meanwhile gives way: children would end unseen.
pub(crate) fn watching<T>(held: &Held, spawn: impl FnOnce() -> Result<T>) -> Result<T> {
    // SAFETY: the loop is open and the caller's; the watcher is a handle inside it.
    let (watcher, active) = unsafe {
        let watcher = &raw mut (*held.uv()).child_watcher;
        (watcher, uv::uv_is_active(watcher.cast()) != 0)
    };
    if active {
        disposition::reclaim(libc::SIGCHLD);
    } else {
        // SAFETY: as above. It is stopped with the last child, at the latest when its handle is closed.
        unsafe {
            disposition::start(
                watcher,
                libc::SIGCHLD,
                || uv::uv_signal_start(watcher, Some(on_child), libc::SIGCHLD),
                || uv::uv_signal_stop(watcher),
            )?;
        }
    }
    let outcome = spawn();
    if outcome.is_err() {
        stop_unless(held, |first, last| first == last);
    }
    outcome
}

/// For the owner, before a process is closed.
pub(crate) fn before_close(process: &Process, held: &Held) {
    // SAFETY: the handle is open and a process; its links are a part of it.
    let its = unsafe { &raw mut (*process.uv::<uv::uv_process_t>()).queue };
    // The list is empty, or has this one only.
    stop_unless(held, |head, first| {
        // SAFETY: the list is a ring of nodes that are alive.
        first == head || (ptr::eq(first, its) && unsafe { (*first).next } == head)
    });
}

/// Stops the watcher if `is_over` says so of the head and the first node of the list.
fn stop_unless(held: &Held, is_over: impl FnOnce(*mut uv::uv__queue, *mut uv::uv__queue) -> bool) {
    // SAFETY: the loop is open and the caller's.
    unsafe {
        let watcher = &raw mut (*held.uv()).child_watcher;
        let head = &raw mut (*held.uv()).process_handles;
        if uv::uv_is_active(watcher.cast()) != 0 && is_over(head, (*head).next) {
            disposition::stop(watcher, libc::SIGCHLD, || uv::uv_signal_stop(watcher));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Loop, ProcessOptions, RunMode};

    fn is_watching(event_loop: &Loop) -> bool {
        let held = event_loop.hold().unwrap();
        // SAFETY: the loop is open and this thread's; the watcher is a handle inside it.
        unsafe { uv::uv_is_active((&raw const (*held.uv()).child_watcher).cast()) != 0 }
    }

    #[test]
    fn libuv_finds_the_watcher_started_and_stopped() {
        let event_loop = Loop::new().unwrap();
        let sleep = ProcessOptions::new("/bin/sleep").arg("1000");
        let spawn = || Process::spawn(&event_loop, &sleep, |_, _| ()).unwrap();
        assert!(!is_watching(&event_loop));
        let (first, second) = (spawn(), spawn());
        assert!(is_watching(&event_loop));
        for process in [&first, &second] {
            assert!(is_watching(&event_loop));
            process.kill(libc::SIGKILL).unwrap();
            process.close(|_| ()).unwrap();
        }
        assert!(!is_watching(&event_loop));
        event_loop.run(RunMode::Default).unwrap();
    }

    #[test]
    fn a_spawn_that_fails_leaves_it_stopped() {
        let event_loop = Loop::new().unwrap();
        let options = ProcessOptions::new("/no/such/program");
        assert!(Process::spawn(&event_loop, &options, |_, _| ()).is_err());
        assert!(!is_watching(&event_loop));
    }

    #[test]
    fn a_look_tells_of_children_that_have_ended() {
        let event_loop = Loop::new().unwrap();
        let (sender, ended) = std::sync::mpsc::channel();
        let options = ProcessOptions::new("/bin/true");
        let process =
            Process::spawn(&event_loop, &options, move |_, exit| sender.send(exit.status).unwrap());
        let process = process.unwrap();
        let held = event_loop.hold().unwrap();
        while ended.try_recv() != Ok(0) {
            look(&held);
            std::thread::yield_now();
        }
        drop(held);
        assert_eq!(process.is_active(), Ok(false));
    }
}
