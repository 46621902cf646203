//! A handle's allocation: what stands before the `uv_*_t`, whatever it is.

use std::cell::{Cell, UnsafeCell};
use std::mem::{self, ManuallyDrop, offset_of};
use std::os::raw::c_void;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, Ordering};

use libuv_sys2 as uv;

use super::{DataOwner, Handle, HandleType, Identity, Kind};
use crate::error::{Code, Result};
use crate::r#loop::{Held, LoopShared};

pub(super) const OPEN: u8 = 0;
pub(super) const CLOSING: u8 = 1;
pub(super) const CLOSED: u8 = 2;

pub(super) type OnClose = Box<dyn FnOnce(&Handle) + Send>;

/// The part of a handle's allocation that does not depend on what it is. To have a reference to it
/// is to own its loop; what others may reach, [`HeaderShared`](super::HeaderShared) reaches.
#[repr(C)]
pub(crate) struct Header {
    /// libuv's reference and the Rust values'.
    pub(super) references: AtomicU32,
    pub(super) state: AtomicU8,
    /// Close with the last Rust value even if active.
    pub(super) discarded: AtomicBool,
    pub(super) kind: &'static KindTable,
    pub(super) event_loop: NonNull<LoopShared>,
    /// The allocation, of which a `&Header` is the beginning alone.
    pub(super) whole: NonNull<Header>,
    pub(super) data: AtomicPtr<c_void>,
    pub(super) data_owner: AtomicPtr<DataOwner>,

    /// Requests in flight that do not make the handle active: a stream's writes, say.
    pub(super) requests: Cell<u32>,
    /// What the handle is a part of, if it is not to be seen by itself.
    pub(super) part_of: Cell<Option<&'static str>>,
    pub(super) on_close: Cell<Option<OnClose>>,
}

/// What a [`Header`] needs of the type it heads.
pub(crate) struct KindTable {
    pub(super) handle_type: HandleType,
    pub(super) identity: &'static Identity,
    pub(super) is_stream: bool,
    pub(super) drop_callback: unsafe fn(&Header),
    pub(super) before_close: unsafe fn(&Header),
    pub(super) after_close: unsafe fn(&Header),
    pub(super) after_fork: unsafe fn(&Header),
    pub(super) before_loop_fork: unsafe fn(&Header),
    pub(super) after_loop_fork: unsafe fn(&Header) -> Result<()>,
    pub(super) fd_lost: unsafe fn(&Header, Code),
    pub(super) is_busy: unsafe fn(&Header) -> bool,
    /// Where closure and extra stand in the allocation.
    pub(super) callback_offset: usize,
    pub(super) extra_offset: usize,
    pub(super) free: unsafe fn(NonNull<Header>),
}

/// The allocation: libuv's struct between the header and the closure.
#[repr(C)]
pub(crate) struct Allocation<K: Kind> {
    pub(super) header: Header,
    pub(super) uv: UnsafeCell<K::Uv>,
    pub(super) callback: UnsafeCell<Option<K::Callback>>,
    pub(crate) extra: K::Extra,
}

pub(super) struct TableOf<K>(std::marker::PhantomData<K>);

impl<K: Kind> TableOf<K> {
    pub(super) const TABLE: KindTable = KindTable {
        handle_type: K::TYPE,
        identity: K::IDENTITY,
        is_stream: K::IS_STREAM,
        drop_callback: |header| {
            // SAFETY: the header is a K's, and a reference into the slot is never kept.
            let callback = unsafe { (*header.callback_slot::<K::Callback>()).take() };
            drop(callback);
        },
        before_close: |header| header.with::<K, _>(|handle| handle.before_close(header.held())),
        after_close: |header| header.with::<K, _>(|handle| handle.after_close(header.held())),
        after_fork: |header| header.with::<K, _>(|handle| handle.after_fork(header.held())),
        before_loop_fork: |header| {
            header.with::<K, _>(|handle| handle.before_loop_fork(header.held()));
        },
        after_loop_fork: |header| {
            header.with::<K, _>(|handle| handle.after_loop_fork(header.held()))
        },
        is_busy: |header| {
            header.with::<K, _>(|handle| handle.is_busy(header.held(), header.is_active()))
        },
        fd_lost: |header, code| header.with::<K, _>(|handle| handle.fd_lost(header.held(), code)),
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
pub(super) const UV_OFFSET: usize = mem::size_of::<Header>();

/// The `uv_*_t` of an allocation.
#[inline]
pub(super) fn uv_of(whole: NonNull<Header>) -> *mut uv::uv_handle_t {
    whole.as_ptr().wrapping_byte_add(UV_OFFSET).cast()
}

impl Header {
    /// The loop, which is this thread's own.
    #[inline]
    pub(crate) fn held(&self) -> &Held {
        // SAFETY: the loop's allocation outlives every handle on it; a `&Header` is the loop owner's.
        unsafe { self.event_loop.as_ref().held() }
    }

    #[inline]
    pub(crate) fn uv(&self) -> *mut uv::uv_handle_t {
        uv_of(self.whole)
    }

    /// The header behind a `uv_*_t`.
    ///
    /// # Safety
    /// The handle was made by [`Handle::create`] and its memory is not freed yet; this thread owns
    /// its loop, as a callback of libuv's does. The reference does not outlive that.
    #[inline]
    pub(crate) unsafe fn from_uv<'a, T>(handle: *mut T) -> &'a Header {
        // SAFETY: every uv_*_t begins with the fields of uv_handle_t; `create` set its data.
        unsafe { &*(*handle.cast::<uv::uv_handle_t>()).data.cast::<Header>() }
    }

    /// The closure, in a place that only the loop's owner touches. For the kind of handle that
    /// has a closure of this type.
    pub(super) fn callback_slot<C>(&self) -> *mut Option<C> {
        self.whole.as_ptr().wrapping_byte_add(self.kind.callback_offset).cast()
    }

    /// The extra, for the kind of handle that has one of this type.
    #[inline]
    pub(crate) fn extra_place<E>(&self) -> *const E {
        self.shared().extra_place()
    }

    pub(crate) fn is_open(&self) -> bool {
        self.state.load(Ordering::Acquire) == OPEN
    }

    pub(crate) fn is_hidden(&self) -> bool {
        self.part_of.get().is_some()
    }

    /// Whether libuv has this handle active.
    pub(crate) fn is_active(&self) -> bool {
        // SAFETY: the loop is ours; the handle is initialised.
        unsafe { uv::uv_is_active(self.uv()) != 0 }
    }

    /// Whether the handle is of use without anybody holding it.
    pub(super) fn is_busy(&self) -> bool {
        // SAFETY: the table is this header's own.
        self.requests.get() != 0 || unsafe { (self.kind.is_busy)(self) }
    }

    /// A request of the handle's is in flight. It keeps the handle from being
    /// closed when it is lost.
    pub(crate) fn begin_request(&self) {
        self.requests.set(self.requests.get() + 1);
    }

    /// In the callback of the request, before anybody is told: it has ended.
    /// [`close_if_lost`](Header::close_if_lost) comes last.
    pub(crate) fn finish_request(&self) {
        self.requests.set(self.requests.get() - 1);
    }

    pub(crate) fn requests(&self) -> u32 {
        self.requests.get()
    }

    /// Whether the handle has an fd.
    pub(crate) fn has_fd(&self) -> bool {
        self.fileno().is_ok()
    }

    /// `uv_fileno`.
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

    /// Sets the closure that [`dispatch_to`] calls. Drops the old one last.
    ///
    /// # Safety
    /// Handles of this kind have closures of this type.
    pub(crate) unsafe fn set_callback<C>(&self, callback: C) {
        // SAFETY: only the owner touches the slot, and no reference into it is ever kept.
        let old = unsafe { (*self.callback_slot::<C>()).replace(callback) };
        drop(old);
    }

    /// Gives `f` the closure, unless there is none or it is running.
    ///
    /// # Safety
    /// Handles of this kind have closures of this type, and `f` calls nothing of this crate's.
    pub(crate) unsafe fn peek<C, T>(&self, f: impl FnOnce(&mut C) -> T) -> Option<T> {
        // SAFETY: only the owner touches the slot, and it does not do so while `f` runs.
        unsafe { (*self.callback_slot::<C>()).as_mut() }.map(f)
    }

    /// A pointer to the allocation, for who comes back to it later.
    #[inline]
    pub(crate) fn whole(&self) -> NonNull<Header> {
        self.whole
    }

    /// A view of this handle that counts as no reference.
    #[inline]
    pub(crate) fn view(&self) -> ManuallyDrop<Handle> {
        self.shared().view()
    }

    /// A new reference.
    pub(crate) fn to_handle(&self) -> Handle {
        self.shared().to_handle()
    }

    /// A view of this handle that counts as no reference.
    pub(crate) fn with<K: Kind, T>(&self, f: impl FnOnce(&K) -> T) -> T {
        debug_assert!(self.shared().is::<K>());
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

    /// See [`Kind::fd_lost`].
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
}
