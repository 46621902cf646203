//! `uv_loop_t`: the event loop, its memory, and who may use it.
//!
//! What is done with a loop has a file each in `src/loop`: running, configuring and closing it,
//! forking, what other threads send to its owner, and the end of one that nobody can run any more.

use std::cell::{Cell, UnsafeCell};
use std::mem;
use std::os::raw::c_void;
use std::ptr::{self, NonNull};
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use libuv_sys2 as uv;

use crate::error::{Error, Result};
use crate::handle::{Handle, Header};
use crate::hooks::PollHooks;
#[cfg(target_os = "linux")]
use crate::internals::linked;
#[cfg(target_os = "linux")]
use crate::internals::orphans::Orphans;
#[cfg(unix)]
use crate::internals::own_fds::OwnFds;
#[cfg(target_os = "linux")]
use crate::internals::resting;
use crate::job::Jobs;
use crate::owner::Owner;
#[cfg(unix)]
use crate::places;
use crate::poll::Fd;
use crate::request::RequestList;
use crate::slab::Slab;
#[cfg(unix)]
use crate::stream::emfile::Reserve;
use crate::stream::written::Written;

mod abandon;
mod close;
mod configure;
mod deferral;
#[cfg(unix)]
mod first;
mod fork;
mod inbox;
mod own_handles;
mod run;
mod shared;

pub use configure::Configure;
pub(crate) use deferral::Due;
pub(crate) use inbox::InboxEntry;
pub use inbox::Remote;
pub use run::RunMode;
pub use shared::Entered;
pub(crate) use shared::LoopShared;

use deferral::Deferral;
use inbox::Inbox;
use own_handles::OwnHandles;

/// An event loop (`uv_loop_t`).
///
/// A `Loop` is a reference: clones mean the same loop. When the last `Loop` and the last handle
/// on it are gone, so that nobody can run it any more, it is torn down: what is left on it is
/// closed, nothing is called.
pub struct Loop {
    shared: NonNull<LoopShared>,
}

// SAFETY: a `Loop` is a counted reference to a `LoopShared`, which is Sync; the last one may tear
// the loop down on any thread, for what is on it is Send.
unsafe impl Send for Loop {}
// SAFETY: as for Send.
unsafe impl Sync for Loop {}

/// A loop that is this thread's own. To have a reference to it is to own the loop: nobody else
/// can get one meanwhile, and it does not leave this thread.
///
/// [`Loop::hold`] leads to one, and callbacks are given one. It opens what is
/// [`Owned`](crate::Owned).
//
// The allocation behind a `Loop`. libuv knows it as a `uv_loop_t`, which is its first field. What
// may be reached without being the owner, `LoopShared` reaches.
#[repr(C)]
pub struct Held {
    uv: UnsafeCell<uv::uv_loop_t>,
    /// The allocation, as it is freed.
    whole: NonNull<Held>,
    /// `Loop` and `Handle` values: those who could still run or use this loop.
    references: AtomicUsize,
    owner: Owner,
    /// libuv's descriptors for the loop, and whether it has lost one.
    #[cfg(unix)]
    pub(crate) own_fds: OwnFds,
    /// Polls were stopped that the kernel is to be told of.
    #[cfg(target_os = "linux")]
    pub(crate) resting: Cell<bool>,
    #[cfg(target_os = "linux")]
    pub(crate) orphans: Orphans,
    /// References given up by a thread that could not take the loop; the owner drops them.
    inbox: Inbox,

    closed: Cell<bool>,
    running: Cell<bool>,
    /// Being torn down: closures are dropped, not called.
    abandoned: Cell<bool>,
    io_uring: Cell<bool>,
    mode: Cell<RunMode>,
    stopping: Cell<bool>,
    hooks: Cell<Option<NonNull<dyn PollHooks>>>,
    /// `before_poll` was called and wants its `after_poll`.
    asleep: Cell<bool>,
    panic: Cell<Option<String>>,
    /// Active idle handles, and handles whose close callback is due: with either, libuv polls
    /// with timeout 0.
    pub(crate) idles: Cell<usize>,
    pub(crate) closing: Cell<usize>,
    /// A signal has ended the poll phase, for the hooks' sake.
    pub(crate) interrupted: Cell<bool>,
    pub(crate) requests: RequestList,
    pub(crate) jobs: Jobs,
    /// In a callback that libuv's lists would not bear `uv_loop_fork` in.
    pub(crate) unforkable: Cell<bool>,
    pub(crate) slab: Slab,
    pub(crate) written: Written,
    deferral: Deferral,
    #[cfg(unix)]
    pub(crate) reserve: Reserve,
    pub(crate) own_handles: OwnHandles,
}

/// What the crate calls a [`Held`] where it is about the loop's insides.
pub(crate) type LoopInner = Held;

impl Loop {
    /// A new loop (`uv_loop_init`). Fails with `UV_EMFILE` where no fd is left. Of the standard fds
    /// 0 to 2, those that are closed are opened on `/dev/null`.
    pub fn new() -> Result<Loop> {
        abandon::reap();
        #[cfg(target_os = "linux")]
        linked::check()?;
        #[cfg(unix)]
        {
            places::open_standard();
            first::check_fds()?;
        }
        let inner = Box::new(Held {
            // SAFETY: all-zero is a valid, if unusable, value of a C struct of integers and
            // pointers; uv_loop_init fills it below.
            uv: unsafe { mem::zeroed() },
            whole: NonNull::dangling(),
            references: AtomicUsize::new(1),
            owner: Owner::new(),
            #[cfg(unix)]
            own_fds: OwnFds::default(),
            #[cfg(target_os = "linux")]
            resting: Cell::new(false),
            #[cfg(target_os = "linux")]
            orphans: Orphans::default(),
            inbox: Inbox::new(),
            closed: Cell::new(false),
            running: Cell::new(false),
            abandoned: Cell::new(false),
            io_uring: Cell::new(false),
            mode: Cell::new(RunMode::Default),
            stopping: Cell::new(false),
            hooks: Cell::new(None),
            asleep: Cell::new(false),
            panic: Cell::new(None),
            idles: Cell::new(0),
            closing: Cell::new(0),
            interrupted: Cell::new(false),
            requests: RequestList::new(),
            jobs: Jobs::new(),
            unforkable: Cell::new(false),
            slab: Slab::new(),
            written: Written::new(),
            deferral: Deferral::new(),
            #[cfg(unix)]
            reserve: Reserve::new(),
            own_handles: OwnHandles::new(),
        });
        // From here on libuv has pointers to it.
        let raw = Box::into_raw(inner);
        // SAFETY: the memory is a Box's that was leaked just now, and nobody else knows of it, so
        // that it is owned.
        let (inner, free) = unsafe {
            (*raw).whole = NonNull::new_unchecked(raw);
            (&*raw, || drop(Box::from_raw(raw)))
        };
        // SAFETY: the memory is the loop's own and stays where it is. uv_loop_init leaves `data` alone.
        let status = unsafe {
            (*inner.uv()).data = inner.uv().cast();
            uv::uv_loop_init(inner.uv())
        };
        if let Err(error) = Error::check(status, "uv_loop_init") {
            free();
            return Err(error);
        }
        #[cfg(unix)]
        first::made();
        // SAFETY: the loop is initialised, and nobody else knows of it yet.
        if let Err(error) = unsafe { inner.own_handles.start(inner.uv()) } {
            // SAFETY: as above; uv_async_init, first of the three, is the one that can fail, so
            // no handle is left on the loop.
            unsafe { uv::uv_loop_close(inner.uv()) };
            free();
            return Err(error);
        }
        #[cfg(unix)]
        // SAFETY: as above.
        unsafe {
            inner.own_fds.mark_all(inner.uv());
        }
        // SAFETY: as above; the memory stays where it is.
        unsafe {
            inner.jobs.init(inner.uv());
            inner.deferral.init(inner.uv());
        }
        Ok(Loop { shared: NonNull::from(inner.shared()) })
    }

    /// The loop's time, cached once per iteration, in milliseconds (`uv_now`).
    pub fn now(&self) -> Result<u64> {
        let entered = self.enter()?;
        // SAFETY: the loop is open and ours.
        Ok(unsafe { uv::uv_now(entered.uv()) })
    }

    /// Reads the clock anew (`uv_update_time`).
    pub fn update_time(&self) -> Result<()> {
        let entered = self.enter()?;
        // SAFETY: the loop is open and ours.
        unsafe { uv::uv_update_time(entered.uv()) };
        Ok(())
    }

    /// The fd that becomes readable when the loop has something to do (`uv_backend_fd`).
    pub fn fileno(&self) -> Result<i32> {
        let entered = self.enter()?;
        // SAFETY: the loop is open and ours.
        Ok(unsafe { uv::uv_backend_fd(entered.uv()) })
    }

    /// How long a poll may wait: `None` is for ever, as on a loop with nothing to do
    /// (`uv_backend_timeout`).
    pub fn timeout(&self) -> Result<Option<Duration>> {
        let entered = self.enter()?;
        // SAFETY: the loop is open and ours.
        let timeout = unsafe {
            // Of a loop with nothing on it libuv says 0, and whoever embeds it would spin.
            if uv::uv_loop_alive(entered.uv()) == 0 {
                return Ok(None);
            }
            uv::uv_backend_timeout(entered.uv())
        };
        Ok(u64::try_from(timeout).ok().map(Duration::from_millis))
    }

    /// Every handle on the loop that is not internal to something else, closing ones included
    /// (`uv_walk`).
    pub fn handles(&self) -> Result<Vec<Handle>> {
        let entered = self.enter()?;
        let mut handles = Vec::new();
        entered.for_each_handle(|header| {
            if !header.is_hidden() {
                handles.push(header.to_handle());
            }
        });
        Ok(handles)
    }

    /// Cancels every request that the thread pool has not begun. Returns how many that were.
    pub fn cancel_requests(&self) -> Result<usize> {
        let entered = self.enter()?;
        Ok(entered.requests.cancel_all(&entered))
    }

    /// Makes the loop this thread's own until the value returned is dropped, for a call that is
    /// several calls of this crate, or one of libuv's. The thread may have it already.
    ///
    /// Fails with [`Error::WrongThread`] while another thread has the loop.
    pub fn hold(&self) -> Result<Entered<'_>> {
        self.enter()
    }

    /// [`hold`](Loop::hold) of a loop that may be closed.
    pub fn hold_even_closed(&self) -> Result<Entered<'_>> {
        self.shared().enter_even_closed()
    }

    /// The `uv_loop_t`, for crates that bring requests and handles of their own.
    ///
    /// It is valid as long as this loop is open, and may be used only while this thread has
    /// ownership, as a callback, [`hold`](Loop::hold) or the `start` of
    /// [`request::submit`](crate::request::submit) has.
    pub fn as_raw(&self) -> *mut uv::uv_loop_t {
        self.shared.as_ptr().cast()
    }

    pub(crate) fn shared(&self) -> &LoopShared {
        // SAFETY: the allocation lives as long as anything counted in `references` does.
        unsafe { self.shared.as_ref() }
    }

    pub(crate) fn enter(&self) -> Result<Entered<'_>> {
        self.shared().enter()
    }

    /// What a [`Held`] of this loop has for an address.
    pub(crate) fn address(&self) -> *mut Held {
        self.shared.as_ptr().cast()
    }

    /// A reference from the allocation itself.
    pub(crate) fn from_shared(shared: &LoopShared) -> Loop {
        shared.add_reference();
        Loop { shared: NonNull::from(shared) }
    }
}

impl Clone for Loop {
    fn clone(&self) -> Loop {
        Loop::from_shared(self.shared())
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        // SAFETY: this value's own reference is given up, once.
        unsafe { LoopShared::release(self.shared) };
    }
}

impl PartialEq for Loop {
    fn eq(&self, other: &Loop) -> bool {
        self.shared == other.shared
    }
}

impl Eq for Loop {}

impl std::fmt::Debug for Loop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Loop({:p})", self.shared)
    }
}

impl Held {
    /// The loop that a `uv_loop_t` of this crate is the first field of.
    ///
    /// # Safety
    /// `raw` is a live loop made by `Loop::new`, and this thread owns it, as a callback of libuv's
    /// does: it has run() below it on the stack. The reference does not outlive that.
    #[inline]
    pub(crate) unsafe fn from_raw<'a>(raw: *mut uv::uv_loop_t) -> &'a Held {
        // SAFETY: `Held` is repr(C) with the loop first, and the caller vouches for it.
        unsafe { &*raw.cast::<Held>() }
    }

    /// The `uv_loop_t`, valid as long as the loop is this thread's own.
    pub fn as_raw(&self) -> *mut uv::uv_loop_t {
        self.uv()
    }

    pub(crate) fn uv(&self) -> *mut uv::uv_loop_t {
        // The whole allocation is behind the pointer, for `from_raw`.
        ptr::from_ref(self).cast_mut().cast()
    }

    /// A reference to the loop.
    pub fn event_loop(&self) -> Loop {
        Loop::from_shared(self.shared())
    }

    /// For the owner: whether libuv may have requests on io_uring.
    #[cfg(target_os = "linux")]
    pub(crate) fn uses_io_uring(&self) -> bool {
        self.io_uring.get()
    }

    /// For the owner: fails with `UV_EBADF` where libuv's own descriptors were closed, and it could not poll.
    pub(crate) fn check_own_fds(&self) -> Result<()> {
        #[cfg(unix)]
        // SAFETY: the caller owns the loop, which is open.
        unsafe {
            self.own_fds.check(self.uv())?;
        }
        Ok(())
    }

    /// For the owner, who is about to give libuv `fd`: a poll at rest that had the number leaves it.
    pub(crate) fn make_way(&self, fd: Fd) {
        #[cfg(target_os = "linux")]
        resting::let_go(self, fd);
        #[cfg(not(target_os = "linux"))]
        let _ = fd;
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.abandoned.get()
    }

    /// Whether an open handle of the loop has `fd`.
    pub(crate) fn has_fd(&self, fd: Fd) -> bool {
        let mut found = false;
        self.for_each_handle(|header| {
            // A poll of somebody's own that rests is there for whoever has the number next.
            let rests = header.is_hidden()
                && !header.is_active()
                && header.to_handle().downcast_ref::<crate::Poll>().is_some();
            found |= !rests && header.is_open() && header.fileno().is_ok_and(|its| its as Fd == fd);
        });
        found
    }

    /// Calls `f` for each handle that is not the loop's own.
    pub(crate) fn for_each_handle(&self, mut f: impl FnMut(&Header)) {
        let mut headers: Vec<NonNull<Header>> = Vec::new();
        unsafe extern "C" fn collect(handle: *mut uv::uv_handle_t, argument: *mut c_void) {
            // SAFETY: `argument` is the vector below; the loop's own handles have no data, every
            // other handle's data is its header.
            unsafe {
                if let Some(header) = NonNull::new((*handle).data.cast::<Header>()) {
                    (*argument.cast::<Vec<NonNull<Header>>>()).push(header);
                }
            }
        }
        // SAFETY: the loop is ours; `collect` changes nothing of it.
        unsafe { uv::uv_walk(self.uv(), Some(collect), (&raw mut headers).cast()) };
        for header in headers {
            // SAFETY: a handle's memory is freed only in its close callback, from `uv_run`, which
            // `f` does not call.
            f(unsafe { header.as_ref() });
        }
    }
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Held({:p})", ptr::from_ref(self))
    }
}
