//! `caught_signals` and `dispatched_signals` of a signal handle (`uv__finish_close` in `unix/core.c`).
//!
//! libuv does not finish the closing of a handle before it has read from the loop's pipe whatever was caught for it: the
//! message there is an address. A loop that has lost one of its descriptors reads nothing any more, and would close such
//! a handle for ever.

use libuv_sys2 as uv;

use crate::handle::HandleType;
use crate::r#loop::Held;

/// Has libuv wait for no message of a loop that reads none.
pub(crate) fn forget_unheard(held: &Held) {
    if !held.own_fds.has_lost_any() {
        return;
    }
    held.for_each_handle(|header| {
        if header.shared().handle_type() == HandleType::Signal && !header.is_open() {
            let handle = header.uv().cast::<uv::uv_signal_t>();
            // SAFETY: the handle is a signal's and its loop the caller's; it was stopped when its closing began, so no
            // handler of signals counts any more.
            unsafe { (*handle).dispatched_signals = (*handle).caught_signals };
        }
    });
}

#[cfg(test)]
mod tests {
    use crate::internals::own_fds::Own;
    use crate::internals::own_fds::tests::loop_to_be_lost;
    use crate::{Loop, RunMode, Signal};

    /// The number of handles that are closing after an iteration of libuv's own.
    fn closing(event_loop: &Loop, forget: bool) -> usize {
        let held = event_loop.hold().unwrap();
        if forget {
            super::forget_unheard(&held);
        }
        // SAFETY: the loop is open, this thread's, and not running.
        unsafe { libuv_sys2::uv_run(held.uv(), libuv_sys2::uv_run_mode_UV_RUN_NOWAIT) };
        held.closing.get()
    }

    #[test]
    fn libuv_waits_for_what_was_caught_unless_that_is_forgotten() {
        let event_loop = loop_to_be_lost();
        let signal = Signal::new(&event_loop).unwrap();
        event_loop.run(RunMode::NoWait).unwrap();
        // SAFETY: the handle is open; the count is libuv's, and no handler runs.
        unsafe { (*signal.uv::<libuv_sys2::uv_signal_t>()).caught_signals += 1 };
        signal.close(|_| ()).unwrap();
        assert_eq!(closing(&event_loop, false), 1);
        assert_eq!(closing(&event_loop, true), 1);
        event_loop.hold().unwrap().own_fds.note_lost(Own::Wakeup);
        assert_eq!(closing(&event_loop, true), 0);
    }
}
