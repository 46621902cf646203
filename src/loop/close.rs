//! `uv_loop_close`: closing a loop on which nothing is left.

use libuv_sys2 as uv;

use super::run::Running;
use super::{Loop, LoopInner};
use crate::error::{Code, Error, Result};
#[cfg(target_os = "linux")]
use crate::internals::caught_signals;
#[cfg(unix)]
use crate::internals::own_fds;
use crate::internals::registration;
use crate::trampoline;

impl Loop {
    /// Closes the loop and gives its fds back (`uv_loop_close`). Runs what is already closing to
    /// its end first.
    ///
    /// Fails with `UV_EBUSY`, naming what is open, while there are open handles or requests in
    /// flight; with [`Error::AlreadyRunning`] from inside a callback.
    pub fn close(&self) -> Result<()> {
        let entered = self.enter()?;
        let running = Running::begin(&entered)?;
        // Without what it polls nothing on it can be closed in order; without the rest it can.
        #[cfg(unix)]
        // SAFETY: the loop is open and ours.
        unsafe {
            entered.own_fds.check_backend(entered.uv())?;
        }
        trampoline::guard(&entered, || entered.empty_inbox());
        let open = entered.open();
        if !open.is_empty() {
            return Err(still_open(&open));
        }
        // Close callbacks come while the loop is whole: what they make stands in the way again.
        entered.run_closing();
        drop(running);
        entered.stopping.set(false);
        trampoline::guard(&entered, || entered.empty_inbox());
        if let Some(message) = entered.panic.take() {
            return Err(Error::panicked(message));
        }
        let open = entered.open();
        if !open.is_empty() {
            return Err(still_open(&open));
        }
        entered.tear_down();
        match entered.panic.take() {
            Some(message) => Err(Error::panicked(message)),
            None => Ok(()),
        }
    }

    /// Whether the loop was closed.
    pub fn is_closed(&self) -> bool {
        self.hold_even_closed().is_ok_and(|entered| entered.closed.get())
    }
}

impl LoopInner {
    /// The handles that nobody has closed, and the requests in flight, in words. As many of a
    /// kind are one entry with their number, for there can be thousands.
    fn open(&self) -> Vec<String> {
        let mut kinds: Vec<(String, usize)> = Vec::new();
        self.for_each_handle(|header| {
            if !header.is_open() {
                return;
            }
            let name = header.describe();
            match kinds.iter_mut().find(|(known, _)| *known == name) {
                // The parts of one thing say its name once.
                Some((_, count)) => *count += usize::from(!header.is_hidden()),
                None => kinds.push((name, 1)),
            }
        });
        let mut open: Vec<String> = kinds
            .into_iter()
            .map(|(name, count)| if count == 1 { name } else { format!("{count} {name}") })
            .collect();
        match self.requests.len() {
            0 => {}
            1 => open.push("1 request in flight".to_owned()),
            many => open.push(format!("{many} requests in flight")),
        }
        open
    }

    /// Closes the loop's own handles, runs everything that is closing to its end, and closes the
    /// loop. Nothing but closing handles may be on it.
    pub(super) fn tear_down(&self) {
        let running = Running::begin(self);
        debug_assert!(running.is_ok(), "the loop is running");
        trampoline::guard(self, || self.shut_inbox());
        // libuv would do it for a loop that has never run, and abort where its ring is gone.
        registration::register(self);
        // What was found lost has stopped the loop: that goes for this run, and not for the next.
        self.run_closing();
        // SAFETY: the loop is open and ours, and its own handles are closed here and nowhere else.
        unsafe {
            self.own_handles.close();
            uv::uv_close(self.jobs.handle(), None);
            #[cfg(unix)]
            if let Some(handle) = self.reserve.handle() {
                uv::uv_close(handle, None);
            }
            self.run_closing();
            self.drop_tasks();
            #[cfg(unix)]
            self.reserve.close();
            let close = || uv::uv_loop_close(self.uv());
            #[cfg(unix)]
            let status = own_fds::sparing_lost(&self.own_fds, self.uv(), close);
            #[cfg(not(unix))]
            let status = close();
            debug_assert_eq!(status, 0, "a handle or request survived");
        }
        self.closed.set(true);
    }

    /// Runs close callbacks until none is left, and has the pool's threads let go of the loop if
    /// it has no job in flight.
    pub(super) fn run_closing(&self) {
        // What wakes the loop may be gone, and with it the wakeup that was on its way: it looks itself then.
        #[cfg(unix)]
        // SAFETY: the loop is open and ours.
        unsafe {
            self.own_fds.look(self.uv());
        }
        // Referenced or not, a closing handle keeps `uv_loop_alive` true; what a close callback
        // starts or closes is covered by the condition.
        loop {
            #[cfg(target_os = "linux")]
            caught_signals::forget_unheard(self);
            // SAFETY: the loop is open, ours, and not running.
            unsafe { self.uv_run(uv::uv_run_mode_UV_RUN_NOWAIT) };
            if self.jobs.are_leaving() {
                self.jobs.leave();
                std::thread::yield_now();
            } else if self.closing.get() == 0 {
                break;
            }
        }
    }
}

fn still_open(open: &[String]) -> Error {
    Error::new(Code::EBUSY, format!("still open: {}", open.join(", ")))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::{Async, Code, Error, Loop, Timer};

    #[test]
    fn handles_of_a_kind_are_counted_in_the_error() {
        let event_loop = Loop::new().unwrap();
        let timers: Vec<_> = (0..1000).map(|_| Timer::new(&event_loop).unwrap()).collect();
        timers[0].start(Duration::from_secs(60), Duration::ZERO, |_| ()).unwrap();
        let parts: Vec<_> = (0..3).map(|_| Async::new(&event_loop, |_| ()).unwrap()).collect();
        for part in &parts {
            part.hide("a whole").unwrap();
        }
        let text = "still open: Timer (active), 999 Timer (inactive), a whole";
        assert_eq!(event_loop.close(), Err(Error::new(Code::EBUSY, text)));
        for timer in &timers {
            timer.close(|_| ()).unwrap();
        }
        for part in &parts {
            part.close(|_| ()).unwrap();
        }
        assert_eq!(event_loop.close(), Ok(()));
    }
}
