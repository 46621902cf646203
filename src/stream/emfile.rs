//! Connections lost for want of fds.
//!
//! Where `accept` finds no fd left, libuv closes one that the loop keeps in reserve, accepts and
//! closes every connection that waits, so that their clients know, takes a new reserve, and tells
//! nobody. Here the reserve is one end of a pipe: the loop sees by its other end that it was
//! closed, and tells those who listen, with `UV_EMFILE`. Listening goes on by itself. The next
//! connection that can be accepted puts the pipe back, so a shortage is reported once.

use std::cell::{Cell, UnsafeCell};
use std::mem;
use std::os::raw::c_int;
use std::ptr::NonNull;

use libuv_sys2 as uv;

use super::listen::report_failure;
use crate::handle::Header;
use crate::internals::reserve;
use crate::r#loop::LoopInner;
use crate::trampoline;
use crate::util::pipe;

/// A loop's watch over its reserve.
pub(crate) struct Reserve {
    state: Cell<State>,
    /// The end of the pipe that is watched, or -1.
    watched: Cell<c_int>,
    /// A handle of the loop's own, unreferenced.
    poll: UnsafeCell<uv::uv_poll_t>,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    /// Nobody listens yet; the poll handle is not there.
    Unused,
    /// The pipe is in place.
    Watching,
    /// It was used up.
    Spent,
}

impl Reserve {
    pub(crate) fn new() -> Reserve {
        Reserve {
            state: Cell::new(State::Unused),
            watched: Cell::new(-1),
            // SAFETY: all-zero is a valid, if unusable, value of the struct; `watch` fills it.
            poll: UnsafeCell::new(unsafe { mem::zeroed() }),
        }
    }

    /// For the owner: puts the pipe in place, if it is not there. Where no fd is left for it, a
    /// later call does.
    #[inline]
    pub(super) fn watch(&self, inner: &LoopInner) {
        if self.state.get() != State::Watching {
            self.put_in_place(inner);
        }
    }

    #[cold]
    fn put_in_place(&self, inner: &LoopInner) {
        let Ok((watched, reserve_end)) = pipe(true, true) else { return };
        let poll = self.poll.get();
        let mut place = watched;
        // SAFETY: the loop is open and ours. Both ends are new and nobody else's, libuv keeps the
        // reserve from here on, and what it kept before is given up.
        unsafe {
            if self.state.get() == State::Spent {
                // The handle stays with the number that it has.
                place = self.watched.get();
                let moved = libc::dup2(watched, place);
                libc::close(watched);
                if moved == -1 {
                    libc::close(reserve_end);
                    return;
                }
                libc::fcntl(place, libc::F_SETFD, libc::FD_CLOEXEC);
            } else if uv::uv_poll_init(inner.uv(), poll, watched) < 0 {
                libc::close(watched);
                libc::close(reserve_end);
                return;
            }
            let kept = reserve::replace(inner, reserve_end);
            if kept != -1 {
                libc::close(kept);
            }
            uv::uv_poll_start(poll, uv::uv_poll_event_UV_READABLE as c_int, Some(on_spent));
            uv::uv_unref(poll.cast());
        }
        self.watched.set(place);
        self.state.set(State::Watching);
    }

    /// The poll handle, to be closed with the loop's own.
    pub(crate) fn handle(&self) -> Option<*mut uv::uv_handle_t> {
        (self.state.get() != State::Unused).then(|| self.poll.get().cast())
    }

    /// After the poll handle was closed.
    pub(crate) fn close(&self) {
        let watched = self.watched.replace(-1);
        if watched != -1 {
            // SAFETY: the fd is this value's own.
            unsafe { libc::close(watched) };
        }
    }
}

/// The other end was closed: libuv has used up the reserve.
unsafe extern "C" fn on_spent(poll: *mut uv::uv_poll_t, _status: c_int, _events: c_int) {
    // SAFETY: the handle belongs to a live loop of this crate.
    let inner = unsafe { LoopInner::from_raw((*poll).loop_) };
    trampoline::enter(inner, || {
        // SAFETY: the handle is the loop's own and not closed; its loop is ours.
        unsafe { uv::uv_poll_stop(poll) };
        inner.reserve.state.set(State::Spent);
        let mut listeners: Vec<NonNull<Header>> = Vec::new();
        inner.for_each_handle(|header| listeners.push(NonNull::from(header)));
        for header in listeners {
            // SAFETY: a handle's memory is freed only in its close callback, which comes later.
            report_failure(unsafe { header.as_ref() });
        }
    });
}
