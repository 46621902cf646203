//! `ares_set_server_state_callback`: hearing how servers do.

use std::sync::Arc;

use c_ares::ServerStateFlags;
use pyuv::Held;

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
        let held = self.event_loop.hold()?;
        let local = self.core.local(&held);
        let listening = listener.is_some();
        self.core.open(&held, |ares| {
            let earlier = local.listener.replace(listener);
            if listening && !local.listening.replace(true) {
                ares.all().for_each(|engine| self.core.listen(engine));
            }
            earlier
        })?;
        // Dropped where nothing is borrowed: that may do anything.
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
                let state = ServerState { server: server.into(), success, flags };
                queue.calling.held(|held| queue.state(held).servers.push_back(state));
            });
        });
    }

    /// Tells the listener what it has not heard, as long as there is a lookup: who asked for that
    /// has reason to be there.
    pub(crate) fn report(&self, held: &Held) {
        loop {
            let mut state = self.queue.state(held);
            if state.active() == 0 {
                state.servers.clear();
            }
            let Some(report) = state.servers.pop_front() else { return };
            drop(state);
            let listener = self.local(held).listener.borrow().clone();
            if let Some(listener) = listener {
                listener(&report.server, report.success, report.flags);
            }
        }
    }
}
