//! `uv_loop_t`: the event loop.

use std::cell::{Cell, UnsafeCell};
use std::mem;
use std::os::raw::{c_int, c_void};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering, fence};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use libuv_sys2 as uv;

use crate::error::{Code, Error, Result};
use crate::handle::{Handle, Header};
use crate::hooks::{NoHooks, PollHooks};
use crate::owner::Owner;
use crate::request::RequestList;
use crate::trampoline;

/// How long [`Loop::run`] runs (`uv_run_mode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunMode {
    /// Until nothing is active any more, or [`Loop::stop`].
    Default,
    /// One iteration, waiting for an event if none is due.
    Once,
    /// One iteration, without waiting.
    NoWait,
}

/// An option of [`Loop::configure`] (`uv_loop_option`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Configure {
    /// Block `SIGPROF` while polling, to spare a profiler's wakeups.
    BlockSigprof,
    /// Measure the time spent waiting, for [`Metrics::idle_time`](crate::Metrics::idle_time).
    MetricsIdleTime,
    /// Submit filesystem operations to io_uring where the kernel has it.
    IoUring,
}

/// An event loop (`uv_loop_t`).
///
/// A `Loop` is a reference: clones mean the same loop. When the last `Loop` and the last handle
/// on it are gone, so that nobody can run it any more, it is torn down: what is left on it is
/// closed, nothing is called.
pub struct Loop {
    inner: NonNull<LoopInner>,
}

// SAFETY: everything a `Loop` reaches is atomic, behind a mutex, or touched only after
// `LoopInner::enter` has made this thread the loop's owner.
unsafe impl Send for Loop {}
// SAFETY: as for Send.
unsafe impl Sync for Loop {}

/// The allocation behind a `Loop`. libuv knows it as a `uv_loop_t`, which is its first field.
#[repr(C)]
pub(crate) struct LoopInner {
    uv: UnsafeCell<uv::uv_loop_t>,
    /// `Loop` and `Handle` values: those who could still run or use this loop.
    references: AtomicUsize,
    owner: Owner,
    /// References given up by a thread that could not take the loop; the owner drops them.
    inbox: UnsafeCell<Mutex<Vec<InboxEntry>>>,

    // What follows is the owner's.
    closed: Cell<bool>,
    running: Cell<bool>,
    /// Being torn down: closures are dropped, not called.
    abandoned: Cell<bool>,
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
    /// Polls started since libuv last polled, to be checked before it meets their fds.
    pub(crate) fresh_polls: Cell<Vec<NonNull<Header>>>,
    pub(crate) requests: RequestList,
    /// In a callback that libuv's lists would not bear `uv_loop_fork` in.
    pub(crate) unforkable: Cell<bool>,

    // Handles of the loop's own. They are unreferenced and do not keep it alive.
    wakeup: UnsafeCell<uv::uv_async_t>,
    before_poll: UnsafeCell<uv::uv_prepare_t>,
    after_poll: UnsafeCell<uv::uv_check_t>,
}

/// A handle reference on its way to the loop's owner.
pub(crate) struct InboxEntry(pub(crate) NonNull<Header>);

// SAFETY: only the loop's owner looks behind the pointer.
unsafe impl Send for InboxEntry {}

/// Proof that this thread owns the loop, until it is dropped.
pub(crate) struct Entered<'a> {
    inner: &'a LoopInner,
    give_back: bool,
}

impl Entered<'_> {
    pub(crate) fn uv(&self) -> *mut uv::uv_loop_t {
        self.inner.uv.get()
    }
}

impl std::ops::Deref for Entered<'_> {
    type Target = LoopInner;
    fn deref(&self) -> &LoopInner {
        self.inner
    }
}

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.give_back {
            self.inner.owner.give_back();
        }
    }
}

/// A loop that is this thread's own: see [`Loop::hold`].
pub struct Held<'a>(Entered<'a>);

impl<'a> Held<'a> {
    pub(crate) fn new(entered: Entered<'a>) -> Held<'a> {
        Held(entered)
    }

    /// The `uv_loop_t`, valid as long as this value.
    pub fn as_raw(&self) -> *mut uv::uv_loop_t {
        self.0.uv()
    }
}

impl Loop {
    /// A new loop (`uv_loop_init`). Fails with `UV_EMFILE` where no fd is left.
    pub fn new() -> Result<Loop> {
        reap();
        let inner = Box::new(LoopInner {
            // SAFETY: all-zero is a valid, if unusable, value of a C struct of integers and
            // pointers; uv_loop_init fills it below.
            uv: unsafe { mem::zeroed() },
            references: AtomicUsize::new(1),
            owner: Owner::new(),
            inbox: UnsafeCell::new(Mutex::new(Vec::new())),
            closed: Cell::new(false),
            running: Cell::new(false),
            abandoned: Cell::new(false),
            mode: Cell::new(RunMode::Default),
            stopping: Cell::new(false),
            hooks: Cell::new(None),
            asleep: Cell::new(false),
            panic: Cell::new(None),
            idles: Cell::new(0),
            closing: Cell::new(0),
            fresh_polls: Cell::new(Vec::new()),
            requests: RequestList::new(),
            unforkable: Cell::new(false),
            // SAFETY: as for `uv`; the init functions below fill them.
            wakeup: unsafe { mem::zeroed() },
            // SAFETY: as above.
            before_poll: unsafe { mem::zeroed() },
            // SAFETY: as above.
            after_poll: unsafe { mem::zeroed() },
        });
        // SAFETY: the memory is the loop's own and stays where it is.
        Error::check(unsafe { uv::uv_loop_init(inner.uv.get()) }, "uv_loop_init")?;
        // SAFETY: the loop is initialised, and nobody else knows of it yet.
        if let Err(error) = unsafe { inner.start_own_handles() } {
            // SAFETY: as above; uv_async_init, first of the three, is the one that can fail, so
            // no handle is left on the loop.
            unsafe { uv::uv_loop_close(inner.uv.get()) };
            return Err(error);
        }
        Ok(Loop { inner: NonNull::from(Box::leak(inner)) })
    }

    /// Runs the loop (`uv_run`). Returns whether anything is still active.
    ///
    /// Fails with [`Error::AlreadyRunning`] from inside a callback, and with
    /// [`Error::Panicked`] when a callback panicked; the loop was stopped then.
    pub fn run(&self, mode: RunMode) -> Result<bool> {
        self.run_with(mode, &NoHooks)
    }

    /// [`run`](Loop::run), with `hooks` called around each poll phase.
    pub fn run_with(&self, mode: RunMode, hooks: &dyn PollHooks) -> Result<bool> {
        let entered = self.enter()?;
        entered.check_backend()?;
        if entered.running.replace(true) {
            return Err(Error::AlreadyRunning);
        }
        // SAFETY: only the lifetime changes; the pointer is taken back below, before the borrow
        // of `hooks` ends.
        let hooks = unsafe { mem::transmute::<&dyn PollHooks, &'static dyn PollHooks>(hooks) };
        entered.hooks.set(Some(NonNull::from(hooks)));
        entered.mode.set(mode);
        entered.empty_inbox();
        // SAFETY: the loop is open, ours and not running.
        let more = unsafe {
            uv::uv_run(
                entered.uv(),
                match mode {
                    RunMode::Default => uv::uv_run_mode_UV_RUN_DEFAULT,
                    RunMode::Once => uv::uv_run_mode_UV_RUN_ONCE,
                    RunMode::NoWait => uv::uv_run_mode_UV_RUN_NOWAIT,
                },
            )
        };
        entered.awake();
        entered.hooks.set(None);
        entered.stopping.set(false);
        entered.running.set(false);
        entered.empty_inbox();
        match entered.panic.take() {
            Some(message) => Err(Error::Panicked(message)),
            None => Ok(more != 0),
        }
    }

    /// Makes [`run`](Loop::run) return after this iteration, or the next one end after one round
    /// (`uv_stop`).
    pub fn stop(&self) -> Result<()> {
        self.enter()?.stop();
        Ok(())
    }

    /// Whether anything is active, referenced or closing (`uv_loop_alive`).
    pub fn is_alive(&self) -> Result<bool> {
        let entered = self.enter()?;
        // SAFETY: the loop is open and ours.
        Ok(unsafe { uv::uv_loop_alive(entered.uv()) } != 0)
    }

    /// Whether [`run`](Loop::run) is on the stack, in the thread that asks.
    pub fn is_running(&self) -> bool {
        self.enter().is_ok_and(|entered| entered.running.get())
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

    /// How long a poll may wait: `None` is for ever (`uv_backend_timeout`).
    pub fn timeout(&self) -> Result<Option<Duration>> {
        let entered = self.enter()?;
        // SAFETY: the loop is open and ours.
        let timeout = unsafe { uv::uv_backend_timeout(entered.uv()) };
        Ok(u64::try_from(timeout).ok().map(Duration::from_millis))
    }

    /// Sets an option (`uv_loop_configure`), before the loop first runs. Fails with `UV_ENOSYS`
    /// where the platform has no such thing.
    pub fn configure(&self, option: Configure) -> Result<()> {
        let entered = self.enter()?;
        // SAFETY: the loop is open and ours, and each option gets the arguments it documents.
        let status = unsafe {
            match option {
                Configure::BlockSigprof => uv::uv_loop_configure(
                    entered.uv(),
                    uv::uv_loop_option_UV_LOOP_BLOCK_SIGNAL,
                    sigprof(),
                ),
                Configure::MetricsIdleTime => {
                    uv::uv_loop_configure(entered.uv(), uv::uv_loop_option_UV_METRICS_IDLE_TIME)
                }
                Configure::IoUring => uv::uv_loop_configure(
                    entered.uv(),
                    uv::uv_loop_option_UV_LOOP_USE_IO_URING_SQPOLL,
                ),
            }
        };
        Error::check(status, format!("{option:?}"))?;
        Ok(())
    }

    /// Makes the loop usable in a child after `fork()` (`uv_loop_fork`).
    ///
    /// Fails with `UV_EBUSY` in the callback of a handle that watches files. An error of a handle
    /// that could not go on (a path that can no longer be watched) comes last: the handle has
    /// stopped, and the loop is usable.
    pub fn fork(&self) -> Result<()> {
        let inner = self.inner();
        let forked = inner.owner.forked();
        let unforkable =
            || Err(Error::new(Code::EBUSY, "Loop.fork in a callback of an FSEvent handle"));
        if forked {
            // Nobody else is in this process; the loop stays the parent's.
            if inner.unforkable.get() {
                return unforkable();
            }
            inner.owner.adopt();
            // A thread that stayed behind may have held the lock; if not, nothing is lost.
            let entries =
                inner.inbox().try_lock().map_or_else(|_| Vec::new(), |mut e| mem::take(&mut *e));
            // SAFETY: in the child this is the only thread, so nobody is using the mutex.
            unsafe { inner.inbox.get().write(Mutex::new(entries)) };
        }
        let entered = self.enter()?;
        if entered.unforkable.get() {
            return unforkable();
        }
        if forked {
            entered.for_each_handle(|header| header.after_fork());
        }
        entered.for_each_handle(|header| header.before_loop_fork());
        crate::poll::recheck_all(&entered);
        // SAFETY: the loop is open and ours.
        Error::check(unsafe { uv::uv_loop_fork(entered.uv()) }, "uv_loop_fork")?;
        let mut outcome = Ok(());
        entered.for_each_handle(|header| {
            let restored = header.after_loop_fork();
            if outcome.is_ok() {
                outcome = restored;
            }
        });
        outcome
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

    /// Closes the loop and gives its fds back (`uv_loop_close`). Runs what is already closing to
    /// its end first.
    ///
    /// Fails with `UV_EBUSY`, naming what is open, while there are open handles or requests in
    /// flight; with [`Error::AlreadyRunning`] from inside a callback.
    pub fn close(&self) -> Result<()> {
        let entered = self.enter()?;
        if entered.running.get() {
            return Err(Error::AlreadyRunning);
        }
        entered.check_backend()?;
        entered.empty_inbox();
        let open = entered.open();
        if !open.is_empty() {
            return Err(still_open(&open));
        }
        // Close callbacks come while the loop is whole: what they make stands in the way again.
        entered.running.set(true);
        entered.run_closing();
        entered.running.set(false);
        entered.stopping.set(false);
        entered.empty_inbox();
        if let Some(message) = entered.panic.take() {
            return Err(Error::Panicked(message));
        }
        let open = entered.open();
        if !open.is_empty() {
            return Err(still_open(&open));
        }
        entered.tear_down();
        match entered.panic.take() {
            Some(message) => Err(Error::Panicked(message)),
            None => Ok(()),
        }
    }

    /// Whether the loop was closed.
    pub fn is_closed(&self) -> bool {
        match self.inner().owner.take() {
            Ok(give_back) => {
                let entered = Entered { inner: self.inner(), give_back };
                entered.closed.get()
            }
            Err(_) => false,
        }
    }

    /// Cancels every request that the thread pool has not begun. Returns how many that were.
    pub fn cancel_requests(&self) -> Result<usize> {
        let entered = self.enter()?;
        Ok(entered.requests.cancel_all())
    }

    /// Makes the loop this thread's own until the value returned is dropped, for a call that is
    /// several calls of this crate, or one of libuv's.
    ///
    /// Fails with [`Error::WrongThread`] while another thread has the loop.
    pub fn hold(&self) -> Result<Held<'_>> {
        Ok(Held(self.enter()?))
    }

    /// The `uv_loop_t`, for crates that bring requests and handles of their own.
    ///
    /// It is valid as long as this loop is open, and may be used only while this thread has
    /// ownership, as a callback, [`hold`](Loop::hold) or the `start` of
    /// [`request::submit`](crate::request::submit) has.
    pub fn as_raw(&self) -> *mut uv::uv_loop_t {
        self.inner().uv.get()
    }

    pub(crate) fn inner(&self) -> &LoopInner {
        // SAFETY: the allocation lives as long as anything counted in `references` does.
        unsafe { self.inner.as_ref() }
    }

    pub(crate) fn enter(&self) -> Result<Entered<'_>> {
        self.inner().enter()
    }

    /// A reference from the allocation itself.
    pub(crate) fn from_inner(inner: &LoopInner) -> Loop {
        inner.add_reference();
        Loop { inner: NonNull::from(inner) }
    }
}

impl Clone for Loop {
    fn clone(&self) -> Loop {
        Loop::from_inner(self.inner())
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        // SAFETY: this value's own reference is given up, once.
        unsafe { LoopInner::release(self.inner) };
    }
}

impl PartialEq for Loop {
    fn eq(&self, other: &Loop) -> bool {
        self.inner == other.inner
    }
}

impl Eq for Loop {}

impl std::fmt::Debug for Loop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Loop({:p})", self.inner)
    }
}

impl LoopInner {
    /// The allocation that a `uv_loop_t` of this crate is the first field of.
    ///
    /// # Safety
    /// `raw` is a live loop made by `Loop::new`.
    #[inline]
    pub(crate) unsafe fn from_raw<'a>(raw: *mut uv::uv_loop_t) -> &'a LoopInner {
        // SAFETY: `LoopInner` is repr(C) with the loop first, and the caller vouches for it.
        unsafe { &*raw.cast::<LoopInner>() }
    }

    /// Makes this thread the owner, or says why it cannot be.
    #[inline]
    pub(crate) fn enter(&self) -> Result<Entered<'_>> {
        let give_back = self.owner.take()?;
        let entered = Entered { inner: self, give_back };
        if self.closed.get() {
            return Err(Error::LoopClosed);
        }
        Ok(entered)
    }

    pub(crate) fn uv(&self) -> *mut uv::uv_loop_t {
        self.uv.get()
    }

    /// The handles that nobody has closed, and the requests in flight, in words.
    fn open(&self) -> Vec<String> {
        let mut open: Vec<String> = Vec::new();
        self.for_each_handle(|header| {
            let name = header.describe();
            // The parts of one thing say its name once.
            if header.is_open() && !(header.is_hidden() && open.contains(&name)) {
                open.push(name);
            }
        });
        match self.requests.len() {
            0 => {}
            1 => open.push("1 request in flight".to_owned()),
            many => open.push(format!("{many} requests in flight")),
        }
        open
    }

    /// Whether the loop's own fd is still open. `fileno` hands it out, and libuv aborts the
    /// process when it polls one that somebody has closed.
    fn check_backend(&self) -> Result<()> {
        #[cfg(unix)]
        {
            // SAFETY: the loop is open and the caller's; F_GETFD only asks.
            let (fd, status) = unsafe {
                let fd = uv::uv_backend_fd(self.uv());
                (fd, libc::fcntl(fd, libc::F_GETFD))
            };
            if status == -1 {
                return Err(Error::new(Code::EBADF, format!("somebody closed the loop's fd {fd}")));
            }
        }
        Ok(())
    }

    pub(crate) fn is_forked(&self) -> bool {
        self.owner.forked()
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.abandoned.get()
    }

    pub(crate) fn add_reference(&self) {
        self.references.fetch_add(1, Ordering::Relaxed);
    }

    /// Gives up one reference; the last one tears the loop down.
    ///
    /// # Safety
    /// The caller owns one of the references counted, and does not use it again.
    pub(crate) unsafe fn release(inner: NonNull<LoopInner>) {
        // SAFETY: the caller's reference keeps the allocation alive up to here.
        let this = unsafe { inner.as_ref() };
        if this.references.fetch_sub(1, Ordering::Release) == 1 {
            fence(Ordering::Acquire);
            abandon(inner);
        }
    }

    pub(crate) fn stop(&self) {
        self.stopping.set(true);
        // SAFETY: the caller owns the loop.
        unsafe { uv::uv_stop(self.uv()) };
    }

    /// Ends the poll phase's sleep, if it is one.
    #[inline]
    pub(crate) fn awake(&self) {
        if self.asleep.get() {
            self.wake_up();
        }
    }

    #[cold]
    fn wake_up(&self) {
        self.asleep.set(false);
        if let Some(hooks) = self.hooks.get() {
            // SAFETY: `run_with` holds the borrow behind this pointer until it clears it.
            unsafe { hooks.as_ref() }.after_poll();
        }
    }

    pub(crate) fn panicked(&self, message: String) {
        self.panic.set(Some(message));
        self.stop();
    }

    fn inbox(&self) -> &Mutex<Vec<InboxEntry>> {
        // SAFETY: the mutex is replaced only by `Loop::fork` in a child, where this is the only
        // thread.
        unsafe { &*self.inbox.get() }
    }

    /// Hands a handle's reference to whoever owns the loop, who will drop it.
    pub(crate) fn send_to_owner(&self, entry: InboxEntry) {
        self.inbox().lock().unwrap_or_else(PoisonError::into_inner).push(entry);
        if self.owner.forked() {
            // The eventfd is the parent's too. `Loop::fork` is what makes this loop ours.
            return;
        }
        // SAFETY: the caller holds a reference, so the loop is not torn down; `wakeup` is closed
        // only then or by `close`, after which it is no longer sent to.
        unsafe {
            if !self.closed.get() {
                uv::uv_async_send(self.wakeup.get());
            }
        }
        // The owner may have left just before the push.
        if let Ok(entered) = self.enter() {
            entered.empty_inbox();
        }
    }

    /// Drops what other threads handed over.
    fn empty_inbox(&self) {
        let entries = mem::take(&mut *self.inbox().lock().unwrap_or_else(PoisonError::into_inner));
        for entry in entries {
            // SAFETY: the entry carries one reference of the handle's, and this thread owns the
            // loop.
            unsafe { Header::drop_reference(entry.0) };
        }
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
        // SAFETY: the caller owns the loop; `collect` changes nothing of it.
        unsafe { uv::uv_walk(self.uv(), Some(collect), (&raw mut headers).cast()) };
        for header in headers {
            // SAFETY: a handle's memory is freed only in its close callback, from `uv_run`, which
            // `f` does not call.
            f(unsafe { header.as_ref() });
        }
    }

    /// Starts the wakeup and the two handles around the poll phase.
    ///
    /// # Safety
    /// The loop is initialised and nobody else uses it; called once.
    unsafe fn start_own_handles(&self) -> Result<()> {
        // SAFETY: the memory is part of the loop's allocation, which outlives the handles; the
        // loop is initialised. Their `data` stays null, which marks them as the loop's own.
        unsafe {
            Error::check(
                uv::uv_async_init(self.uv(), self.wakeup.get(), Some(on_wakeup)),
                "uv_async_init",
            )?;
            // Started first, and therefore run last: libuv runs the newest prepare handle first.
            uv::uv_prepare_init(self.uv(), self.before_poll.get());
            uv::uv_prepare_start(self.before_poll.get(), Some(on_before_poll));
            uv::uv_check_init(self.uv(), self.after_poll.get());
            uv::uv_check_start(self.after_poll.get(), Some(on_after_poll));
            for handle in self.own_handles() {
                uv::uv_unref(handle);
            }
        }
        Ok(())
    }

    fn own_handles(&self) -> [*mut uv::uv_handle_t; 3] {
        [self.wakeup.get().cast(), self.before_poll.get().cast(), self.after_poll.get().cast()]
    }

    /// Closes the loop's own handles, runs everything that is closing to its end, and closes the
    /// loop. Nothing but closing handles may be on it.
    fn tear_down(&self) {
        self.running.set(true);
        // SAFETY: the loop is open and ours, and its own handles are closed here and nowhere else.
        unsafe {
            for handle in self.own_handles() {
                uv::uv_close(handle, None);
            }
            self.run_closing();
            let status = uv::uv_loop_close(self.uv());
            debug_assert_eq!(status, 0, "a handle or request survived");
        }
        self.closed.set(true);
        self.running.set(false);
    }

    /// Runs close callbacks until none is left.
    fn run_closing(&self) {
        // Referenced or not, a closing handle keeps `uv_loop_alive` true; what a close callback
        // starts or closes is covered by the condition.
        loop {
            // SAFETY: the loop is open, ours, and not running.
            unsafe {
                uv::uv_run(self.uv(), uv::uv_run_mode_UV_RUN_NOWAIT);
            }
            if self.closing.get() == 0 {
                break;
            }
        }
    }
}

fn still_open(open: &[String]) -> Error {
    Error::new(Code::EBUSY, format!("still open: {}", open.join(", ")))
}

/// Loops whose last reference went while a thread pool job still had to report to them.
static GRAVEYARD: Mutex<Vec<Grave>> = Mutex::new(Vec::new());

struct Grave(NonNull<LoopInner>);

// SAFETY: nobody else has the pointer.
unsafe impl Send for Grave {}

/// The last reference to a loop is gone: closes what is on it and frees it, now or, if the thread
/// pool is still at work for it, at a later `reap`.
fn abandon(inner: NonNull<LoopInner>) {
    // SAFETY: there is no reference but this one, and the allocation is still whole.
    let this = unsafe { inner.as_ref() };
    if this.owner.forked() {
        // The epoll fd is shared with the parent: closing handles here would deregister the
        // parent's. The memory goes with the process.
        return;
    }
    // Nobody else can own the loop: an owner has a reference. (This may be the thread that owned
    // it just now, so ownership is taken whatever `take` says.)
    let _ = this.owner.take();
    if !this.closed.get() && this.check_backend().is_err() {
        // It cannot be polled, so nothing on it can be closed in order.
        return;
    }
    if !this.closed.get() {
        this.abandoned.set(true);
        this.empty_inbox();
        this.for_each_handle(|header| header.close_silently());
        this.requests.cancel_all();
        this.run_closing();
        if this.requests.len() != 0 {
            this.owner.give_back();
            GRAVEYARD.lock().unwrap_or_else(PoisonError::into_inner).push(Grave(inner));
            return;
        }
        this.tear_down();
    }
    // SAFETY: the loop is closed, no handle and no reference is left; it came from `Box::leak`.
    drop(unsafe { Box::from_raw(inner.as_ptr()) });
}

/// Frees abandoned loops whose last request has ended.
pub(crate) fn reap() {
    let Ok(mut graves) = GRAVEYARD.try_lock() else { return };
    let waiting = mem::take(&mut *graves);
    drop(graves);
    for grave in waiting {
        abandon(grave.0);
    }
}

#[cfg(unix)]
fn sigprof() -> c_int {
    libc::SIGPROF
}

#[cfg(not(unix))]
fn sigprof() -> c_int {
    0
}

unsafe extern "C" fn on_wakeup(handle: *mut uv::uv_async_t) {
    // SAFETY: the handle belongs to a live loop of this crate.
    let inner = unsafe { LoopInner::from_raw((*handle).loop_) };
    trampoline::enter(inner, || inner.empty_inbox());
}

unsafe extern "C" fn on_before_poll(handle: *mut uv::uv_prepare_t) {
    // SAFETY: the handle belongs to a live loop of this crate.
    let inner = unsafe { LoopInner::from_raw((*handle).loop_) };
    trampoline::enter(inner, || {
        crate::poll::check_fresh(inner);
        let may_block = inner.mode.get() != RunMode::NoWait
            && !inner.stopping.get()
            && inner.idles.get() == 0
            && inner.closing.get() == 0;
        if let Some(hooks) = inner.hooks.get() {
            // SAFETY: `run_with` holds the borrow behind this pointer until it clears it.
            inner.asleep.set(unsafe { hooks.as_ref() }.before_poll(may_block));
        }
        if may_block {
            inner.requests.gather();
        }
    });
}

unsafe extern "C" fn on_after_poll(handle: *mut uv::uv_check_t) {
    // SAFETY: the handle belongs to a live loop of this crate.
    let inner = unsafe { LoopInner::from_raw((*handle).loop_) };
    trampoline::enter(inner, || ());
}
