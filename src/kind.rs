//! For crates that bring types of handle of their own, as `pyuv-fs` does.
//!
//! Such a type is a `repr(transparent)` struct over [`Handle`], made a kind by
//! [`unsafe_handle_kind!`](crate::unsafe_handle_kind), with `new` by [`create`], methods that begin
//! with [`hold`], and callbacks that come through [`dispatch`]. `src/timer.rs` shows the shape.
//! What can be misused is unsafe here; `src/handle` has the rules of a handle's life.

use std::os::raw::c_int;
use std::ptr::{self, NonNull};

use libuv_sys2 as uv;

use crate::error::Result;
use crate::handle::{self, Header, InFlight};
use crate::r#loop::{Entered, Held, Loop};
use crate::{Handle, HandleKind};

pub use crate::handle::{Identity, Kind};
#[cfg(target_os = "linux")]
pub use crate::internals::inotify;

/// Allocates a handle and has `init` initialise it on the loop; `what` names what is tried.
///
/// # Safety
/// `init` calls the one function of libuv's that makes its second argument a handle on its first,
/// and returns what that returned. It leaves the handle's `data` alone.
pub unsafe fn create<K: Kind>(
    event_loop: &Loop,
    extra: K::Extra,
    what: &'static str,
    init: impl FnOnce(*mut uv::uv_loop_t, *mut K::Uv) -> c_int,
) -> Result<K> {
    Handle::create(event_loop, extra, what, init)
}

/// Takes the loop of a handle that is open, until the value returned is dropped. Fails with
/// [`Error::HandleClosed`](crate::Error::HandleClosed) for one that is closed or closing,
/// [`Error::WrongThread`](crate::Error::WrongThread) while another thread has the loop.
pub fn hold(handle: &Handle) -> Result<Entered<'_>> {
    handle.enter()
}

/// The `uv_*_t`. It may be used while the handle is held and is alive as long as the handle, or
/// until the close callback if that is earlier.
pub fn raw<K: Kind>(handle: &K) -> *mut K::Uv {
    is_kind(handle).uv()
}

/// What a handle has beside its libuv struct.
///
/// # Panics
/// If it is another loop that is held; so do those below.
pub fn extra<'a, K: Kind>(handle: &'a K, held: &'a Held) -> &'a K::Extra {
    // SAFETY: a value of type K is a handle of that kind, as `HandleKind` demands.
    unsafe { is_kind(handle).extra::<K>(held) }
}

/// Whether libuv has the handle active (`uv_is_active`).
pub fn is_active(handle: &Handle, held: &Held) -> bool {
    handle.header(held).is_active()
}

/// Sets the closure that [`dispatch`] calls. Drops the old one last.
pub fn set_callback<K: Kind>(handle: &K, held: &Held, callback: K::Callback) {
    // SAFETY: a value of type K is a handle of that kind.
    unsafe { is_kind(handle).set_callback::<K>(held, callback) };
}

/// Runs a handle's closure from its libuv callback, awake and with panics caught. The closure may
/// stop, restart or close its own handle.
///
/// # Safety
/// `handle` was made by [`create`], its close callback has not been called, and this thread runs
/// its loop.
pub unsafe fn dispatch<K: Kind>(
    handle: *mut K::Uv,
    call: impl FnOnce(&mut K::Callback, &K, &Held),
) {
    // SAFETY: the caller says so.
    unsafe { handle::dispatch::<K>(handle, call) };
}

/// A handle that another of its loop is made of. No reference to the loop, which would be kept by what is on it.
pub struct Part(InFlight);

impl Part {
    /// # Safety
    /// The value is dropped by the loop's owner, as the extra of a handle on that loop is.
    pub unsafe fn of(handle: &Handle, held: &Held) -> Part {
        Part(handle.in_flight(held))
    }

    /// Closes the handle, unless it is closed, and calls nothing.
    ///
    /// # Panics
    /// If it is another loop that is held.
    pub fn close(&self, held: &Held) {
        on_loop(self.0.header(), held).close_silently();
    }
}

/// A handle that is made of others, for their closures: it closes them when it closes itself.
pub struct Whole(NonNull<Header>);

// SAFETY: it is used on the loop's thread alone, where a `Held` is.
unsafe impl Send for Whole {}

impl Whole {
    /// # Safety
    /// The value is used in the closures of handles alone that are closed before this one is.
    pub unsafe fn of(handle: &Handle, held: &Held) -> Whole {
        Whole(handle.header(held).whole())
    }

    /// Runs the closure of the handle, if it is one of these, as its own callback does.
    ///
    /// # Panics
    /// If it is another loop that is held.
    pub fn dispatch<K: Kind>(&self, held: &Held, call: impl FnOnce(&mut K::Callback, &K, &Held)) {
        // SAFETY: a handle that is part of it is open, and so is the handle.
        let header = on_loop(unsafe { self.0.as_ref() }, held);
        if header.is_open() && header.shared().is::<K>() {
            // SAFETY: the handle is a K, open, and its loop is this thread's.
            unsafe { handle::dispatch::<K>(header.uv().cast(), call) };
        }
    }
}

fn on_loop<'a>(header: &'a Header, held: &Held) -> &'a Header {
    assert!(ptr::eq(header.held().shared(), held.shared()), "the handle is on another loop");
    header
}

fn is_kind<K: HandleKind>(handle: &K) -> &Handle {
    // SAFETY: a HandleKind is repr(transparent) over Handle.
    let handle = unsafe { &*std::ptr::from_ref(handle).cast::<Handle>() };
    debug_assert!(handle.shared().is::<K>());
    handle
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Timer;

    /// The crate has a struct of this name, and so of this type, with a closure of another.
    mod another {
        use super::*;

        #[repr(transparent)]
        pub struct Timer(Handle);

        // SAFETY: the struct is transparent over a Handle, made by `create` alone, with
        // `uv_timer_init`.
        crate::unsafe_handle_kind!(unsafe Timer, uv::uv_timer_t, u8, [u64; 4] {});

        pub fn create_timer(event_loop: &Loop) -> Timer {
            // SAFETY: uv_timer_init does what `create` asks for.
            unsafe {
                create(event_loop, [7; 4], "", |event_loop, handle| {
                    uv::uv_timer_init(event_loop, handle)
                })
            }
            .unwrap()
        }
    }

    #[test]
    fn two_kinds_of_one_type_are_told_apart() {
        let event_loop = Loop::new().unwrap();
        let other: Handle = another::create_timer(&event_loop).into();
        let timer: Handle = Timer::new(&event_loop).unwrap().into();
        assert_eq!(other.handle_type(), timer.handle_type());
        assert!(other.downcast_ref::<Timer>().is_none());
        assert!(timer.downcast_ref::<another::Timer>().is_none());
        assert!(timer.downcast_ref::<Timer>().is_some());
        let held = event_loop.hold().unwrap();
        assert_eq!(extra(other.downcast_ref::<another::Timer>().unwrap(), &held), &[7; 4]);
    }

    #[test]
    fn what_is_of_one_loop_is_not_reached_with_another() {
        let (event_loop, wrong) = (Loop::new().unwrap(), Loop::new().unwrap());
        let timer = Timer::new(&event_loop).unwrap();
        timer.start(Duration::ZERO, Duration::ZERO, |_| ()).unwrap();
        let held = wrong.hold().unwrap();
        let asked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            is_active(&timer, &held);
        }));
        assert!(asked.is_err());
    }
}
