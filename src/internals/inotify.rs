//! `inotify_fd`, by which a loop hears of files, and what takes the place of `uv__inotify_read` (`unix/linux.c`), which
//! reads from it.
//!
//! libuv opens it for the first handle that watches a path, and asserts that it can be read when the kernel
//! says so. Where somebody has closed it, the kernel may say so all the same, for a child process has it still. It
//! passes over what the kernel tells of events that are lost (`IN_Q_OVERFLOW`), and names what has no name by the end of
//! the path, which is nothing where that ends in a slash. So this reads by itself.

use std::cmp::Ordering;
use std::os::raw::{c_char, c_int, c_uint};
use std::ptr;

use libuv_sys2 as uv;

use super::linked;
use super::own_fds::Own;
use crate::error::{Code, Result};
use crate::handle::{Header, InFlight};
use crate::r#loop::{Held, LoopShared};
use crate::places;

/// # Safety
/// As for `uv__inotify_read`: the loop is open, and this thread's.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_uv__inotify_read(
    event_loop: *mut uv::uv_loop_t,
    watcher: *mut uv::uv__io_t,
    events: c_uint,
) {
    // SAFETY: the caller vouches for the loop.
    unsafe {
        let fd = (*event_loop).inotify_fd;
        match LoopShared::known(event_loop) {
            Some(shared) if shared.own_fds().has(Own::Files, fd) => read(event_loop),
            Some(_) => Held::from_raw(event_loop).stop(),
            None => linked::inotify_read()(event_loop, watcher, events),
        }
    }
}

/// Room for events: libuv has 4 KiB.
#[repr(align(8))]
struct Events([u8; 16 << 10]);

/// What libuv has of each file or folder that is watched (`struct watcher_list`), in a tree by `wd`.
#[repr(C)]
struct WatcherList {
    left: *mut WatcherList,
    right: *mut WatcherList,
    _parent: *mut WatcherList,
    _color: c_int,
    watchers: uv::uv__queue,
    _iterating: c_int,
    _path: *mut c_char,
    wd: c_int,
}

/// Reads what there is, and has the handles told: without a name of what happened to what they watch itself.
///
/// # Safety
/// The loop is open, one of this crate's, and this thread's, which runs it.
unsafe fn read(event_loop: *mut uv::uv_loop_t) {
    let mut events = Events([0; 16 << 10]);
    let mut handles = Vec::new();
    loop {
        // SAFETY: the caller vouches for the loop; there is so much room.
        let size = unsafe {
            libc::read((*event_loop).inotify_fd, events.0.as_mut_ptr().cast(), events.0.len())
        };
        let Ok(size) = usize::try_from(size) else {
            if places::last_error() == Code::EINTR {
                continue;
            }
            return;
        };
        if size == 0 {
            return;
        }
        let mut rest = &events.0[..size];
        while let Some((head, after)) = rest.split_at_checked(size_of::<libc::inotify_event>()) {
            // SAFETY: the kernel writes whole events, each as aligned as the first; there is a whole one.
            let event = unsafe { head.as_ptr().cast::<libc::inotify_event>().read() };
            let Some((name, next)) = after.split_at_checked(event.len as usize) else { return };
            rest = next;
            // SAFETY: as the caller says. The name ends in a NUL, and stays where it is meanwhile.
            unsafe {
                if event.mask & libc::IN_Q_OVERFLOW != 0 {
                    all_handles(event_loop, &mut handles);
                    tell(&mut handles, None, ptr::null(), 0, Code::ENOBUFS.0);
                    continue;
                }
                let changes = libc::IN_ATTRIB | libc::IN_MODIFY;
                let mut happened = 0;
                if event.mask & changes != 0 {
                    happened |= uv::uv_fs_event_UV_CHANGE as c_int;
                }
                if event.mask & !changes != 0 {
                    happened |= uv::uv_fs_event_UV_RENAME as c_int;
                }
                handles_of(event_loop, event.wd, &mut handles);
                let name = if name.is_empty() { ptr::null() } else { name.as_ptr().cast() };
                tell(&mut handles, Some(event.wd), name, happened, 0);
            }
        }
    }
}

/// The handles that watch by this number.
///
/// # Safety
/// As for `read`.
unsafe fn handles_of(event_loop: *mut uv::uv_loop_t, wd: c_int, handles: &mut Vec<InFlight>) {
    // SAFETY: the loop is the caller's, and so are tree and queue, which nobody changes meanwhile. Whatever is in
    // the queue is the field of a handle of this crate's kinds.
    unsafe {
        let mut list: *mut WatcherList = (*event_loop).inotify_watchers.cast();
        while let Some(found) = list.as_mut() {
            list = match wd.cmp(&found.wd) {
                Ordering::Less => found.left,
                Ordering::Greater => found.right,
                Ordering::Equal => {
                    let head = &raw mut found.watchers;
                    let mut entry = (*head).next;
                    while entry != head {
                        let offset = std::mem::offset_of!(uv::uv_fs_event_t, watchers);
                        let handle: *mut uv::uv_fs_event_t = entry.byte_sub(offset).cast();
                        handles.push(InFlight::of(Header::from_uv(handle)));
                        entry = (*entry).next;
                    }
                    return;
                }
            };
        }
    }
}

/// Every handle that watches something.
///
/// # Safety
/// As for `read`.
unsafe fn all_handles(event_loop: *mut uv::uv_loop_t, handles: &mut Vec<InFlight>) {
    // SAFETY: the caller says so.
    let held = unsafe { Held::from_raw(event_loop) };
    held.for_each_handle(|header| {
        // SAFETY: what is on the loop is alive.
        let is_one = unsafe { (*header.uv()).type_ == uv::uv_handle_type_UV_FS_EVENT };
        if is_one && header.is_open() && header.is_active() {
            handles.push(InFlight::of(header));
        }
    });
}

/// Calls back for those handles that watch still, by the number `wd` if it is one event's. What a callback closes,
/// stops or starts is looked at each time.
///
/// # Safety
/// As for `read`; the name is a string or nothing.
unsafe fn tell(
    handles: &mut Vec<InFlight>,
    wd: Option<c_int>,
    name: *const c_char,
    events: c_int,
    status: c_int,
) {
    for kept in handles.drain(..) {
        let header = kept.header();
        let handle: *mut uv::uv_fs_event_t = header.uv().cast();
        // SAFETY: the handle is kept, and its callback is what libuv would call.
        unsafe {
            if header.is_open()
                && header.is_active()
                && wd.is_none_or(|wd| (*handle).wd == wd)
                && let Some(callback) = (*handle).cb
            {
                callback(handle, name, events, status);
            }
        }
    }
}

/// Has `start` call `uv_fs_event_start`. Fails with `UV_EBADF` where the loop has lost what it hears by.
///
/// # Safety
/// The loop is open, one of this crate's, and the caller's.
pub unsafe fn starting<T>(event_loop: *mut uv::uv_loop_t, start: impl FnOnce() -> T) -> Result<T> {
    // SAFETY: the caller says so.
    unsafe {
        let fds = &Held::from_raw(event_loop).own_fds;
        let before = (*event_loop).inotify_fd;
        if before >= 0 && !fds.has(Own::Files, before) {
            fds.check_known(event_loop)?;
        }
        let result = start();
        if before < 0 && (*event_loop).inotify_fd >= 0 {
            fds.mark(Own::Files, (*event_loop).inotify_fd);
        }
        Ok(result)
    }
}

/// Has `stop` call `uv_fs_event_stop`, which takes a watch off by number: not off what is somebody else's by
/// now. In a forked child, where it is the parent's too, `always` keeps it out of reach.
///
/// # Safety
/// The loop is open, one of this crate's, and the caller's.
pub unsafe fn stopping(event_loop: *mut uv::uv_loop_t, always: bool, stop: impl FnOnce() -> c_int) {
    // SAFETY: the caller says so.
    unsafe {
        let fds = &Held::from_raw(event_loop).own_fds;
        let fd = (*event_loop).inotify_fd;
        let apart = always || (fd >= 0 && !fds.has(Own::Files, fd));
        if apart {
            (*event_loop).inotify_fd = -1;
        }
        stop();
        if apart {
            (*event_loop).inotify_fd = fd;
        }
    }
}
