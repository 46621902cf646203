//! `uv_fs_poll_t`: whether a file has changed, found out by asking again and again.
//!
//! This is what libuv's handle of the name does, made of a timer and [`stat`](crate::stat). It is
//! not `uv_fs_poll_t` itself, because that aborts the process when it is started again while the
//! `stat` of its earlier start is in flight (`timer_cb` of `fs-poll.c` finds a context that is not
//! its handle's latest), as starting it from its own callback always does; and because it cannot be
//! closed before its `stat` is over, which is never if the thread pool waits for the thread that
//! closes it.

use std::cell::RefCell;
use std::ffi::CString;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::time::Duration;

use libuv_sys2 as uv;
use pyuv::{Code, Error, Handle, Held, Loop, Owned, Result, kind};

use crate::operation::Operation;
use crate::path::PathArg;
use crate::stat::Stat;
use crate::table::stat;

/// What a file was and what it has become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatChange {
    /// The last that was known of it; all zero if nothing was.
    pub previous: Stat,
    /// What it is now.
    pub current: Stat,
}

/// Calls back when what [`stat`](crate::stat) tells of a path has changed (`uv_fs_poll_t`).
///
/// It works where the system tells nothing of changes by itself, as on network filesystems, and
/// for paths that come and go. A change that is undone between two looks is not seen.
#[repr(transparent)]
pub struct FsPoll(Handle);

type Callback = Box<dyn FnMut(&FsPoll, Result<StatChange>) + Send>;

/// The state of a handle; none of it is for anybody else.
#[derive(Default)]
pub struct Extra(RefCell<Option<Arc<Watch>>>);

/// One start of a handle. A `stat` in flight holds it too, and may outlive the handle.
struct Watch {
    /// The handle; null once it was stopped, started anew or closed.
    handle: AtomicPtr<uv::uv_timer_t>,
    path: CString,
    seen: Owned<RefCell<Seen>>,
}

#[derive(Default)]
struct Seen {
    in_flight: bool,
    looked: bool,
    stat: Stat,
    error: Option<Code>,
}

// SAFETY: the struct is transparent over a Handle, made by `create` alone, with `uv_timer_init`.
pyuv::unsafe_handle_kind!(unsafe FsPoll, uv::uv_timer_t, Callback, Extra {
    fn before_close(&self, held: &Held) {
        self.forget(held);
    }
});

impl FsPoll {
    /// A new, inactive handle.
    pub fn new(event_loop: &Loop) -> Result<FsPoll> {
        // SAFETY: uv_timer_init does what `create` asks for.
        unsafe {
            kind::create(event_loop, Extra::default(), "uv_timer_init", |event_loop, handle| {
                uv::uv_timer_init(event_loop, handle)
            })
        }
    }

    /// Looks at `path` now and then every `interval`, in milliseconds of at least one, and has
    /// `callback` called when something is different from the last time. On an active handle this
    /// starts anew.
    ///
    /// The first look is what later ones are compared to. A look that fails, the first or one
    /// after it, is told once, as an error that names the path; what is there again later is a
    /// change from the last that was known.
    pub fn start<'a>(
        &self,
        path: impl Into<PathArg<'a>>,
        interval: Duration,
        callback: impl FnMut(&FsPoll, Result<StatChange>) + Send + 'static,
    ) -> Result<()> {
        unsafe extern "C" fn on_timer(handle: *mut uv::uv_timer_t) {
            // SAFETY: libuv gives the handle that this was started with, from inside the loop.
            unsafe {
                kind::dispatch::<FsPoll>(handle, |callback, handle, held| {
                    if let Err(error) = handle.look(held) {
                        callback(handle, Err(error));
                    }
                });
            }
        }
        let held = kind::hold(self)?;
        let path = path.into();
        path.check()?;
        self.forget(&held);
        kind::extra(self, &held).0.replace(Some(Arc::new(Watch {
            handle: AtomicPtr::new(kind::raw(self)),
            path: path.to_c_string(),
            seen: Owned::new(&self.event_loop(), RefCell::default()),
        })));
        let interval = u64::try_from(interval.as_millis()).unwrap_or(u64::MAX).max(1);
        // SAFETY: the handle is open and its loop is ours.
        let status =
            unsafe { uv::uv_timer_start(kind::raw(self), Some(on_timer), interval, interval) };
        if let Err(error) = Error::check(status, path.describe()).and_then(|_| self.look(&held)) {
            self.halt(&held);
            return Err(error);
        }
        kind::set_callback(self, &held, Box::new(callback));
        Ok(())
    }

    /// Looks no more. What a look in flight finds is not told.
    pub fn stop(&self) -> Result<()> {
        let held = kind::hold(self)?;
        self.halt(&held);
        Ok(())
    }

    /// The path as it was given to [`start`](FsPoll::start); `None` unless the handle is active.
    pub fn path(&self) -> Result<Option<CString>> {
        let held = kind::hold(self)?;
        Ok(kind::extra(self, &held).0.borrow().as_ref().map(|watch| watch.path.clone()))
    }

    fn halt(&self, held: &Held) {
        self.forget(held);
        // SAFETY: the handle is open and its loop is ours.
        unsafe { uv::uv_timer_stop(kind::raw(self)) };
    }

    /// Has what is in flight end unheard.
    fn forget(&self, held: &Held) {
        if let Some(watch) = kind::extra(self, held).0.take() {
            watch.handle.store(ptr::null_mut(), Ordering::Relaxed);
        }
    }

    /// Asks for a `stat`, unless the last one still runs.
    fn look(&self, held: &Held) -> Result<()> {
        let Some(watch) = kind::extra(self, held).0.borrow().clone() else { return Ok(()) };
        if std::mem::replace(&mut watch.seen.get(held).borrow_mut().in_flight, true) {
            return Ok(());
        }
        let looking = watch.clone();
        let submitted = stat(watch.path.as_c_str())
            .submit(&self.event_loop(), move |found| looking.found(found));
        if submitted.is_err() {
            watch.seen.get(held).borrow_mut().in_flight = false;
        }
        submitted.map(drop)
    }
}

impl Watch {
    /// On the loop's thread: a `stat` is over.
    fn found(&self, found: Result<Stat>) {
        let handle = self.handle.load(Ordering::Relaxed);
        if handle.is_null() {
            return;
        }
        // SAFETY: the handle, an FsPoll's, has not begun to close, or `before_close` would have
        // made this null; the loop runs the closure of the request that this is.
        unsafe {
            kind::dispatch::<FsPoll>(handle, |callback, handle, held| {
                let news = self.seen.get(held).borrow_mut().after(found);
                if let Some(news) = news {
                    callback(handle, news);
                }
            });
        }
    }
}

impl Seen {
    /// What there is to tell after a look, if anything.
    fn after(&mut self, found: Result<Stat>) -> Option<Result<StatChange>> {
        self.in_flight = false;
        match found {
            Err(error) => {
                let code = error.code();
                let news = self.error != code;
                self.error = code;
                self.looked = true;
                news.then_some(Err(error))
            }
            Ok(current) => {
                let previous = std::mem::replace(&mut self.stat, current);
                let was_error = self.error.take().is_some();
                let news = self.looked && (was_error || differs(&previous, &current));
                self.looked = true;
                news.then_some(Ok(StatChange { previous, current }))
            }
        }
    }
}

/// Whether two are told apart: by what libuv compares, which leaves out the last read and what
/// the filesystem may change by itself.
fn differs(one: &Stat, other: &Stat) -> bool {
    let Stat { atime, nlink, rdev, blksize, blocks, .. } = *other;
    Stat { atime, nlink, rdev, blksize, blocks, ..*one } != *other
}
