//! What `ares_reinit` is for: taking up a changed `resolv.conf`.
//!
//! `ares_reinit` itself reads on a thread of its own and calls back from there, beside the loop's
//! thread. Here a thread of libuv's pool makes a new c-ares channel of the same options, which
//! reads the files, and the loop's thread swaps it in.

use std::sync::{Arc, Mutex, PoisonError};

use pyuv::Held;

use super::Channel;
use super::core::Core;
use crate::configuration::Configuration;
use crate::engine::Engine;
use crate::error::{Code, Result};
use crate::server;

impl Channel {
    /// Reads `resolv.conf` and what else c-ares is configured by again, on libuv's thread pool, for
    /// the lookups that come after (what `ares_reinit` does). The cache is emptied. The options
    /// and servers that were set by hand stay.
    ///
    /// Lookups in flight go on. Those to a server that is no longer there go to one that is.
    ///
    /// `callback` is called once, by the loop: with the error if the new configuration cannot be
    /// used, and the channel keeps the old one; with `ARES_EDESTRUCTION` if it was closed meanwhile.
    pub fn reinit(&self, callback: impl FnOnce(Result<()>) + Send + 'static) -> Result<()> {
        let held = self.event_loop.hold()?;
        self.core.open(&held, |_| ())?;
        let local = self.core.local(&held);
        let turn = local.reinits.get() + 1;
        local.reinits.set(turn);
        let mut options = self.core.options.clone();
        let servers = local.servers.borrow().clone();
        options.servers = servers.or(options.servers);
        let on_socket = self.core.on_socket_state();
        let made = Arc::new(Mutex::new(None));
        let for_loop = made.clone();
        let core = self.core.weak.clone();
        self.event_loop.queue_work_held(
            move || {
                let channel = options.engine(Configuration::read(&options), Some(on_socket));
                *made.lock().unwrap_or_else(PoisonError::into_inner) = Some(channel);
            },
            move |held, outcome| {
                let made = for_loop.lock().unwrap_or_else(PoisonError::into_inner).take();
                callback(match (outcome, made, core.upgrade()) {
                    (Err(error), _, _) => Err(error.into()),
                    (Ok(()), Some(made), Some(core)) => {
                        made.and_then(|channel| core.swap(held, channel, turn))
                    }
                    _ => Err(Code::EDESTRUCTION.into()),
                });
            },
        )?;
        Ok(())
    }
}

impl Core {
    /// Has lookups go to `channel` from now on, unless a later `reinit` was faster.
    fn swap(&self, held: &Held, mut channel: Engine, turn: usize) -> Result<()> {
        let swapped = self.open(held, |ares| -> Result<()> {
            let reinited = &self.local(held).reinited;
            if reinited.get() >= turn {
                return Ok(());
            }
            reinited.set(turn);
            // They may have been set since the pool's thread looked.
            let servers = self.local(held).servers.borrow().clone();
            if let Some(servers) = servers {
                channel.ask_servers(&server::to_csv(&servers)?)?;
                channel.configuration_mut().set_servers(&servers);
            }
            if self.local(held).listening.get() {
                self.listen(&mut channel);
            }
            self.set_budget(held, &channel.configuration);
            self.queue.cache(held).clear();
            ares.replace(channel);
            Ok(())
        });
        swapped.unwrap_or_else(|_closed| Err(Code::EDESTRUCTION.into()))?;
        self.settle(held);
        Ok(())
    }
}
