//! `uv_handle_t`: what all handles share, and how long they live.
//!
//! A handle is one heap allocation: a [`Header`], the `uv_*_t`, and the closure that its callback
//! runs. References to it are counted: libuv holds one from init until its close callback has
//! run, every Rust value ([`Handle`], [`Timer`](crate::Timer), …) another. So nothing that safe
//! Rust drops, in whatever order, can free memory that libuv still points to.
//!
//! A Rust value may be dropped on any thread. If this thread can own the loop, the reference is
//! dropped at once, and a handle that nobody can reach any more is closed if it is inactive.
//! Otherwise the reference travels to the owner through the loop's inbox.

use std::cell::{Cell, UnsafeCell};
use std::mem::{self, ManuallyDrop, offset_of};
use std::ops::Deref;
use std::os::raw::{c_int, c_void};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, Ordering, fence};

use libuv_sys2 as uv;

use crate::error::{Code, Error, Result};
use crate::r#loop::{InboxEntry, Loop, LoopInner};
use crate::trampoline;

macro_rules! handle_types {
    ($($variant:ident = $constant:ident, $name:literal;)*) => {
        /// What a handle is (`uv_handle_type`).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum HandleType {
            $(#[doc = concat!("`", stringify!($constant), "`")] $variant,)*
        }

        impl HandleType {
            /// The class's name: `"Timer"`.
            pub fn name(self) -> &'static str {
                match self { $(HandleType::$variant => $name,)* }
            }
        }
    };
}

handle_types! {
    Async = UV_ASYNC, "Async";
    Check = UV_CHECK, "Check";
    FsEvent = UV_FS_EVENT, "FSEvent";
    FsPoll = UV_FS_POLL, "FSPoll";
    Idle = UV_IDLE, "Idle";
    Pipe = UV_NAMED_PIPE, "Pipe";
    Poll = UV_POLL, "Poll";
    Prepare = UV_PREPARE, "Prepare";
    Process = UV_PROCESS, "Process";
    Signal = UV_SIGNAL, "Signal";
    TCP = UV_TCP, "TCP";
    TTY = UV_TTY, "TTY";
    Timer = UV_TIMER, "Timer";
    UDP = UV_UDP, "UDP";
}

const OPEN: u8 = 0;
const CLOSING: u8 = 1;
const CLOSED: u8 = 2;

type OnClose = Box<dyn FnOnce(&Handle) + Send>;

/// The part of a handle's allocation that does not depend on what it is.
#[repr(C)]
pub(crate) struct Header {
    /// libuv's reference and the Rust values'.
    references: AtomicU32,
    state: AtomicU8,
    /// Close with the last Rust value even if active.
    discarded: AtomicBool,
    kind: &'static KindTable,
    inner: NonNull<LoopInner>,
    data: AtomicPtr<c_void>,

    // What follows is the loop owner's.
    /// Requests in flight that do not make the handle active: a stream's writes, say.
    requests: Cell<u32>,
    /// What the handle is a part of, if it is not to be seen by itself.
    part_of: Cell<Option<&'static str>>,
    on_close: Cell<Option<OnClose>>,
}

/// What a [`Header`] needs of the type it heads.
pub(crate) struct KindTable {
    handle_type: HandleType,
    drop_callback: unsafe fn(&Header),
    before_close: unsafe fn(&Header),
    after_close: unsafe fn(&Header),
    after_fork: unsafe fn(&Header),
    before_loop_fork: unsafe fn(&Header),
    after_loop_fork: unsafe fn(&Header) -> Result<()>,
    fd_lost: unsafe fn(&Header, Code),
    is_busy: unsafe fn(&Header) -> bool,
    /// Where closure and extra stand in the allocation.
    callback_offset: usize,
    extra_offset: usize,
    free: unsafe fn(NonNull<Header>),
}

/// The allocation: libuv's struct between the header and the closure.
#[repr(C)]
pub(crate) struct Allocation<K: Kind> {
    header: Header,
    uv: UnsafeCell<K::Uv>,
    callback: UnsafeCell<Option<K::Callback>>,
    pub(crate) extra: K::Extra,
}

/// A type of handle, by [`unsafe_handle_kind!`](crate::unsafe_handle_kind) alone.
///
/// # Safety
/// Implementors are `repr(transparent)` over [`Handle`], and only ever wrap one of their type.
pub unsafe trait HandleKind: Deref + Into<Handle> + Sized {
    /// The type that values of this kind have.
    const TYPE: HandleType;
}

/// What is in a handle's allocation, and what a type of handle does besides its callback.
///
/// # Safety
/// `Uv` is a handle struct of libuv's, for which all zeroes is a valid value.
pub unsafe trait Kind: HandleKind {
    /// The `uv_*_t`.
    type Uv;
    /// The closure that its callback runs.
    type Callback: Send;
    /// What it needs beside. The loop's owner uses it, unless it says otherwise itself.
    type Extra: Send;

    /// Called by the owner just before `uv_close`, which comes once, whoever closes the handle.
    fn before_close(&self) {}

    /// Called by the owner just after `uv_close`.
    fn after_close(&self) {}

    /// Called in a child process before `uv_loop_fork`.
    fn after_fork(&self) {}

    /// Asked by the owner: whether the handle, which counts no request, is of use though nobody
    /// holds it any more. `active` is libuv's word for it.
    fn is_busy(&self, active: bool) -> bool {
        active
    }

    /// Called by the owner when the kernel has refused to wait for the handle's descriptor, for
    /// somebody else has closed it. libuv waits for nothing of it any more.
    fn fd_lost(&self, _code: Code) {}
    /// Whether `uv_loop_fork` may be called from the handle's callback.
    const MAY_FORK_IN_CALLBACK: bool = true;

    /// Called before `uv_loop_fork`, in whichever process.
    fn before_loop_fork(&self) {}

    /// Called after `uv_loop_fork`, in whichever process. An error is what `Loop::fork` returns,
    /// with the loop usable all the same.
    fn after_loop_fork(&self) -> Result<()> {
        Ok(())
    }
}

/// Makes `struct $name(Handle)`, `repr(transparent)`, a handle type: `HandleType::$name`;
/// `struct $name(Stream)` one that is a stream.
///
/// It is as unsafe as implementing [`Kind`](crate::kind::Kind) and
/// [`HandleKind`](crate::HandleKind) is: no other struct may be of that type, and `$uv` is the
/// handle struct of libuv's that its `init` gets.
#[macro_export]
macro_rules! unsafe_handle_kind {
    ($name:ident, $uv:ty, $callback:ty, $extra:ty { $($hooks:tt)* }) => {
        $crate::unsafe_handle_kind! { $name: Handle, $uv, $callback, $extra { $($hooks)* } }
    };
    ($name:ident: $base:ident, $uv:ty, $callback:ty, $extra:ty { $($hooks:tt)* }) => {
        impl std::ops::Deref for $name {
            type Target = $crate::$base;
            fn deref(&self) -> &$crate::$base {
                &self.0
            }
        }

        // SAFETY: the struct is repr(transparent) over Handle, and made only by `create` and by
        // casts that compare TYPE.
        unsafe impl $crate::HandleKind for $name {
            const TYPE: $crate::HandleType = $crate::HandleType::$name;
        }

        // SAFETY: whoever uses the macro says so.
        unsafe impl $crate::kind::Kind for $name {
            type Uv = $uv;
            type Callback = $callback;
            type Extra = $extra;
            $($hooks)*
        }

        impl From<$name> for $crate::Handle {
            fn from(handle: $name) -> $crate::Handle {
                handle.0.into()
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}
// Within the crate, `create` and its kin are at hand, and the rules above this file are known.
#[allow(clippy::unsafe_removed_from_name)]
pub(crate) use unsafe_handle_kind as handle_kind;

struct TableOf<K>(std::marker::PhantomData<K>);

impl<K: Kind> TableOf<K> {
    const TABLE: KindTable = KindTable {
        handle_type: K::TYPE,
        drop_callback: |header| {
            // SAFETY: the header is a K's, and the caller owns the loop.
            let callback = unsafe { (*header.callback_slot::<K::Callback>()).take() };
            drop(callback);
        },
        before_close: |header| header.with::<K, _>(|handle| handle.before_close()),
        after_close: |header| header.with::<K, _>(|handle| handle.after_close()),
        after_fork: |header| header.with::<K, _>(|handle| handle.after_fork()),
        before_loop_fork: |header| header.with::<K, _>(|handle| handle.before_loop_fork()),
        after_loop_fork: |header| header.with::<K, _>(|handle| handle.after_loop_fork()),
        is_busy: |header| header.with::<K, _>(|handle| handle.is_busy(header.is_active())),
        fd_lost: |header, code| header.with::<K, _>(|handle| handle.fd_lost(code)),
        callback_offset: offset_of!(Allocation<K>, callback),
        extra_offset: offset_of!(Allocation<K>, extra),
        free: |header| {
            // SAFETY: the header is the first field of a Box<Allocation<K>>, and nobody has a
            // reference any more.
            drop(unsafe { Box::from_raw(header.as_ptr().cast::<Allocation<K>>()) });
        },
    };
}

/// Where the `uv_*_t` stands behind the header, whatever it is.
const UV_OFFSET: usize = mem::size_of::<Header>();

impl Header {
    pub(crate) fn inner(&self) -> &LoopInner {
        // SAFETY: the loop's allocation outlives every handle on it.
        unsafe { self.inner.as_ref() }
    }

    fn uv(&self) -> *mut uv::uv_handle_t {
        ptr::from_ref(self).cast_mut().wrapping_byte_add(UV_OFFSET).cast()
    }

    /// The header behind a `uv_*_t`.
    ///
    /// # Safety
    /// The handle was made by [`Handle::create`] and its memory is not freed yet.
    #[inline]
    pub(crate) unsafe fn from_uv<'a, T>(handle: *mut T) -> &'a Header {
        // SAFETY: every uv_*_t begins with the fields of uv_handle_t; `create` set its data.
        unsafe { &*(*handle.cast::<uv::uv_handle_t>()).data.cast::<Header>() }
    }

    /// The closure, in a place that only the loop's owner touches. For the kind of handle that
    /// has a closure of this type.
    fn callback_slot<C>(&self) -> *mut Option<C> {
        ptr::from_ref(self).cast_mut().wrapping_byte_add(self.kind.callback_offset).cast()
    }

    /// The extra, for the kind of handle that has one of this type.
    pub(crate) fn extra_place<E>(&self) -> *const E {
        ptr::from_ref(self).wrapping_byte_add(self.kind.extra_offset).cast()
    }

    pub(crate) fn is_open(&self) -> bool {
        self.state.load(Ordering::Acquire) == OPEN
    }

    pub(crate) fn is_hidden(&self) -> bool {
        self.part_of.get().is_some()
    }

    /// For the owner: whether libuv has this handle active.
    pub(crate) fn is_active(&self) -> bool {
        // SAFETY: the caller owns the loop; the handle is initialised.
        unsafe { uv::uv_is_active(self.uv()) != 0 }
    }

    /// For the owner: whether the handle is of use without anybody holding it.
    fn is_busy(&self) -> bool {
        // SAFETY: the table is this header's own.
        self.requests.get() != 0 || unsafe { (self.kind.is_busy)(self) }
    }

    /// For the owner: a request of the handle's is in flight. It keeps the handle from being
    /// closed when it is lost.
    pub(crate) fn begin_request(&self) {
        self.requests.set(self.requests.get() + 1);
    }

    /// For the owner, in the callback of the request, before anybody is told;
    /// [`close_if_lost`](Header::close_if_lost) comes last.
    pub(crate) fn finish_request(&self) {
        self.requests.set(self.requests.get() - 1);
    }

    pub(crate) fn requests(&self) -> u32 {
        self.requests.get()
    }

    /// For the owner: whether the handle has an fd.
    pub(crate) fn has_fd(&self) -> bool {
        self.fileno().is_ok()
    }

    /// For the owner: `uv_fileno`.
    pub(crate) fn fileno(&self) -> std::result::Result<uv::uv_os_fd_t, Code> {
        let mut fd = uv::uv_os_fd_t::default();
        // SAFETY: the handle is initialised, and libuv only looks at its type and fd.
        Code::check(unsafe { uv::uv_fileno(self.uv(), &raw mut fd) }).map(|_| fd)
    }

    pub(crate) fn describe(&self) -> String {
        if let Some(whole) = self.part_of.get() {
            return whole.to_owned();
        }
        let state = if self.is_active() { "active" } else { "inactive" };
        format!("{} ({state})", self.kind.handle_type.name())
    }

    /// For the owner: sets the closure that [`dispatch_to`] calls. Drops the old one last.
    ///
    /// # Safety
    /// Handles of this kind have closures of this type, and the caller owns the loop.
    pub(crate) unsafe fn set_callback<C>(&self, callback: C) {
        // SAFETY: only the owner touches the slot, and no reference into it is ever kept.
        let old = unsafe { (*self.callback_slot::<C>()).replace(callback) };
        drop(old);
    }

    /// Gives `f` the closure, unless there is none or it is running.
    ///
    /// # Safety
    /// Handles of this kind have closures of this type, the caller owns the loop, and `f` calls
    /// nothing of this crate's.
    pub(crate) unsafe fn peek<C, T>(&self, f: impl FnOnce(&mut C) -> T) -> Option<T> {
        // SAFETY: only the owner touches the slot, and it does not do so while `f` runs.
        unsafe { (*self.callback_slot::<C>()).as_mut() }.map(f)
    }

    /// A view of this handle that counts as no reference.
    pub(crate) fn view(&self) -> ManuallyDrop<Handle> {
        ManuallyDrop::new(Handle { header: NonNull::from(self) })
    }

    /// A new reference.
    pub(crate) fn to_handle(&self) -> Handle {
        self.references.fetch_add(1, Ordering::Relaxed);
        self.inner().add_reference();
        Handle { header: NonNull::from(self) }
    }

    /// A view of this handle that counts as no reference.
    pub(crate) fn with<K: Kind, T>(&self, f: impl FnOnce(&K) -> T) -> T {
        debug_assert!(self.kind.handle_type == K::TYPE);
        let view = self.view();
        // SAFETY: K is repr(transparent) over Handle, and this handle is a K.
        f(unsafe { &*ptr::from_ref::<Handle>(&view).cast::<K>() })
    }

    pub(crate) fn after_fork(&self) {
        // SAFETY: the table is this header's own.
        unsafe { (self.kind.after_fork)(self) };
    }

    pub(crate) fn before_loop_fork(&self) {
        // SAFETY: the table is this header's own.
        unsafe { (self.kind.before_loop_fork)(self) };
    }

    pub(crate) fn after_loop_fork(&self) -> Result<()> {
        // SAFETY: the table is this header's own.
        unsafe { (self.kind.after_loop_fork)(self) }
    }

    /// For the owner: see [`Kind::fd_lost`].
    pub(crate) fn fd_lost(&self, code: Code) {
        // SAFETY: the table is this header's own.
        unsafe { (self.kind.fd_lost)(self, code) };
    }

    /// Whether an address is that of a part of the `uv_*_t`.
    pub(crate) fn contains(&self, address: usize) -> bool {
        let start = self.uv().addr();
        // SAFETY: the handle is initialised; the function only looks a number up.
        let size = unsafe { uv::uv_handle_size((*self.uv()).type_) };
        (start..start + size).contains(&address)
    }

    /// For the owner: closes the handle and calls nothing.
    pub(crate) fn close_silently(&self) {
        if self.is_open() {
            self.start_close(None);
        }
    }

    /// For the owner: `uv_close`. The closure of the handle's callback is dropped.
    fn start_close(&self, on_close: Option<OnClose>) {
        self.start_close_by(on_close, |handle, callback| {
            // SAFETY: the handle is open, and its loop is this thread's.
            unsafe { uv::uv_close(handle, callback) };
            0
        });
    }

    /// `start_close` by another function of libuv's, which closes the handle unless it says no;
    /// returns what it says.
    fn start_close_by(
        &self,
        on_close: Option<OnClose>,
        close: impl FnOnce(*mut uv::uv_handle_t, uv::uv_close_cb) -> c_int,
    ) -> c_int {
        // SAFETY: the table is this header's own; the caller owns the loop.
        unsafe { (self.kind.before_close)(self) };
        let status = close(self.uv(), Some(on_closed));
        if status < 0 {
            return status;
        }
        self.state.store(CLOSING, Ordering::Release);
        self.on_close.set(on_close);
        let closing = &self.inner().closing;
        closing.set(closing.get() + 1);
        // SAFETY: as for `before_close`.
        unsafe { (self.kind.after_close)(self) };
        // Last, since dropping a closure may do anything.
        // SAFETY: as for `before_close`.
        unsafe { (self.kind.drop_callback)(self) };
        status
    }

    /// Gives up a reference, as the loop's owner or after the loop was closed: frees the handle
    /// with the last one, closes it if only libuv's is left and it is of no use any more.
    ///
    /// # Safety
    /// The caller has a reference to give up, and owns the loop or knows that it is closed.
    pub(crate) unsafe fn drop_reference(header: NonNull<Header>) {
        // SAFETY: the caller's reference keeps it alive until here.
        let this = unsafe { header.as_ref() };
        match this.references.fetch_sub(1, Ordering::Release) {
            1 => {
                fence(Ordering::Acquire);
                debug_assert!(!this.is_open());
                // SAFETY: this was the last reference, and the table is this header's own.
                unsafe { (this.kind.free)(header) };
            }
            2 => this.close_if_lost(),
            _ => {}
        }
    }

    /// For the owner: closes a handle that only libuv refers to, unless it is still busy.
    pub(crate) fn close_if_lost(&self) {
        if self.references.load(Ordering::Acquire) == 1
            && self.is_open()
            && (self.discarded.load(Ordering::Relaxed) || !self.is_busy())
        {
            self.start_close(None);
        }
    }
}

/// libuv is done with the handle.
unsafe extern "C" fn on_closed(handle: *mut uv::uv_handle_t) {
    // SAFETY: `data` is the header, alive by libuv's own reference, which ends here.
    let header = unsafe { NonNull::new_unchecked((*handle).data.cast::<Header>()) };
    // SAFETY: as above.
    let this = unsafe { header.as_ref() };
    let inner = this.inner();
    // Before its close callback come those of its writes.
    inner.written.call_all(inner);
    trampoline::enter(inner, || {
        this.state.store(CLOSED, Ordering::Release);
        inner.closing.set(inner.closing.get() - 1);
        if let Some(on_close) = this.on_close.take()
            && !inner.is_abandoned()
        {
            on_close(&this.view());
        }
    });
    // SAFETY: libuv's reference is given up, once, by the loop's owner.
    unsafe { Header::drop_reference(header) };
}

/// A reference to a handle of any type (`uv_handle_t`).
///
/// Every handle type dereferences to this.
#[repr(transparent)]
pub struct Handle {
    header: NonNull<Header>,
}

// SAFETY: what a `Handle` reaches is atomic, or touched only after `LoopInner::enter` has made
// this thread the loop's owner; closures in it are Send.
unsafe impl Send for Handle {}
// SAFETY: as for Send.
unsafe impl Sync for Handle {}

impl Handle {
    /// Allocates a handle and has `init` initialise it on the loop.
    pub(crate) fn create<K: Kind>(
        event_loop: &Loop,
        extra: K::Extra,
        what: &'static str,
        init: impl FnOnce(*mut uv::uv_loop_t, *mut K::Uv) -> c_int,
    ) -> Result<K> {
        const {
            assert!(offset_of!(Allocation<K>, uv) == UV_OFFSET);
            assert!(mem::size_of::<K>() == mem::size_of::<Handle>());
        }
        let entered = event_loop.enter()?;
        let allocation = Box::new(Allocation::<K> {
            header: Header {
                references: AtomicU32::new(2),
                state: AtomicU8::new(OPEN),
                discarded: AtomicBool::new(false),
                kind: &TableOf::<K>::TABLE,
                inner: NonNull::from(event_loop.inner()),
                data: AtomicPtr::new(ptr::null_mut()),
                requests: Cell::new(0),
                part_of: Cell::new(None),
                on_close: Cell::new(None),
            },
            // SAFETY: all-zero is a valid value of a C struct of integers and pointers; `init`
            // makes it a handle.
            uv: UnsafeCell::new(unsafe { mem::zeroed() }),
            callback: UnsafeCell::new(None),
            extra,
        });
        let handle = allocation.uv.get();
        // SAFETY: every uv_*_t begins with the fields of uv_handle_t, and nobody else knows it.
        unsafe {
            (*handle.cast::<uv::uv_handle_t>()).data = ptr::from_ref(&*allocation).cast_mut().cast()
        };
        Error::check(init(entered.uv(), handle), what)?;
        entered.add_reference();
        let handle = Handle { header: NonNull::from(Box::leak(allocation)).cast() };
        // SAFETY: K is repr(transparent) over Handle (its size is checked above), and this is one.
        Ok(unsafe { mem::transmute_copy(&ManuallyDrop::new(handle)) })
    }

    /// The type of this handle.
    pub fn handle_type(&self) -> HandleType {
        self.header().kind.handle_type
    }

    /// This handle as what it is, or `None`.
    pub fn downcast_ref<K: HandleKind>(&self) -> Option<&K> {
        // SAFETY: K is repr(transparent) over Handle, and the handle is of its type.
        (self.handle_type() == K::TYPE).then(|| unsafe { &*ptr::from_ref(self).cast::<K>() })
    }

    /// The loop the handle is on.
    pub fn event_loop(&self) -> Loop {
        Loop::from_inner(self.header().inner())
    }

    /// Whether the handle is doing something: `uv_is_active`.
    pub fn is_active(&self) -> Result<bool> {
        match self.enter() {
            Ok(_entered) => Ok(self.header().is_active()),
            Err(Error::HandleClosed | Error::LoopClosed) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether the handle is closed or closing (`uv_is_closing`). May be asked from any thread.
    pub fn is_closing(&self) -> bool {
        !self.header().is_open()
    }

    /// Whether the handle keeps the loop running while it is active (`uv_has_ref`).
    pub fn has_ref(&self) -> Result<bool> {
        let _entered = self.enter()?;
        // SAFETY: the handle is open and its loop is ours.
        Ok(unsafe { uv::uv_has_ref(self.uv()) } != 0)
    }

    /// Makes the handle keep the loop running while it is active, or not (`uv_ref`, `uv_unref`).
    pub fn set_ref(&self, on: bool) -> Result<()> {
        let _entered = self.enter()?;
        // SAFETY: the handle is open and its loop is ours.
        unsafe { if on { uv::uv_ref(self.uv()) } else { uv::uv_unref(self.uv()) } };
        Ok(())
    }

    /// Closes the handle (`uv_close`); `on_close` is called in a later iteration of the loop.
    pub fn close(&self, on_close: impl FnOnce(&Handle) + Send + 'static) -> Result<()> {
        let _entered = self.enter()?;
        self.header().start_close(Some(Box::new(on_close)));
        Ok(())
    }

    /// [`close`](Handle::close) by another function of libuv's; `close` returns its status.
    pub(crate) fn close_by(
        &self,
        on_close: impl FnOnce(&Handle) + Send + 'static,
        close: impl FnOnce(*mut uv::uv_handle_t, uv::uv_close_cb) -> c_int,
        what: &'static str,
    ) -> Result<()> {
        let _entered = self.enter()?;
        Error::check(self.header().start_close_by(Some(Box::new(on_close)), close), what)?;
        Ok(())
    }

    /// Whether requests of the handle's are in flight that do not make it active, such as a
    /// stream's writes, connect or shutdown. While there are, the handle stays open without
    /// anybody holding it.
    pub fn has_requests(&self) -> Result<bool> {
        let _entered = self.header().inner().enter()?;
        Ok(self.header().requests() != 0)
    }

    /// Gives this reference up and has the handle closed with the last one, even if it is active.
    pub fn discard(self) {
        self.header().discarded.store(true, Ordering::Relaxed);
    }

    /// Leaves the handle out of [`Loop::handles`], as part of `whole`, which is what
    /// [`Loop::close`] calls it.
    pub fn hide(&self, whole: &'static str) -> Result<()> {
        let _entered = self.enter()?;
        self.header().part_of.set(Some(whole));
        Ok(())
    }

    /// A pointer for the handle's user, null at first. The crate does nothing with it.
    #[inline]
    pub fn data(&self) -> *mut c_void {
        self.header().data.load(Ordering::Acquire)
    }

    /// Sets the pointer that [`data`](Handle::data) returns.
    pub fn set_data(&self, data: *mut c_void) {
        self.header().data.store(data, Ordering::Release);
    }

    pub(crate) fn header(&self) -> &Header {
        // SAFETY: the reference this value holds keeps the allocation alive.
        unsafe { self.header.as_ref() }
    }

    pub(crate) fn uv<T>(&self) -> *mut T {
        self.header().uv().cast()
    }

    /// Takes the loop, for a handle that is open.
    #[inline]
    pub(crate) fn enter(&self) -> Result<crate::r#loop::Entered<'_>> {
        match self.header().inner().enter() {
            Ok(entered) if self.header().is_open() => Ok(entered),
            Ok(_) | Err(Error::LoopClosed) => Err(Error::HandleClosed),
            Err(error) => Err(error),
        }
    }

    /// For the owner: sets the closure that [`dispatch`] calls. Drops the old one last.
    ///
    /// # Safety
    /// The handle is a K, and the caller owns the loop.
    pub(crate) unsafe fn set_callback<K: Kind>(&self, callback: K::Callback) {
        // SAFETY: as the caller says.
        unsafe { self.header().set_callback(callback) };
    }

    /// What a K has beside its libuv struct.
    ///
    /// # Safety
    /// The handle is a K.
    pub(crate) unsafe fn extra<'a, K: Kind + 'a>(&'a self) -> &'a K::Extra {
        // SAFETY: the caller says so.
        unsafe { &*self.header().extra_place::<K::Extra>() }
    }
}

impl Clone for Handle {
    fn clone(&self) -> Handle {
        self.header().to_handle()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let inner = self.header().inner;
        match self.header().inner().enter() {
            // SAFETY: this value's own reference, and the loop is ours or closed.
            Ok(_) | Err(Error::LoopClosed) => unsafe { Header::drop_reference(self.header) },
            Err(_) => self.header().inner().send_to_owner(InboxEntry(self.header)),
        }
        // SAFETY: this value's own reference to the loop.
        unsafe { LoopInner::release(inner) };
    }
}

impl PartialEq for Handle {
    fn eq(&self, other: &Handle) -> bool {
        self.header == other.header
    }
}

impl Eq for Handle {}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = if self.is_closing() { ", closing" } else { "" };
        write!(f, "{}({:p}{state})", self.handle_type().name(), self.header)
    }
}

/// Runs a handle's closure from its libuv callback.
///
/// # Safety
/// `handle` was given by libuv to a callback of a K.
#[inline]
pub(crate) unsafe fn dispatch<K: Kind>(
    handle: *mut K::Uv,
    call: impl FnOnce(&mut K::Callback, &K),
) {
    // SAFETY: as the caller says.
    unsafe {
        let header = Header::from_uv(handle);
        let inner = header.inner();
        dispatch_to::<K::Callback>(header, |callback, handle| {
            if !K::MAY_FORK_IN_CALLBACK {
                inner.unforkable.set(true);
            }
            // SAFETY: K is repr(transparent) over Handle, and this handle is a K.
            call(callback, &*ptr::from_ref(handle).cast::<K>());
        });
        if !K::MAY_FORK_IN_CALLBACK {
            inner.unforkable.set(false);
        }
    }
}

/// Runs a handle's closure from its libuv callback, whatever kind of handle that is.
///
/// The closure is taken out while it runs, so it may stop, restart or close its own handle. It is
/// put back even if it panics: the loop may be run again.
///
/// # Safety
/// Handles of this kind have closures of this type, and the caller is a callback of libuv's.
#[inline]
pub(crate) unsafe fn dispatch_to<C>(header: &Header, call: impl FnOnce(&mut C, &Handle)) {
    /// A closure that is running, and whose it is.
    struct Running<'a, C> {
        header: &'a Header,
        callback: ManuallyDrop<C>,
    }
    impl<C> Drop for Running<'_, C> {
        fn drop(&mut self) {
            // SAFETY: this is the last use of the field.
            let callback = unsafe { ManuallyDrop::take(&mut self.callback) };
            let slot = self.header.callback_slot::<C>();
            // SAFETY: only the owner touches the slot, and no reference into it is kept.
            if self.header.is_open() && unsafe { (*slot).is_none() } {
                // SAFETY: as above.
                unsafe { *slot = Some(callback) };
            }
        }
    }
    trampoline::enter(header.inner(), || {
        // SAFETY: only the owner touches the slot, and no reference into it is kept.
        let Some(callback) = (unsafe { (*header.callback_slot::<C>()).take() }) else { return };
        let mut running = Running { header, callback: ManuallyDrop::new(callback) };
        call(&mut running.callback, &header.view());
    });
    header.close_if_lost();
}
