//! `ares_channel_t` on a libuv loop.
//!
//! A [`Channel`] owns one c-ares channel, a `Poll` for each socket that c-ares opens, and a `Timer`
//! for c-ares's timeouts; what was answered at once the loop delivers soon (`Held::defer`). The timer
//! keeps the loop running while there is a query, the polls never do. c-ares gets no thread and no
//! inotify watch (`ARES_OPT_EVENT_THREAD`), and `ares_reinit`, which starts a thread, is not called:
//! see `reinit`.
//!
//! # Answers
//! c-ares calls back from inside its own calls. What it calls here asserts that it is on the thread
//! that called c-ares, copies the answer onto the `Queue`, and catches its own panic (`InFlight`).
//! The user's callbacks run from `Core::deliver`, straight from the loop, when no call of c-ares's
//! is on the stack and no lock is held. There they may ask, cancel, close and
//! drop. A query that is answered at once (from the cache, for want of a server) is delivered by
//! the idle handle in the next turn of the loop.
//!
//! c-ares's pending-write callback is not used: once it has been called, c-ares 1.34 writes at
//! once until `ares_process_pending_write`, so that it would join two writes to a TCP server, and
//! those that are asked before the connection stands are joined anyway.
//!
//! # Threads
//! Whoever calls owns the loop ([`Loop::hold`]), and so does every callback. What is below is the
//! owner's ([`Owned`](pyuv::Owned)), who is known by a `&Held`; what c-ares calls has it from the
//! call of c-ares's that it is in (`ares::Calling`). Nothing here is the last to drop the c-ares
//! channel on a thread that does not own the loop: a closure of the anchor handle's does, and a
//! handle's closure is dropped by the owner. See `Anchored`.

mod ares;
mod cache;
mod core;
mod getaddrinfo;
mod gethostby;
mod getnameinfo;
mod host;
mod lookup;
mod query;
mod queue;
mod reinit;
mod search;
mod server_state;
mod sockets;

use std::sync::{Arc, Weak};
use std::time::Duration;

use pyuv::{Idle, Loop};

pub(crate) use self::ares::no_panic;
pub(crate) use self::core::Core;
pub use self::getaddrinfo::{AddressInfo, AddressNode, Alias};
pub use self::gethostby::Host;
pub use self::getnameinfo::NameInfo;
use self::lookup::{Asked, Callback, Lookup};
pub(crate) use self::query::{check_class, synthesized};
pub use self::server_state::ServerStateCallback;
use crate::configuration::Configuration;
use crate::error::{Code, Result};
use crate::options::Options;
use crate::server;

/// A raw c-ares channel on a loop (`ares_channel_t`).
///
/// Dropping a channel ends its queries without calling anybody; [`close`](Channel::close) tells
/// them. It may be dropped on any thread.
///
/// ```no_run
/// use pyuv::{Loop, RunMode};
/// use pyuv_dns::{Channel, Options, RecordType};
///
/// let event_loop = Loop::new()?;
/// let channel = Channel::new(&event_loop, Options::default())?;
/// channel.query("example.com", RecordType::MX, |answer| match answer {
///     Ok(message) => println!("{:?}", message.answer),
///     Err(error) => println!("{error}"),
/// })?;
/// event_loop.run(RunMode::Default)?;
/// # Ok::<(), pyuv_dns::Error>(())
/// ```
pub struct Channel {
    core: Arc<Core>,
    event_loop: Loop,
    /// Never active. See `Anchored`.
    anchor: Idle,
}

/// What the handles are, for who wants to close the loop.
pub(crate) const PART_OF: &str = "a DNS channel";

/// The end of a channel, in the closure of a handle that never calls it.
///
/// The `Channel` holds that handle. When it is dropped, on whatever thread, the loop's owner
/// closes the handle and drops the closure, and with it this. Until then the loop's callbacks
/// have only weak references.
struct Anchored {
    core: Arc<Core>,
    event_loop: Loop,
}

impl Drop for Anchored {
    fn drop(&mut self) {
        // In a process that was forked, and has not taken the loop over, it is left as it is.
        let Ok(held) = self.event_loop.hold_even_closed() else { return };
        if !self.core.end(&held) {
            // It is being closed, and what that ends is on its way.
            return;
        }
        self.core.forget(&held);
    }
}

impl Channel {
    /// A new channel (`ares_init_options`).
    ///
    /// The error names the option that is wrong.
    pub fn new(event_loop: &Loop, options: Options) -> Result<Channel> {
        let _held = event_loop.hold()?;
        options.check()?;
        let max_in_flight = options.max_in_flight()?;
        // The error names the server that is none.
        options.servers.as_deref().map(server::to_csv).transpose()?;
        let core = Core::new(event_loop, options, max_in_flight)?;
        let anchor = Idle::new(event_loop)?;
        anchor.hide(PART_OF)?;
        let anchored = Anchored { core: core.clone(), event_loop: event_loop.clone() };
        anchor.start(move |_| {
            let _ = &anchored;
        })?;
        anchor.stop()?;
        Ok(Channel { core, event_loop: event_loop.clone(), anchor })
    }

    fn start<L: Lookup>(&self, lookup: L, callback: Callback<L::Answer>) -> Result<()> {
        let held = self.event_loop.hold()?;
        self.core.start(&held, Asked { lookup, callback })
    }

    /// Ends every query with `ARES_ECANCELLED`, those that wait their turn included. Their
    /// callbacks are called by the loop.
    pub fn cancel(&self) -> Result<()> {
        let held = self.event_loop.hold()?;
        self.core.open(&held, |ares| {
            self.core.end_waiting(&held, Code::ECANCELLED);
            ares.cancel();
        })?;
        self.core.settle(&held);
        Ok(())
    }

    /// Closes the channel: every query ends with `ARES_EDESTRUCTION`, and the callbacks are called
    /// by the loop. Fails for a channel that is closed.
    pub fn close(&self) -> Result<()> {
        let held = self.event_loop.hold()?;
        if !self.core.end(&held) {
            return Err(pyuv::Error::HandleClosed.into());
        }
        self.core.end_waiting(&held, Code::EDESTRUCTION);
        let core = self.core.clone();
        held.defer(move |held| core.deliver(held));
        self.anchor.close(|_| ())?;
        Ok(())
    }

    /// Whether the channel was closed.
    pub fn is_closed(&self) -> bool {
        self.core.is_closed()
    }

    /// The servers that are asked, as [`set_servers`](Channel::set_servers) takes them
    /// (`ares_get_servers_csv`).
    pub fn servers(&self) -> Result<Vec<String>> {
        let held = self.event_loop.hold()?;
        self.core.open(&held, |ares| ares.current.servers())
    }

    /// Has these servers asked from now on (`ares_set_servers_csv`). Each is an `address`, an
    /// `address:port` or an `[address]:port`; a link-local one names its interface,
    /// `[fe80::1%eth0]:53`. With another port for TCP it is a URI, `dns://192.0.2.1:53?tcpport=54`.
    ///
    /// Queries in flight to a server that is no longer there go to the others. The error names a
    /// server that is none of these.
    pub fn set_servers<S: AsRef<str>>(&self, servers: &[S]) -> Result<()> {
        let csv = server::to_csv(servers)?;
        let servers: Vec<_> = servers.iter().map(|server| server.as_ref().to_owned()).collect();
        let held = self.event_loop.hold()?;
        let set = self.core.open(&held, |ares| {
            for channel in ares.all() {
                channel.ask_servers(&csv)?;
            }
            ares.current.configuration_mut().set_servers(&servers);
            self.core.set_budget(&held, &ares.current.configuration);
            self.core.queue.cache(&held).clear();
            Ok(())
        });
        set.and_then(|set| set)?;
        self.core.local(&held).servers.replace(Some(servers));
        self.core.settle(&held);
        Ok(())
    }

    /// What the channel goes by, and where each part of it was found.
    pub fn configuration(&self) -> Result<Arc<Configuration>> {
        let held = self.event_loop.hold()?;
        self.core.open(&held, |ares| ares.current.configuration.clone())
    }

    /// How many lookups have not had their callback called.
    pub fn active_queries(&self) -> usize {
        self.core.queue.active()
    }

    /// How many queries c-ares works on at a time. A lookup of addresses of both families is two.
    pub fn max_in_flight(&self) -> usize {
        self.core.max_in_flight
    }

    /// How long until a query in flight has its next timeout; `None` without one
    /// (`ares_timeout`).
    pub fn timeout(&self) -> Result<Option<Duration>> {
        let held = self.event_loop.hold()?;
        self.core.open(&held, |ares| ares.timeout())
    }

    /// What a callback of the channel's may hold.
    pub(crate) fn weak_core(&self) -> Weak<Core> {
        self.core.weak.clone()
    }

    /// The loop that the channel is on.
    pub fn event_loop(&self) -> &Loop {
        &self.event_loop
    }
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Channel");
        match self.event_loop.hold_even_closed() {
            Ok(held) => {
                let state = self.core.queue.state(&held);
                shown
                    .field("in_flight", &state.in_flight)
                    .field("waiting", &state.waiting.len())
                    .field("answered", &state.answered.len())
            }
            Err(_) => shown.field("active_queries", &self.active_queries()),
        };
        shown.finish_non_exhaustive()
    }
}
