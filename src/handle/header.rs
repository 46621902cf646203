//! A handle's allocation: what stands before the `uv_*_t`, whatever it is.

use std::cell::{Cell, UnsafeCell};
use std::mem::{self, ManuallyDrop, offset_of};
use std::os::raw::c_void;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, Ordering};

use libuv_sys2 as uv;

use super::{Handle, HandleType, Kind};
use crate::error::{Code, Result};
use crate::r#loop::LoopInner;

pub(super) const OPEN: u8 = 0;
pub(super) const CLOSING: u8 = 1;
pub(super) const CLOSED: u8 = 2;

pub(super) type OnClose = Box<dyn FnOnce(&Handle) + Send>;

/// The part of a handle's allocation that does not depend on what it is.
#[repr(C)]
pub(crate) struct Header {
    /// libuv's reference and the Rust values'.
    pub(super) references: AtomicU32,
    pub(super) state: AtomicU8,
    /// Close with the last Rust value even if active.
    pub(super) discarded: AtomicBool,
    pub(super) kind: &'static KindTable,
    pub(super) inner: NonNull<LoopInner>,
    pub(super) data: AtomicPtr<c_void>,

    // What follows is the loop owner's.
    /// Requests in flight that do not make the handle active: a stream's writes, say.
    pub(super) requests: Cell<u32>,
    /// What the handle is a part of, if it is not to be seen by itself.
    pub(super) part_of: Cell<Option<&'static str>>,
    pub(super) on_close: Cell<Option<OnClose>>,
}

/// What a [`Header`] needs of the type it heads.
pub(crate) struct KindTable {
    pub(super) handle_type: HandleType,
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
pub(super) const UV_OFFSET: usize = mem::size_of::<Header>();

impl Header {
    pub(crate) fn inner(&self) -> &LoopInner {
        // SAFETY: the loop's allocation outlives every handle on it.
        unsafe { self.inner.as_ref() }
    }

    pub(super) fn uv(&self) -> *mut uv::uv_handle_t {
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
    pub(super) fn callback_slot<C>(&self) -> *mut Option<C> {
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
    pub(super) fn is_busy(&self) -> bool {
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
}
