//! The lock of libuv's tree of signal handles (`uv__signal_lock_pipefd` in `unix/signal.c`): a pipe that has a
//! byte in it while nobody has the lock. It is the process's, and anybody can close it.
//!
//! Where libuv cannot read from it or write to it, it aborts; where it has become somebody's file, it writes
//! there. So it is looked at before each call that takes it, and made anew where it was lost. The variable is
//! private to its file: `uv__make_pipe`, which is given its address, is where it is learnt.
//!
//! Between the look and libuv's use of it another thread may close it: that moment is left.

use std::os::raw::c_int;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use super::{linked, own_fds};
use crate::error::{Code, Error, Result};

type Pipe = [c_int; 2];

/// libuv's variable; null before the first loop.
static PIPE: AtomicPtr<Pipe> = AtomicPtr::new(ptr::null_mut());
static MARKS: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];

/// # Safety
/// As for `uv__make_pipe`: there is room for two numbers.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_uv__make_pipe(pipe: *mut Pipe, flags: c_int) -> c_int {
    // SAFETY: the caller's arguments.
    let make = || unsafe { linked::make_pipe()(pipe, flags) };
    let mut status = make();
    if flags != 0 {
        return status;
    }
    // The first one without flags is made by the first `uv_loop_init`, and is it.
    let known = PIPE.compare_exchange(ptr::null_mut(), pipe, Ordering::AcqRel, Ordering::Acquire);
    if known.is_ok() || known == Err(pipe) {
        if status < 0 {
            status = with_more_fds(make);
        }
        if status == 0 {
            for (index, mark) in MARKS.iter().enumerate() {
                // SAFETY: both ends have been made.
                mark.store(own_fds::mark(unsafe { (*pipe)[index] }), Ordering::Relaxed);
            }
        }
    }
    status
}

/// Where no fd is left libuv would abort, in a forked child or when it next stops a handle: it gets two beyond the
/// limit, as far as the system lets it.
fn with_more_fds(make: impl FnOnce() -> c_int) -> c_int {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the calls read and write the struct alone.
    unsafe {
        libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit);
        let more = libc::rlimit { rlim_cur: limit.rlim_max, ..limit };
        libc::setrlimit(libc::RLIMIT_NOFILE, &raw const more);
        let status = make();
        libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit);
        status
    }
}

/// Whether the end is libuv's still.
///
/// # Safety
/// `pipe` is libuv's variable.
unsafe fn has(pipe: *mut Pipe, index: usize) -> bool {
    // SAFETY: the caller says so; nobody writes to it meanwhile.
    let fd = unsafe { (*pipe)[index] };
    fd >= 0 && own_fds::mark_of(fd) == Some(MARKS[index].load(Ordering::Relaxed))
}

/// Before a call of libuv's that takes the lock, of which there is one at a time: makes it anew where it was
/// lost. Fails with `UV_EMFILE` where it has to be and no fd is left.
pub(crate) fn ensure() -> Result<()> {
    let pipe = PIPE.load(Ordering::Acquire);
    // SAFETY: it is libuv's variable, if there is one.
    if pipe.is_null() || unsafe { has(pipe, 0) && has(pipe, 1) } {
        return Ok(());
    }
    for index in 0..2 {
        // SAFETY: as above; an end that is left is of no use to anybody.
        unsafe {
            if has(pipe, index) {
                libc::close((*pipe)[index]);
            }
            (*pipe)[index] = -1;
        }
    }
    // SAFETY: there is room for two numbers.
    let status = unsafe { __wrap_uv__make_pipe(pipe, 0) };
    Error::check(status, "the lock of libuv's signals, which somebody closed")?;
    // SAFETY: the pipe was made just now; the byte means that nobody has the lock.
    if unsafe { libc::write((*pipe)[1], [42u8].as_ptr().cast(), 1) } != 1 {
        return Err(Error::new(Code::EIO, "the lock of libuv's signals"));
    }
    Ok(())
}

/// In a forked child, before libuv makes the pipe anew: keeps it from closing what is not its own.
pub(crate) fn forget_lost() {
    let pipe = PIPE.load(Ordering::Acquire);
    if pipe.is_null() {
        return;
    }
    for index in 0..2 {
        // SAFETY: it is libuv's variable, and this is the only thread.
        unsafe {
            if !has(pipe, index) {
                (*pipe)[index] = -1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Loop;

    #[test]
    fn the_first_loop_says_where_it_is() {
        let _loop = Loop::new().unwrap();
        let pipe = PIPE.load(Ordering::Acquire);
        assert!(!pipe.is_null());
        // SAFETY: it is libuv's variable; another test may be making it anew, under other numbers.
        assert!(unsafe { (*pipe)[0] > 2 && (*pipe)[1] > 2 });
    }
}
