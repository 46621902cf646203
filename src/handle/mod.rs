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
use std::os::raw::c_int;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32};

use libuv_sys2 as uv;

use crate::error::{Error, Result};
use crate::r#loop::{Entered, Held, InboxEntry, Loop, LoopShared};

mod close;
mod data;
mod dispatch;
mod header;
mod in_flight;
mod kind;
mod shared;
mod types;

pub use data::DataOwner;
pub(crate) use dispatch::{dispatch, dispatch_to};
pub(crate) use header::Header;
pub(crate) use in_flight::InFlight;
pub use kind::{HandleKind, Identity, Kind};
pub(crate) use kind::{handle_kind, stream_kind};
pub(crate) use shared::HeaderShared;
pub use types::HandleType;

use header::{Allocation, OPEN, TableOf, UV_OFFSET, uv_of};

/// A reference to a handle of any type (`uv_handle_t`).
///
/// Every handle type dereferences to this.
#[repr(transparent)]
pub struct Handle {
    header: NonNull<Header>,
}

// SAFETY: a `Handle` is a counted reference to a `HeaderShared`, which is Sync; what is dropped with
// the last one, closures and extra, is Send.
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
        let allocation = Box::into_raw(Box::new(Allocation::<K> {
            header: Header {
                references: AtomicU32::new(2),
                state: AtomicU8::new(OPEN),
                discarded: AtomicBool::new(false),
                kind: &TableOf::<K>::TABLE,
                event_loop: NonNull::from(event_loop.shared()),
                whole: NonNull::dangling(),
                data: AtomicPtr::new(ptr::null_mut()),
                data_owner: AtomicPtr::new(ptr::null_mut()),
                requests: Cell::new(0),
                part_of: Cell::new(None),
                on_close: Cell::new(None),
            },
            // SAFETY: all-zero is a valid value of a C struct of integers and pointers; `init`
            // makes it a handle.
            uv: UnsafeCell::new(unsafe { mem::zeroed() }),
            callback: UnsafeCell::new(None),
            extra,
        }));
        // SAFETY: from Box::into_raw, so not null.
        let header = unsafe { NonNull::new_unchecked(allocation.cast::<Header>()) };
        let handle: *mut K::Uv = uv_of(header).cast();
        // SAFETY: every uv_*_t begins with the fields of uv_handle_t, and nobody else knows the
        // allocation.
        unsafe {
            (*header.as_ptr()).whole = header;
            (*handle.cast::<uv::uv_handle_t>()).data = header.as_ptr().cast();
        }
        Error::check(init(entered.uv(), handle), what).inspect_err(|_| {
            // SAFETY: libuv refused, so nobody else has a pointer to the allocation.
            drop(unsafe { Box::from_raw(allocation) });
        })?;
        event_loop.shared().add_reference();
        let handle = Handle { header };
        // SAFETY: K is repr(transparent) over Handle (its size is checked above), and this is one.
        Ok(unsafe { mem::transmute_copy(&ManuallyDrop::new(handle)) })
    }

    /// The type of this handle.
    pub fn handle_type(&self) -> HandleType {
        self.shared().handle_type()
    }

    /// This handle as what it is, or `None`.
    pub fn downcast_ref<K: HandleKind>(&self) -> Option<&K> {
        // SAFETY: K is repr(transparent) over Handle, and the handle was created as one.
        self.shared().is::<K>().then(|| unsafe { &*ptr::from_ref(self).cast::<K>() })
    }

    /// The loop the handle is on.
    pub fn event_loop(&self) -> Loop {
        Loop::from_shared(self.shared().event_loop())
    }

    /// Whether the handle is doing something: `uv_is_active`.
    pub fn is_active(&self) -> Result<bool> {
        match self.enter() {
            Ok(entered) => Ok(self.header(&entered).is_active()),
            Err(Error::HandleClosed | Error::LoopClosed) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether the handle is closed or closing (`uv_is_closing`). May be asked from any thread.
    pub fn is_closing(&self) -> bool {
        !self.shared().is_open()
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
        let entered = self.enter()?;
        self.header(&entered).start_close(Some(Box::new(on_close)));
        Ok(())
    }

    /// [`close`](Handle::close) by another function of libuv's; `close` returns its status.
    pub(crate) fn close_by(
        &self,
        on_close: impl FnOnce(&Handle) + Send + 'static,
        close: impl FnOnce(*mut uv::uv_handle_t, uv::uv_close_cb) -> c_int,
        what: &'static str,
    ) -> Result<()> {
        let entered = self.enter()?;
        let header = self.header(&entered);
        Error::check(header.start_close_by(Some(Box::new(on_close)), close), what)?;
        Ok(())
    }

    /// Whether requests of the handle's are in flight that do not make it active, such as a
    /// stream's writes, connect or shutdown. While there are, the handle stays open without
    /// anybody holding it.
    pub fn has_requests(&self) -> Result<bool> {
        let entered = self.shared().event_loop().enter()?;
        Ok(self.header(&entered).requests() != 0)
    }

    /// Gives this reference up and has the handle closed with the last one, even if it is active.
    pub fn discard(self) {
        self.shared().discard();
    }

    /// Leaves the handle out of [`Loop::handles`], as part of `whole`, which is what
    /// [`Loop::close`] calls it.
    pub fn hide(&self, whole: &'static str) -> Result<()> {
        let entered = self.enter()?;
        self.header(&entered).part_of.set(Some(whole));
        Ok(())
    }

    #[inline]
    pub(crate) fn shared(&self) -> &HeaderShared {
        // SAFETY: the reference this value holds keeps the allocation alive; `HeaderShared` is
        // repr(transparent) over its beginning.
        unsafe { self.header.cast::<HeaderShared>().as_ref() }
    }

    /// The handle as its loop's owner sees it.
    #[inline]
    pub(crate) fn header(&self, held: &Held) -> &Header {
        self.shared().header(held)
    }

    /// Whether the handle is on this loop.
    pub(crate) fn is_on(&self, held: &Held) -> bool {
        ptr::eq(self.shared().event_loop(), held.shared())
    }

    #[inline]
    pub(crate) fn uv<T>(&self) -> *mut T {
        uv_of(self.header).cast()
    }

    /// Makes the loop this thread's own, with the handle on it, until the value returned is dropped.
    ///
    /// Fails with [`Error::HandleClosed`] for a handle that is closed or closing, with
    /// [`Error::WrongThread`] while another thread has the loop.
    pub fn hold(&self) -> Result<Entered<'_>> {
        self.enter()
    }

    /// [`hold`](Handle::hold) of a handle that may be closed, on a loop that may be.
    pub fn hold_even_closed(&self) -> Result<Entered<'_>> {
        self.shared().event_loop().enter_even_closed()
    }

    /// Takes the loop, for a handle that is open.
    #[inline]
    pub(crate) fn enter(&self) -> Result<Entered<'_>> {
        match self.shared().event_loop().enter() {
            Ok(entered) if self.shared().is_open() => Ok(entered),
            Ok(_) | Err(Error::LoopClosed) => Err(Error::HandleClosed),
            Err(error) => Err(error),
        }
    }

    /// Sets the closure that [`dispatch`] calls. Drops the old one last.
    ///
    /// # Safety
    /// The handle is a K.
    pub(crate) unsafe fn set_callback<K: Kind>(&self, held: &Held, callback: K::Callback) {
        // SAFETY: as the caller says.
        unsafe { self.header(held).set_callback(callback) };
    }

    /// What a K has beside its libuv struct.
    ///
    /// # Safety
    /// The handle is a K.
    pub(crate) unsafe fn extra<'a, K: Kind + 'a>(&'a self, held: &'a Held) -> &'a K::Extra {
        // SAFETY: the caller says so.
        unsafe { &*self.header(held).extra_place::<K::Extra>() }
    }

    /// [`extra`](Handle::extra) of a kind whose extra is for everybody.
    ///
    /// # Safety
    /// The handle is a K.
    pub(crate) unsafe fn shared_extra<'a, K: Kind<Extra: Sync> + 'a>(&'a self) -> &'a K::Extra {
        // SAFETY: the caller says so; the value's own reference keeps the allocation alive.
        unsafe { &*self.shared().extra_place::<K::Extra>() }
    }
}

impl Clone for Handle {
    fn clone(&self) -> Handle {
        self.shared().to_handle()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let event_loop = NonNull::from(self.shared().event_loop());
        // SAFETY: this value's own reference to the loop keeps it until the end.
        let shared = unsafe { event_loop.as_ref() };
        match shared.enter_even_closed() {
            // SAFETY: this value's own reference, and the loop is ours.
            Ok(_) => unsafe { Header::drop_reference(self.header) },
            Err(_) => shared.send_to_owner(InboxEntry(self.header)),
        }
        // SAFETY: as above; it is given up.
        unsafe { LoopShared::release(event_loop) };
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
