//! `uv_req_t`: work in flight, and how it reports.
//!
//! A request is one heap allocation: a header, the `uv_*_t`, and the closure that gets its
//! outcome. libuv holds it from [`submit`] to its callback; a [`Request`], for `cancel`, may hold
//! it longer. Crates that bring requests of their own (`pyuv-fs`, `pyuv-dns`) use [`submit`] and
//! [`complete`].

use std::cell::Cell;
use std::mem::MaybeUninit;
use std::os::raw::c_int;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering, fence};

use libuv_sys2 as uv;

use crate::error::{Error, Result};
use crate::job;
use crate::r#loop::{Held, Loop, LoopShared};
use crate::pool;
use crate::trampoline;

/// A `uv_*_t` that is a request.
///
/// # Safety
/// The type begins with the fields of `uv_req_t`, has no value that is invalid, and `cleanup`
/// frees what libuv hung on it.
pub unsafe trait RawRequest: Sized {
    /// Frees what libuv allocated for the request, after its callback.
    ///
    /// # Safety
    /// `request` was submitted, and its callback has been called or libuv refused it.
    unsafe fn cleanup(request: *mut Self);
}

/// What is called with the finished request and libuv's status for it.
///
/// # Safety
/// The pointer is valid for the duration of the call.
type Done<U> = Box<dyn FnOnce(&Held, *mut U, c_int) + Send>;

/// Requests in flight on all loops of the process.
static IN_FLIGHT: AtomicUsize = AtomicUsize::new(0);

/// How many requests are in flight in this process, on whichever loop.
pub fn in_flight() -> usize {
    IN_FLIGHT.load(Ordering::Relaxed)
}

/// Whether there has been a request, and so a thread pool, in this process or one it is a fork of.
static POOL_STARTED: AtomicBool = AtomicBool::new(false);

/// Whether libuv may have threads to join when the process ends. In a forked child they are the
/// parent's, which cannot be joined there.
pub fn pool_started() -> bool {
    POOL_STARTED.load(Ordering::Relaxed)
}

/// Requests in flight on a loop, as a list through their headers.
pub(crate) struct RequestList {
    first: Cell<*const Header>,
    length: Cell<usize>,
}

impl RequestList {
    pub(crate) fn new() -> RequestList {
        RequestList { first: Cell::new(ptr::null()), length: Cell::new(0) }
    }

    pub(crate) fn len(&self) -> usize {
        self.length.get()
    }

    /// # Safety
    /// The pointer is to a request's whole allocation, which stays until it has
    /// [`ended`](Header::ended).
    pub(crate) unsafe fn insert(&self, request: NonNull<Header>) {
        let next = self.first.replace(request.as_ptr());
        // SAFETY: the caller vouches for it.
        let header = unsafe { request.as_ref() };
        header.next.set(next);
        header.previous.set(ptr::null());
        // SAFETY: what is on the list is alive, and the owner's alone.
        if let Some(next) = unsafe { next.as_ref() } {
            next.previous.set(request.as_ptr());
        }
        self.length.set(self.length.get() + 1);
        IN_FLIGHT.fetch_add(1, Ordering::Relaxed);
        POOL_STARTED.store(true, Ordering::Relaxed);
    }

    fn remove(&self, header: &Header) {
        let (previous, next) = (header.previous.get(), header.next.get());
        // SAFETY: what is on the list is alive, and the owner's alone.
        unsafe {
            match previous.as_ref() {
                Some(previous) => previous.next.set(next),
                None => self.first.set(next),
            }
            if let Some(next) = next.as_ref() {
                next.previous.set(previous);
            }
        }
        self.length.set(self.length.get() - 1);
        IN_FLIGHT.fetch_sub(1, Ordering::Relaxed);
    }

    /// Calls `f` for each request in flight.
    fn for_each(&self, mut f: impl FnMut(NonNull<Header>, &Header)) {
        let mut next = self.first.get();
        while let Some(request) = NonNull::new(next.cast_mut()) {
            // SAFETY: what is on the list is alive, and the owner's alone.
            let header = unsafe { request.as_ref() };
            next = header.next.get();
            f(request, header);
        }
    }

    /// Calls `f` for each job.
    pub(crate) fn for_each_job(&self, mut f: impl FnMut(NonNull<Header>)) {
        self.for_each(|request, header| {
            if header.is_job {
                f(request);
            }
        });
    }

    /// Calls `f` for each request of libuv's own.
    pub(crate) fn for_each_of_the_pool(&self, mut f: impl FnMut(*mut uv::uv_req_t)) {
        self.for_each(|request, header| {
            if !header.is_job {
                f(uv_of(request));
            }
        });
    }

    /// Cancels what the thread pool has not begun; says how many. Their callbacks come later.
    pub(crate) fn cancel_all(&self, held: &Held) -> usize {
        let mut cancelled = 0;
        self.for_each(|request, _| {
            // SAFETY: the request is on the list. To cancel it calls nothing.
            cancelled += usize::from(unsafe { cancel(held, request) });
        });
        cancelled
    }
}

/// The part of a request's allocation that does not depend on what it is.
#[repr(C)]
pub(crate) struct Header {
    /// libuv's reference, and that of the `Request`.
    references: AtomicU8,
    cancellable: Cell<bool>,
    /// A [`Job`](crate::Job), not a `uv_req_t`.
    is_job: bool,
    event_loop: NonNull<LoopShared>,
    previous: Cell<*const Header>,
    next: Cell<*const Header>,
    free: unsafe fn(NonNull<Header>),
}

#[repr(C)]
struct Allocation<U> {
    header: Header,
    uv: MaybeUninit<U>,
    done: Option<Done<U>>,
}

impl Header {
    /// The header of a job, with two references: the loop's and the `Request`'s.
    pub(crate) fn of_job(event_loop: &LoopShared, free: unsafe fn(NonNull<Header>)) -> Header {
        Header {
            references: AtomicU8::new(2),
            cancellable: Cell::new(true),
            is_job: true,
            event_loop: NonNull::from(event_loop),
            previous: Cell::new(ptr::null()),
            next: Cell::new(ptr::null()),
            free,
        }
    }

    /// Takes the request off the list of those in flight.
    pub(crate) fn ended(&self, held: &Held) {
        self.cancellable.set(false);
        held.requests.remove(self);
    }

    pub(crate) fn add_reference(&self) {
        self.references.fetch_add(1, Ordering::Relaxed);
    }

    /// # Safety
    /// The caller gives up a reference that it has.
    pub(crate) unsafe fn drop_reference(header: NonNull<Header>) {
        // SAFETY: the caller's reference keeps it alive until here.
        let this = unsafe { header.as_ref() };
        if this.references.fetch_sub(1, Ordering::Release) == 1 {
            fence(Ordering::Acquire);
            // SAFETY: nobody has a reference any more.
            unsafe { (this.free)(header) };
        }
    }
}

/// The `uv_*_t` of an allocation.
fn uv_of(request: NonNull<Header>) -> *mut uv::uv_req_t {
    request.as_ptr().wrapping_byte_add(size_of::<Header>()).cast()
}

/// Takes a request back that the pool has not begun. Returns whether it could be.
///
/// # Safety
/// The pointer is to a whole allocation, of a request on this loop.
unsafe fn cancel(held: &Held, request: NonNull<Header>) -> bool {
    // SAFETY: the caller vouches for it.
    let header = unsafe { request.as_ref() };
    // SAFETY: where it is cancellable it is in flight, and its loop is this thread's.
    let cancelled = header.cancellable.get()
        && unsafe {
            if header.is_job {
                job::cancel(held, request)
            } else {
                uv::uv_cancel(uv_of(request)) == 0
            }
        };
    if cancelled {
        header.cancellable.set(false);
    }
    cancelled
}

/// # Safety
/// Nobody uses the allocation any more, which was leaked from a Box of this type.
unsafe fn free<U>(header: NonNull<Header>) {
    // SAFETY: the caller says so; the header is its first field.
    drop(unsafe { Box::from_raw(header.as_ptr().cast::<Allocation<U>>()) });
}

/// A request in flight, or done. Dropping it does not cancel anything.
pub struct Request {
    header: NonNull<Header>,
    event_loop: Loop,
}

// SAFETY: what a `Request` reaches is atomic, or touched only by the loop's owner.
unsafe impl Send for Request {}
// SAFETY: as for Send.
unsafe impl Sync for Request {}

impl Request {
    /// # Safety
    /// The caller gives the reference to the header, which is of a request on that loop.
    pub(crate) unsafe fn new(header: NonNull<Header>, event_loop: &Loop) -> Request {
        Request { header, event_loop: event_loop.clone() }
    }

    /// Cancels the request if it has not begun (`uv_cancel`); its callback then gets
    /// `UV_ECANCELED`. Returns whether it did; false for one that is running or done.
    pub fn cancel(&self) -> Result<bool> {
        let entered = match self.event_loop.enter() {
            Err(Error::LoopClosed) => return Ok(false),
            entered => entered?,
        };
        // SAFETY: this reference keeps the allocation alive.
        Ok(unsafe { cancel(&entered, self.header) })
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        // SAFETY: this value's own reference.
        unsafe { Header::drop_reference(self.header) };
    }
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Request({:p})", self.header)
    }
}

/// Allocates a request, hands it to libuv by `start`, and has `done` called when it is finished.
///
/// `what` names what is tried, for the error when libuv refuses at once; `done` is dropped then.
///
/// # Safety
/// `start` passes its request to one libuv function, with a callback that calls [`complete`], and
/// returns what that returned. What the request points to stays valid until `done` is dropped.
pub unsafe fn submit<U: RawRequest>(
    event_loop: &Loop,
    what: impl FnOnce() -> String,
    start: impl FnOnce(*mut uv::uv_loop_t, *mut U) -> c_int,
    done: impl FnOnce(&Held, *mut U, c_int) + Send + 'static,
) -> Result<Request> {
    const {
        assert!(std::mem::offset_of!(Allocation<U>, uv) == size_of::<Header>());
    }
    let entered = event_loop.enter()?;
    pool::ensure()?;
    let raw = Box::into_raw(Box::new(Allocation::<U> {
        header: Header { is_job: false, ..Header::of_job(event_loop.shared(), free::<U>) },
        uv: MaybeUninit::uninit(),
        done: Some(Box::new(done)),
    }));
    // SAFETY: from Box::into_raw, so not null.
    let header = unsafe { NonNull::new_unchecked(raw.cast::<Header>()) };
    let request: *mut U = uv_of(header).cast();
    // SAFETY: `data` is a field of every request, which libuv's functions leave alone.
    unsafe { (&raw mut (*request.cast::<uv::uv_req_t>()).data).write(raw.cast()) };
    let status = start(entered.uv(), request);
    if status < 0 {
        // SAFETY: libuv refused, so it has no pointer to the request, and nobody else has.
        unsafe {
            U::cleanup(request);
            free::<U>(header);
        }
        return Err(Error::check(status, what()).unwrap_err());
    }
    // SAFETY: the allocation is whole; the second of its two references.
    unsafe {
        entered.requests.insert(header);
        Ok(Request::new(header, event_loop))
    }
}

/// For libuv's callbacks: ends the request and calls the `done` it was submitted with, unless the
/// loop is being torn down.
///
/// # Safety
/// `request` was given by libuv to the callback that [`submit`]'s `start` passed.
pub unsafe fn complete<U: RawRequest>(request: *mut U, status: c_int) {
    // SAFETY: `data` is the allocation, alive by libuv's reference.
    let allocation = unsafe { (*request.cast::<uv::uv_req_t>()).data.cast::<Allocation<U>>() };
    // SAFETY: as above.
    let header = unsafe { &(*allocation).header };
    // SAFETY: the request, and so its `Request` or the loop's graveyard, keeps the loop; this is a
    // callback of libuv's.
    let inner = unsafe { header.event_loop.as_ref().held() };
    header.ended(inner);
    // SAFETY: only this takes the closure.
    let done = unsafe { (*allocation).done.take() };
    trampoline::enter(inner, || {
        if let Some(done) = done
            && !inner.is_abandoned()
        {
            done(inner, request, status);
        }
    });
    // SAFETY: the callback has been called, and libuv's reference ends here.
    unsafe {
        U::cleanup(request);
        Header::drop_reference(NonNull::new_unchecked(allocation.cast()));
    }
}
