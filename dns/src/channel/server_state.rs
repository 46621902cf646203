//! `ares_set_server_state_callback`: hearing how servers do.

use std::mem;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use c_ares::ServerStateFlags;

use super::Channel;
use super::ares::no_panic;
use super::core::Core;
use crate::error::Result;

/// A query to a server that went well, or did not.
pub(crate) struct ServerState {
    pub(crate) server: Box<str>,
    pub(crate) success: bool,
    pub(crate) flags: ServerStateFlags,
}

/// Who is told of servers: the server, whether it answered, and over which protocol.
pub type ServerStateCallback = Arc<dyn Fn(&str, bool, ServerStateFlags) + Send + Sync>;

impl Channel {
    /// Has `listener(server, success, flags)` called for every query that a server answered, or
    /// failed to (`ares_set_server_state_callback`); `None` is nobody. `flags` says by which
    /// protocol.
    ///
    /// The loop calls it, before the callback of the lookup that the query was for. It hears
    /// nothing while the channel has no lookup.
    pub fn set_server_state_callback(&self, listener: Option<ServerStateCallback>) -> Result<()> {
        let _held = self.event_loop.hold()?;
        let listening = listener.is_some();
        self.core.open(|ares| {
            let mut slot = self.core.listener.lock().unwrap_or_else(PoisonError::into_inner);
            let earlier = mem::replace(&mut *slot, listener);
            drop(slot);
            if listening && !self.core.listening.swap(true, Ordering::Relaxed) {
                ares.all().for_each(|engine| self.core.listen(engine));
            }
            earlier
        })?;
        // Dropped where no lock is held: that may do anything.
        Ok(())
    }
}

impl Core {
    /// Has a c-ares channel report what becomes of servers. c-ares makes a text of the server's
    /// address for each report, so it is not asked to unless somebody listens.
    pub(crate) fn listen(&self, channel: &mut c_ares::Channel) {
        let queue = self.queue.clone();
        channel.set_server_state_callback(move |server, success, flags| {
            no_panic(|| {
                queue.calling.check();
                let state = ServerState { server: server.into(), success, flags };
                queue.lock().servers.push_back(state);
            });
        });
    }

    /// Tells the listener what it has not heard, as long as there is a lookup: who asked for that
    /// has reason to be there.
    pub(crate) fn report(&self) {
        loop {
            let mut state = self.queue.lock();
            if state.active() == 0 {
                state.servers.clear();
            }
            let Some(report) = state.servers.pop_front() else { return };
            drop(state);
            let listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(listener) = listener {
                listener(&report.server, report.success, report.flags);
            }
        }
    }
}
