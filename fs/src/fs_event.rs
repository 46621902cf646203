//! `uv_fs_event_t`: what happens to a file, or in a folder, as the system tells it.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString, c_char, c_int};

use libuv_sys2 as uv;
use pyuv::{Code, Error, Handle, Held, Loop, Result, kind};

use crate::path::PathArg;

#[cfg(target_os = "linux")]
mod recursive;

#[cfg(target_os = "linux")]
use recursive::Below;

bitflags::bitflags! {
    /// What has happened to a watched path (`uv_fs_event`).
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct FsEvents: i32 {
        /// `UV_RENAME`: a name came, went or changed, that of the path itself included.
        const RENAME = uv::uv_fs_event_UV_RENAME as i32;
        /// `UV_CHANGE`: content or attributes changed.
        const CHANGE = uv::uv_fs_event_UV_CHANGE as i32;
    }

    /// How to watch (`uv_fs_event_flags`).
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct FsEventFlags: i32 {
        /// `UV_FS_EVENT_WATCH_ENTRY`: watch the entry in its folder; no platform does yet.
        const WATCH_ENTRY = uv::uv_fs_event_flags_UV_FS_EVENT_WATCH_ENTRY as i32;
        /// `UV_FS_EVENT_STAT`: watch by asking again and again; no platform does yet.
        const STAT = uv::uv_fs_event_flags_UV_FS_EVENT_STAT as i32;
        /// `UV_FS_EVENT_RECURSIVE`: folders below too, by macOS and Windows. On Linux, which has nothing of the
        /// kind, each folder is watched by itself, those that come later as well; symbolic links are not followed.
        const RECURSIVE = uv::uv_fs_event_flags_UV_FS_EVENT_RECURSIVE as i32;
    }
}

/// One thing that happened to a watched path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FsChange<'a> {
    /// The name in the folder that is watched, the path from there for what is in one below, or the last part of the
    /// path of a watched file, as the system's bytes. Some platforms do not tell it.
    pub filename: Option<&'a [u8]>,
    /// What happened.
    pub events: FsEvents,
}

/// Calls back when something happens to a file, or in a folder (`uv_fs_event_t`).
///
/// Linux tells it by inotify: one instance per loop, one watch per file or folder. The file that a
/// path leads to is watched, not the path: once it is removed, the handle stays active and nothing
/// comes any more.
///
/// When the system has lost events the callback gets `UV_ENOBUFS`, and goes on to be called: what is there has to be
/// looked at anew.
#[repr(transparent)]
pub struct FsEvent(Handle);

type Callback = Box<dyn FnMut(&FsEvent, Result<FsChange<'_>>) + Send>;

/// What an active handle was started with.
struct Watched {
    path: CString,
    flags: FsEventFlags,
}

/// The state of a handle; none of it is for anybody else.
#[derive(Default)]
pub struct Extra {
    watched: RefCell<Option<Watched>>,
    /// Counts starts and ends: what a callback has done is seen by it.
    turn: Cell<u64>,
    #[cfg(target_os = "linux")]
    below: RefCell<Option<Below>>,
    /// A part of a handle that watches a tree.
    #[cfg(target_os = "linux")]
    is_part: Cell<bool>,
    /// What is told of now has happened to what is watched itself.
    #[cfg(target_os = "linux")]
    is_own: Cell<bool>,
}

impl Extra {
    /// The last part of the path, however many slashes follow it: where what happened has no other name.
    fn last_part(&self) -> Option<Vec<u8>> {
        let watched = self.watched.borrow();
        let path = watched.as_ref()?.path.to_bytes();
        let end = path.iter().rposition(|byte| *byte != b'/').map_or(1, |last| last + 1);
        let path = &path[..end.min(path.len())];
        let start = path.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
        Some(if start < end { path[start..].to_vec() } else { path.to_vec() })
    }
}

// SAFETY: the struct is transparent over a Handle, made by `create` alone, with `uv_fs_event_init`.
pyuv::unsafe_handle_kind!(unsafe FsEvent, uv::uv_fs_event_t, Callback, Extra {
    fn before_close(&self, held: &Held) {
        self.forget(held);
        // SAFETY: the handle is open, and its loop is ours.
        unsafe { stop(self, false) };
    }

    /// libuv walks its lists of handles.
    const MAY_FORK_IN_CALLBACK: bool = false;

    /// libuv would start every handle again, and give up at the first whose path is gone, in the
    /// middle of its lists. So it is done one by one, from `after_loop_fork`.
    fn before_loop_fork(&self, _held: &Held) {
        #[cfg(target_os = "linux")]
        // SAFETY: the loop is ours, and the handle is open or closing. The parent's
        // inotify instance, which the child shares, is kept out of reach meanwhile: to stop a
        // handle would remove the parent's watch.
        unsafe {
            stop(self, true);
        }
    }

    fn after_loop_fork(&self, held: &Held) -> Result<()> {
        match kind::extra(self, held).watched.take() {
            Some(watched) if !self.is_active()? => {
                let watching = self.watch(held, watched);
                #[cfg(target_os = "linux")]
                if kind::extra(self, held).is_part.get() {
                    // The handle that it is a part of tells of its own path alone.
                    return Ok(());
                }
                watching
            }
            watched => {
                kind::extra(self, held).watched.replace(watched);
                Ok(())
            }
        }
    }
});

unsafe extern "C" fn trampoline(
    handle: *mut uv::uv_fs_event_t,
    filename: *const c_char,
    events: c_int,
    status: c_int,
) {
    // SAFETY: libuv gives the handle that this was started with, from inside the loop, and a
    // string or nothing, valid during the call.
    unsafe {
        kind::dispatch::<FsEvent>(handle, |callback, handle, held| {
            let named = (!filename.is_null()).then(|| CStr::from_ptr(filename).to_bytes());
            // Linux names what is in a folder alone.
            let own = (cfg!(target_os = "linux") && named.is_none())
                .then(|| kind::extra(handle, held).last_part())
                .flatten();
            let filename = named.or(own.as_deref());
            let events = FsEvents::from_bits_truncate(events);
            #[cfg(target_os = "linux")]
            kind::extra(handle, held).is_own.set(named.is_none());
            let turn = kind::extra(handle, held).turn.get();
            let outcome = match Code::check(status) {
                Ok(_) => Ok(FsChange { filename, events }),
                Err(code) => Err(Error::new(code, handle.describe(held))),
            };
            callback(handle, outcome);
            #[cfg(target_os = "linux")]
            if !handle.is_closing() && kind::extra(handle, held).turn.get() == turn {
                if status < 0 {
                    handle.look_again(held, callback);
                } else if let Some(name) = named
                    && events.contains(FsEvents::RENAME)
                {
                    handle.look_below(held, name, callback);
                }
            }
            #[cfg(not(target_os = "linux"))]
            let _ = turn;
        });
    }
}

/// `uv_fs_event_stop`. In a forked child `apart` leaves the parent's watch alone.
///
/// # Safety
/// The handle is open or closing, and its loop is the caller's.
unsafe fn stop(handle: &FsEvent, apart: bool) {
    // SAFETY: the caller says so.
    let stop = || unsafe { uv::uv_fs_event_stop(kind::raw(handle)) };
    #[cfg(target_os = "linux")]
    // SAFETY: as above.
    unsafe {
        kind::inotify::stopping((*kind::raw(handle)).loop_, apart, stop);
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = apart;
        stop();
    }
}

impl FsEvent {
    /// A new, inactive handle (`uv_fs_event_init`).
    pub fn new(event_loop: &Loop) -> Result<FsEvent> {
        // SAFETY: uv_fs_event_init does what `create` asks for.
        unsafe {
            kind::create(event_loop, Extra::default(), "uv_fs_event_init", |event_loop, handle| {
                uv::uv_fs_event_init(event_loop, handle)
            })
        }
    }

    /// Watches `path` and has `callback` called with what happens (`uv_fs_event_start`).
    ///
    /// Fails with `UV_EINVAL` on a handle that is watching, `UV_ENOENT`, `UV_EACCES` for what may
    /// not be read, `UV_EMFILE` where there is no inotify instance left and `UV_ENOSPC` where
    /// there is no watch left.
    pub fn start<'a>(
        &self,
        path: impl Into<PathArg<'a>>,
        flags: FsEventFlags,
        callback: impl FnMut(&FsEvent, Result<FsChange<'_>>) + Send + 'static,
    ) -> Result<()> {
        let held = kind::hold(self)?;
        let path = path.into();
        path.check()?;
        if self.is_active()? {
            let what = format!("already watching {}", self.describe(&held));
            return Err(Error::new(Code::EINVAL, what));
        }
        let path = path.to_c_string();
        self.watch(&held, Watched { path: path.clone(), flags })?;
        kind::set_callback(self, &held, Box::new(callback));
        #[cfg(target_os = "linux")]
        if flags.contains(FsEventFlags::RECURSIVE) {
            kind::extra(self, &held).below.replace(Some(Below::new(&path)));
            if let Err(error) = self.watch_below(&held, b"") {
                self.stop()?;
                return Err(error);
            }
        }
        Ok(())
    }

    fn watch(&self, held: &Held, watched: Watched) -> Result<()> {
        let Watched { path, flags } = &watched;
        // SAFETY: the handle is open and its loop is ours; libuv copies the path.
        let start = || unsafe {
            let flags = flags.bits().cast_unsigned();
            uv::uv_fs_event_start(kind::raw(self), Some(trampoline), path.as_ptr(), flags)
        };
        #[cfg(target_os = "linux")]
        // SAFETY: as above.
        let status = unsafe { kind::inotify::starting((*kind::raw(self)).loop_, start)? };
        #[cfg(not(target_os = "linux"))]
        let status = start();
        if let Err(code) = Code::check(status) {
            let path = path.to_string_lossy();
            return Err(Error::new(code, format!("{path}{}", limit(code))));
        }
        let extra = kind::extra(self, held);
        extra.turn.set(extra.turn.get() + 1);
        extra.watched.replace(Some(watched));
        Ok(())
    }

    /// Watches no more (`uv_fs_event_stop`).
    pub fn stop(&self) -> Result<()> {
        let held = kind::hold(self)?;
        // SAFETY: the handle is open and its loop is ours.
        unsafe { stop(self, false) };
        self.forget(&held);
        Ok(())
    }

    /// What there is to forget when it watches no more.
    fn forget(&self, held: &Held) {
        let extra = kind::extra(self, held);
        extra.turn.set(extra.turn.get() + 1);
        extra.watched.take();
        #[cfg(target_os = "linux")]
        if let Some(below) = extra.below.take() {
            below.close(held);
        }
    }

    /// The path as it was given to [`start`](FsEvent::start); `None` unless the handle is active.
    /// (`uv_fs_event_getpath` would give the spelling of the first of several handles that watch
    /// one file.)
    pub fn path(&self) -> Result<Option<CString>> {
        let held = kind::hold(self)?;
        Ok(kind::extra(self, &held).watched.borrow().as_ref().map(|watched| watched.path.clone()))
    }

    fn describe(&self, held: &Held) -> String {
        let watched = kind::extra(self, held).watched.borrow();
        watched.as_ref().map_or_else(String::new, |watched| watched.path.to_string_lossy().into())
    }
}

/// Which limit has been reached.
fn limit(code: Code) -> &'static str {
    if cfg!(not(any(target_os = "linux", target_os = "android"))) {
        return "";
    }
    match code {
        Code::EMFILE => " (the limit of open files, or of inotify instances: max_user_instances)",
        Code::ENOSPC => " (the limit of inotify watches: max_user_watches)",
        _ => "",
    }
}
