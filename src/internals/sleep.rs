//! `epoll_pwait`, as `uv__io_poll` (`unix/linux.c`) calls it.
//!
//! libuv asserts that it fails with `EINTR` alone, that it does not end without an event when it may wait for
//! ever, and that the descriptors in what it gives are among those that the loop waits for. None of these
//! holds where somebody has closed the loop's epoll and, maybe, got its number for another. Here such a poll
//! gives one event, that of the wakeup, whatever it was: libuv looks who has sent one and leaves the poll, and
//! `Loop::run` says what was lost.
//!
//! A loop that has lost the eventfd by which others wake it, or the pipe of its signals, would sleep for ever. A
//! look at these costs several system calls, so it comes when a sleep has lasted a moment: a busy loop never
//! looks. What is closed later, while the loop sleeps on, is not noticed before something wakes it.

use std::cell::Cell;
use std::os::raw::{c_int, c_uint};
use std::ptr;

use super::linked;
use super::orphans;
use super::own_fds::{self, Own};
use crate::r#loop::Held;

/// How long a loop sleeps before it looks after its descriptors, in milliseconds.
const MOMENT: c_uint = 20;

thread_local! {
    /// The loop that this thread has libuv run; null for none.
    static RUNNING: Cell<*const Held> = const { Cell::new(ptr::null()) };
}

/// Has `run` call `uv_run` for the loop.
pub(crate) fn running<T>(held: &Held, run: impl FnOnce() -> T) -> T {
    struct Outer(*const Held);
    impl Drop for Outer {
        fn drop(&mut self) {
            RUNNING.set(self.0);
        }
    }
    let _outer = Outer(RUNNING.replace(held));
    run()
}

/// # Safety
/// As for `epoll_pwait`: there is room for `count` events.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_epoll_pwait(
    epoll: c_int,
    events: *mut libc::epoll_event,
    count: c_int,
    timeout: c_int,
    mask: *const libc::sigset_t,
) -> c_int {
    // SAFETY: the arguments are the caller's.
    unsafe {
        if is_long(timeout) || own_fds::was_any_lost() {
            return poll(epoll, events, count, timeout, mask);
        }
        // A busy loop's, which mostly finds nothing.
        match linked::epoll_pwait()(epoll, events, count, timeout, mask) {
            0 => 0,
            found => look_at(epoll, events, found),
        }
    }
}

/// What a short poll has found.
///
/// # Safety
/// As for [`poll`].
#[inline(never)]
unsafe fn look_at(epoll: c_int, events: *mut libc::epoll_event, found: c_int) -> c_int {
    let Some(held) = running_on(epoll) else { return found };
    // SAFETY: the kernel has filled that many, and there is room for one; the loop runs on this thread.
    unsafe {
        if let Some(told) = accept(held, events, found) {
            return told;
        }
        go_on(held, events, found, 0, |_| 0)
    }
}

/// Any other poll.
///
/// # Safety
/// As for `epoll_pwait`: there is room for `count` events.
#[inline(never)]
unsafe extern "C" fn poll(
    epoll: c_int,
    events: *mut libc::epoll_event,
    count: c_int,
    timeout: c_int,
    mask: *const libc::sigset_t,
) -> c_int {
    // SAFETY: the arguments are the caller's.
    let wait = |timeout| unsafe { linked::epoll_pwait()(epoll, events, count, timeout, mask) };
    if own_fds::was_any_lost()
        && let Some(held) = running_on(epoll)
        && held.own_fds.has_lost_any()
    {
        // Nobody can wake it any more: it is run to be closed, and looks itself who has tried to.
        // SAFETY: there is room for an event, and the loop runs on this thread.
        return unsafe { end(held, events) };
    }
    let found = wait((timeout as c_uint).min(MOMENT) as c_int);
    let Some(held) = running_on(epoll) else {
        return if found == 0 && is_long(timeout) { wait(rest(timeout)) } else { found };
    };
    // SAFETY: the kernel has filled that many, and the loop runs on this thread.
    if let Some(told) = unsafe { accept(held, events, found) } {
        return told;
    }
    // SAFETY: there is room for an event, and the loop runs on this thread.
    unsafe { go_on(held, events, found, timeout, wait) }
}

/// The loop that runs on this thread, if that is its epoll.
#[inline]
fn running_on<'a>(epoll: c_int) -> Option<&'a Held> {
    // SAFETY: who is on the stack of this thread's `running` is alive; the field is a number.
    unsafe { RUNNING.get().as_ref().filter(|held| (*held.uv()).backend_fd == epoll) }
}

/// Whether a poll may last longer than a moment; -1 is for ever.
fn is_long(timeout: c_int) -> bool {
    timeout as c_uint > MOMENT
}

/// What is left of a long one after the first moment.
fn rest(timeout: c_int) -> c_int {
    if timeout == -1 { -1 } else { timeout - MOMENT as c_int }
}

/// What comes after a first moment that has `found` no event yet, or not such as were to be expected.
///
/// # Safety
/// There is room for an event, and the loop runs on this thread.
#[cold]
unsafe fn go_on(
    held: &Held,
    events: *mut libc::epoll_event,
    mut found: c_int,
    timeout: c_int,
    wait: impl Fn(c_int) -> c_int,
) -> c_int {
    // SAFETY: the loop runs on this thread, and so is open and ours.
    let lost = || unsafe { held.own_fds.look(held.uv()) };
    if found == 0 && is_long(timeout) {
        if lost() {
            // SAFETY: as for `end`.
            return unsafe { end(held, events) };
        }
        found = wait(rest(timeout));
    }
    match found {
        0 if timeout == -1 => {}
        0 => return 0,
        -1 if last_error() == libc::EINTR => {
            if !lost() {
                // Mostly something is there by now that tells of the signal.
                found = wait(0);
                // SAFETY: the kernel has filled that many, and the loop runs on this thread.
                if let Some(told) = unsafe { accept(held, events, found) } {
                    return told;
                }
                if held.is_to_hear_of_interruption() {
                    // SAFETY: as for `wake`.
                    return unsafe { wake(held, events) };
                }
                set_error(libc::EINTR);
                return -1;
            }
        }
        _ => {
            // SAFETY: the kernel has filled that many, and the loop runs on this thread.
            if let Some(told) = unsafe { accept(held, events, found) } {
                return told;
            }
            held.own_fds.note_lost(Own::Backend);
        }
    }
    // SAFETY: there is room for an event, and the loop is this thread's.
    unsafe { end(held, events) }
}

/// What libuv is told of what a poll has found: the events but for those of files that nobody waits for. If these
/// were all, it is to poll again, as after a signal. `None` where there are no events, or not the loop's.
///
/// # Safety
/// There are `found` events, if it is not negative, and the loop runs on this thread.
#[inline]
unsafe fn accept(held: &Held, events: *mut libc::epoll_event, found: c_int) -> Option<c_int> {
    // SAFETY: the caller says so.
    if found <= 0 || !unsafe { are_known(held, events, found) } {
        return None;
    }
    if !held.orphans.are_suspected() || held.uses_io_uring() {
        return Some(found);
    }
    // SAFETY: as above, and the events' numbers are in libuv's table.
    match unsafe { orphans::sift(held, events, found) } {
        0 => {
            set_error(libc::EINTR);
            Some(-1)
        }
        left => Some(left),
    }
}

/// Ends the poll phase of a loop that has lost a descriptor, and its run.
///
/// # Safety
/// There is room for an event, and the loop runs on this thread.
#[cold]
unsafe fn end(held: &Held, events: *mut libc::epoll_event) -> c_int {
    held.stop();
    // SAFETY: the caller's.
    unsafe { wake(held, events) }
}

/// Ends the poll phase of a loop.
///
/// # Safety
/// As for [`end`].
unsafe fn wake(held: &Held, events: *mut libc::epoll_event) -> c_int {
    // SAFETY: the caller says so.
    unsafe {
        let fd = (*held.uv()).async_io_watcher.fd;
        events.write(libc::epoll_event { events: libc::EPOLLIN as u32, u64: fd as u64 });
    }
    1
}

/// Whether the loop may have asked for each of the events.
///
/// # Safety
/// There are `count` events, and the loop runs on this thread.
#[inline]
unsafe fn are_known(held: &Held, events: *const libc::epoll_event, count: c_int) -> bool {
    // SAFETY: the caller says so.
    let known = unsafe { (*held.uv()).nwatchers };
    // With io_uring, one of the events is that of a ring whose number only libuv knows.
    held.uses_io_uring()
        || (0..count as usize).all(|index| {
            // SAFETY: the caller says that there are so many; the struct may be packed.
            let fd = unsafe { (&raw const (*events.add(index)).u64).read_unaligned() } as u32;
            fd < known
        })
}

fn last_error() -> c_int {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

fn set_error(error: c_int) {
    // SAFETY: the place is this thread's own.
    unsafe { *libc::__errno_location() = error };
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;
    use std::time::Duration;

    use super::*;
    use crate::hooks::PollHooks;
    use crate::internals::own_fds::tests::loop_to_be_lost;
    use crate::{Code, Loop, RunMode, Timer};

    #[test]
    fn libuv_polls_by_way_of_here() {
        let event_loop = loop_to_be_lost();
        let timer = Timer::new(&event_loop).unwrap();
        let epoll = event_loop.fileno().unwrap();
        let null = std::fs::File::open("/dev/null").unwrap();
        let place = null.as_raw_fd();
        timer
            .start(Duration::ZERO, Duration::from_secs(60), move |_| {
                // SAFETY: the number is that of this test's loop, and a file's from now on.
                unsafe { libc::dup2(place, epoll) };
            })
            .unwrap();
        // libuv by itself would abort.
        assert_eq!(event_loop.run(RunMode::Default).unwrap_err().code(), Some(Code::EBADF));
        drop((timer, event_loop));
        // SAFETY: the loop has left it alone.
        assert_eq!(unsafe { libc::close(epoll) }, 0);
    }

    #[test]
    fn no_other_loop_is_taken_for_the_one_that_runs() {
        let (event_loop, other) = (Loop::new().unwrap(), Loop::new().unwrap());
        let held = event_loop.hold().unwrap();
        assert!(running_on(event_loop.fileno().unwrap()).is_none());
        running(&held, || {
            assert!(running_on(event_loop.fileno().unwrap()).is_some());
            assert!(running_on(other.fileno().unwrap()).is_none());
        });
        assert!(running_on(event_loop.fileno().unwrap()).is_none());
    }

    #[test]
    fn for_ever_is_long_and_has_no_end() {
        assert!(is_long(-1) && is_long(1000) && !is_long(0) && !is_long(20));
        assert_eq!((rest(-1), rest(1000)), (-1, 980));
    }

    /// Hooks that are told of interruptions.
    struct Hearing(Cell<usize>);

    impl PollHooks for Hearing {
        fn before_poll(&self, _may_block: bool) -> bool {
            false
        }

        fn after_poll(&self) {}

        fn interrupted(&self) -> bool {
            true
        }

        fn after_interruption(&self) {
            self.0.set(self.0.get() + 1);
        }
    }

    #[test]
    fn what_interrupts_a_wait_is_told_at_its_end() {
        extern "C" fn nothing(_signum: c_int) {}
        // SAFETY: all zero is a valid action, to which the handler is added.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = nothing as *const () as usize;
            libc::sigaction(libc::SIGWINCH, &raw const action, ptr::null_mut());
        }
        let event_loop = Loop::new().unwrap();
        let timer = Timer::new(&event_loop).unwrap();
        timer.start(Duration::from_secs(60), Duration::ZERO, |_| ()).unwrap();
        // SAFETY: says which thread this is.
        let this = unsafe { libc::pthread_self() };
        let (over, waits) = std::sync::mpsc::channel::<()>();
        let other = std::thread::spawn(move || {
            // The first may come before the wait.
            while waits.recv_timeout(Duration::from_millis(50)).is_err() {
                // SAFETY: that thread waits for this one before it ends.
                unsafe { libc::pthread_kill(this, libc::SIGWINCH) };
            }
        });
        let hooks = Hearing(Cell::new(0));
        event_loop.run_with(RunMode::Once, &hooks).unwrap();
        over.send(()).unwrap();
        other.join().unwrap();
        assert_eq!(hooks.0.get(), 1);
    }
}
