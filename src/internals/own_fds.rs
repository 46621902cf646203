//! The descriptors that libuv has for a loop itself (fields of `uv_loop_t`), which anybody can close.
//!
//! Each is marked when the loop gets it, so that it can be told from what has its number later. On Linux the
//! mark is the signal that would announce input (`F_SETSIG`): a number in the kernel's description of the open
//! file, which asks for nothing by itself and costs one short call to read. Elsewhere it is device and inode.
//!
//! Once one is lost, the loop can do nothing but say so.

use std::cell::Cell;
use std::os::raw::c_int;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

use libuv_sys2 as uv;

use crate::error::{Code, Error, Result};
use crate::r#loop::Loop;

/// What a loop has a descriptor for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Own {
    /// `backend_fd`: what it polls.
    Backend,
    /// `async_io_watcher`: the eventfd that other threads wake it by.
    Wakeup,
    /// `signal_pipefd[0]`: where it hears of signals.
    SignalsOut,
    /// `signal_pipefd[1]`: where the handler of signals tells of them.
    SignalsIn,
    /// `inotify_fd`: where it hears of files.
    Files,
}

const ALL: [Own; 5] = [Own::Backend, Own::Wakeup, Own::SignalsOut, Own::SignalsIn, Own::Files];

impl Own {
    fn bit(self) -> u8 {
        1 << self as u8
    }

    fn purpose(self) -> &'static str {
        match self {
            Own::Backend => "by which it waits",
            Own::Wakeup => "by which it is woken",
            Own::SignalsOut | Own::SignalsIn => "by which it hears of signals",
            Own::Files => "by which it hears of files",
        }
    }

    /// Its number; -1 while there is none.
    ///
    /// # Safety
    /// The loop is open. Fields of the loop's owner are read.
    unsafe fn fd(self, event_loop: *mut uv::uv_loop_t) -> c_int {
        // SAFETY: the caller says so.
        unsafe {
            match self {
                Own::Backend => (*event_loop).backend_fd,
                Own::Wakeup => (*event_loop).async_io_watcher.fd,
                Own::SignalsOut => (*event_loop).signal_pipefd[0],
                Own::SignalsIn => (*event_loop).signal_pipefd[1],
                #[cfg(target_os = "linux")]
                Own::Files => (*event_loop).inotify_fd,
                #[cfg(not(target_os = "linux"))]
                Own::Files => -1,
            }
        }
    }
}

/// Whether any loop of the process has lost one so far.
static ANY_LOST: AtomicBool = AtomicBool::new(false);

/// Whether it is worth asking a loop what it has lost.
#[cfg(target_os = "linux")]
#[inline]
pub(super) fn was_any_lost() -> bool {
    ANY_LOST.load(Ordering::Relaxed)
}

/// What is known of a loop's descriptors. May be used on any thread, and in a handler of signals.
#[derive(Default)]
pub(crate) struct OwnFds {
    marks: [AtomicU64; ALL.len()],
    /// A bit for each that was lost.
    lost: AtomicU8,
}

impl OwnFds {
    /// For the owner, when libuv has opened them: marks them all.
    ///
    /// # Safety
    /// The loop is open, and the caller's.
    pub(crate) unsafe fn mark_all(&self, event_loop: *mut uv::uv_loop_t) {
        self.lost.store(0, Ordering::Relaxed);
        for own in ALL {
            // SAFETY: the caller says so.
            let fd = unsafe { own.fd(event_loop) };
            self.marks[own as usize].store(if fd < 0 { 0 } else { mark(fd) }, Ordering::Relaxed);
        }
    }

    /// For the owner, when one was opened: marks it.
    #[cfg(target_os = "linux")]
    pub(super) fn mark(&self, own: Own, fd: c_int) {
        self.marks[own as usize].store(mark(fd), Ordering::Relaxed);
    }

    /// Whether the loop has this one still, under its number. Once it has not, it never has again: the
    /// number is somebody else's, whatever is behind it.
    pub(crate) fn has(&self, own: Own, fd: c_int) -> bool {
        if self.lost.load(Ordering::Relaxed) & own.bit() != 0 {
            return false;
        }
        let mark = self.marks[own as usize].load(Ordering::Relaxed);
        let there = mark_of(fd).is_some_and(|its| its == mark);
        if !there {
            self.note_lost(own);
        }
        there
    }

    pub(crate) fn note_lost(&self, own: Own) {
        ANY_LOST.store(true, Ordering::Relaxed);
        self.lost.fetch_or(own.bit(), Ordering::Relaxed);
    }

    /// Looks for what was lost. Returns whether anything was.
    ///
    /// # Safety
    /// The loop is open, and the caller's.
    pub(crate) unsafe fn look(&self, event_loop: *mut uv::uv_loop_t) -> bool {
        for own in ALL {
            // SAFETY: the caller says so.
            let fd = unsafe { own.fd(event_loop) };
            if fd >= 0 {
                self.has(own, fd);
            }
        }
        self.lost.load(Ordering::Relaxed) != 0
    }

    /// Fails with `UV_EBADF`, naming the first one that is known to be lost.
    ///
    /// # Safety
    /// The loop is open.
    #[inline]
    pub(crate) unsafe fn check_known(&self, event_loop: *mut uv::uv_loop_t) -> Result<()> {
        match self.lost.load(Ordering::Relaxed) {
            0 => Ok(()),
            // SAFETY: the caller says so.
            lost => Err(unsafe { lost_error(lost, event_loop) }),
        }
    }

    /// For the owner, before it has libuv poll: fails with `UV_EBADF` where what it polls by is lost, or
    /// anything else is known to be.
    ///
    /// # Safety
    /// The loop is open, and the caller's.
    pub(crate) unsafe fn check(&self, event_loop: *mut uv::uv_loop_t) -> Result<()> {
        // SAFETY: the caller says so.
        unsafe {
            self.has(Own::Backend, Own::Backend.fd(event_loop));
            self.check_known(event_loop)
        }
    }

    /// The same for what it polls by alone.
    ///
    /// # Safety
    /// The loop is open, and the caller's.
    pub(crate) unsafe fn check_backend(&self, event_loop: *mut uv::uv_loop_t) -> Result<()> {
        // SAFETY: the caller says so.
        unsafe {
            if self.has(Own::Backend, Own::Backend.fd(event_loop)) {
                return Ok(());
            }
            Err(lost_error(Own::Backend.bit(), event_loop))
        }
    }

    #[cfg(target_os = "linux")]
    pub(super) fn has_lost_any(&self) -> bool {
        self.lost.load(Ordering::Relaxed) != 0
    }

    fn has_lost(&self, own: Own) -> bool {
        self.lost.load(Ordering::Relaxed) & own.bit() != 0
    }
}

impl Loop {
    /// Whether `fd` is one that libuv opened for the loop itself. False where nobody may ask: the loop is closed,
    /// or another thread's.
    pub fn has_own_fd(&self, fd: c_int) -> bool {
        self.enter().is_ok_and(|held| {
            // SAFETY: the loop is open and this thread's.
            fd >= 0 && ALL.iter().any(|own| unsafe { own.fd(held.uv()) } == fd)
        })
    }
}

/// # Safety
/// The loop is open.
#[cold]
unsafe fn lost_error(lost: u8, event_loop: *mut uv::uv_loop_t) -> Error {
    let own = ALL.into_iter().find(|own| lost & own.bit() != 0).unwrap_or(Own::Backend);
    // SAFETY: the caller says so; what is read is a number.
    let fd = unsafe { own.fd(event_loop) };
    Error::new(Code::EBADF, format!("somebody closed the loop's fd {fd}, {}", own.purpose()))
}

thread_local! {
    /// Numbers that are somebody else's by now, which libuv is not to close.
    static SPARED: Cell<[c_int; ALL.len()]> = const { Cell::new([-1; ALL.len()]) };
}

/// Has libuv close none of the descriptors that the loop has lost, while `close` runs.
///
/// # Safety
/// The loop is open, and the caller's.
pub(crate) unsafe fn sparing_lost<T>(
    fds: &OwnFds,
    event_loop: *mut uv::uv_loop_t,
    close: impl FnOnce() -> T,
) -> T {
    // SAFETY: the caller says so.
    let lost = unsafe {
        fds.look(event_loop);
        ALL.map(|own| if fds.has_lost(own) { own.fd(event_loop) } else { -1 })
    };
    let outer = SPARED.replace(lost);
    let result = close();
    SPARED.set(outer);
    result
}

/// Whether libuv is to leave this number alone.
#[cfg(target_os = "linux")]
pub(super) fn is_spared(fd: c_int) -> bool {
    SPARED.get().contains(&fd)
}

/// Marks an open file. 0 where that is impossible: then one file is taken for another.
#[cfg(target_os = "linux")]
pub(super) fn mark(fd: c_int) -> u64 {
    /// Signals have the numbers 1 to 64.
    static NEXT: AtomicU8 = AtomicU8::new(0);
    let signal = 1 + NEXT.fetch_add(1, Ordering::Relaxed) % 64;
    // SAFETY: this sets a number of the open file's.
    match unsafe { libc::fcntl(fd, F_SETSIG, c_int::from(signal)) } {
        0 => u64::from(signal),
        _ => 0,
    }
}

/// The mark of what has this number; `None` where nothing has.
#[cfg(target_os = "linux")]
pub(super) fn mark_of(fd: c_int) -> Option<u64> {
    // SAFETY: this only asks.
    u64::try_from(unsafe { libc::fcntl(fd, F_GETSIG) }).ok()
}

#[cfg(target_os = "linux")]
const F_SETSIG: c_int = 10;
#[cfg(target_os = "linux")]
const F_GETSIG: c_int = 11;

#[cfg(not(target_os = "linux"))]
fn mark(fd: c_int) -> u64 {
    mark_of(fd).unwrap_or(0)
}

#[cfg(not(target_os = "linux"))]
fn mark_of(fd: c_int) -> Option<u64> {
    let mut stat = std::mem::MaybeUninit::<libc::stat>::uninit();
    // SAFETY: fstat fills the struct, or says that it did not.
    unsafe {
        (libc::fstat(fd, stat.as_mut_ptr()) == 0).then(|| {
            let stat = stat.assume_init();
            (stat.st_dev as u64).rotate_left(32) ^ stat.st_ino as u64
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A loop that is to lose a descriptor of its own. What it has is never freed: libuv cannot close it.
    /// scripts/valgrind.supp knows this function.
    #[inline(never)]
    pub(crate) fn loop_to_be_lost() -> Loop {
        Loop::new().unwrap()
    }

    #[test]
    fn a_loop_knows_its_own() {
        let event_loop = Loop::new().unwrap();
        assert!(event_loop.has_own_fd(event_loop.fileno().unwrap()));
        assert!(!event_loop.has_own_fd(-1));
        assert!(!event_loop.has_own_fd(0));
    }

    #[test]
    fn libuv_has_one_for_each_purpose_but_files() {
        let event_loop = Loop::new().unwrap();
        let held = event_loop.hold().unwrap();
        for own in ALL {
            // SAFETY: the loop is open and this thread's.
            let fd = unsafe { own.fd(held.uv()) };
            assert_eq!(fd > 2, own != Own::Files, "{own:?}");
            assert!(own == Own::Files || held.own_fds.has(own, fd));
        }
    }

    #[test]
    fn what_has_another_mark_is_lost_for_good() {
        let event_loop = loop_to_be_lost();
        let held = event_loop.hold().unwrap();
        // SAFETY: the loop is open and this thread's.
        let (wakeup, signals) =
            unsafe { (Own::Wakeup.fd(held.uv()), Own::SignalsIn.fd(held.uv())) };
        assert!(!held.own_fds.has(Own::Wakeup, 0));
        assert!(!held.own_fds.has(Own::Wakeup, wakeup));
        assert!(held.own_fds.has(Own::SignalsIn, signals));
        assert_eq!(held.check_own_fds().unwrap_err().code(), Some(Code::EBADF));
    }
}
