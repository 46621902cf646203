//! `uv_loop_close`: closing a loop on which nothing is left.

use libuv_sys2 as uv;

use super::{Entered, Loop, LoopInner};
use crate::error::{Code, Error, Result};

impl Loop {
    /// Closes the loop and gives its fds back (`uv_loop_close`). Runs what is already closing to
    /// its end first.
    ///
    /// Fails with `UV_EBUSY`, naming what is open, while there are open handles or requests in
    /// flight; with [`Error::AlreadyRunning`] from inside a callback.
    pub fn close(&self) -> Result<()> {
        let entered = self.enter()?;
        if entered.running.get() {
            return Err(Error::AlreadyRunning);
        }
        entered.check_backend()?;
        entered.empty_inbox();
        let open = entered.open();
        if !open.is_empty() {
            return Err(still_open(&open));
        }
        // Close callbacks come while the loop is whole: what they make stands in the way again.
        entered.running.set(true);
        entered.run_closing();
        entered.running.set(false);
        entered.stopping.set(false);
        entered.empty_inbox();
        if let Some(message) = entered.panic.take() {
            return Err(Error::Panicked(message));
        }
        let open = entered.open();
        if !open.is_empty() {
            return Err(still_open(&open));
        }
        entered.tear_down();
        match entered.panic.take() {
            Some(message) => Err(Error::Panicked(message)),
            None => Ok(()),
        }
    }

    /// Whether the loop was closed.
    pub fn is_closed(&self) -> bool {
        match self.inner().owner.take() {
            Ok(give_back) => {
                let entered = Entered { inner: self.inner(), give_back };
                entered.closed.get()
            }
            Err(_) => false,
        }
    }
}

impl LoopInner {
    /// The handles that nobody has closed, and the requests in flight, in words.
    fn open(&self) -> Vec<String> {
        let mut open: Vec<String> = Vec::new();
        self.for_each_handle(|header| {
            let name = header.describe();
            // The parts of one thing say its name once.
            if header.is_open() && !(header.is_hidden() && open.contains(&name)) {
                open.push(name);
            }
        });
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
        self.running.set(true);
        // SAFETY: the loop is open and ours, and its own handles are closed here and nowhere else.
        unsafe {
            self.own_handles.close();
            self.run_closing();
            let status = uv::uv_loop_close(self.uv());
            debug_assert_eq!(status, 0, "a handle or request survived");
        }
        self.closed.set(true);
        self.running.set(false);
    }

    /// Runs close callbacks until none is left.
    pub(super) fn run_closing(&self) {
        // Referenced or not, a closing handle keeps `uv_loop_alive` true; what a close callback
        // starts or closes is covered by the condition.
        loop {
            // SAFETY: the loop is open, ours, and not running.
            unsafe {
                uv::uv_run(self.uv(), uv::uv_run_mode_UV_RUN_NOWAIT);
            }
            if self.closing.get() == 0 {
                break;
            }
        }
    }
}

fn still_open(open: &[String]) -> Error {
    Error::new(Code::EBUSY, format!("still open: {}", open.join(", ")))
}
