//! `ares_channel_t` on a libuv loop.
//!
//! A [`Channel`] owns one c-ares channel, a `Poll` for each socket that c-ares opens, a `Timer`
//! for c-ares's timeouts, and an `Idle` that delivers what was answered at once. The timer and the
//! idle handle keep the loop running while there is a query, the polls never do. c-ares gets no
//! thread and no inotify watch (`ARES_OPT_EVENT_THREAD`), and `ares_reinit`, which starts a
//! thread, is not called.
//!
//! # Answers
//! c-ares calls back from inside its own calls. What it calls here only copies the answer onto
//! the `Queue`; the user's callbacks run from `Core::deliver`, straight from the loop, when no
//! call of c-ares's is on the stack and no lock is held. There they may ask, cancel, close and
//! drop. A query that is answered at once (from the cache, for want of a server) is delivered by
//! the idle handle in the next turn of the loop.
//!
//! c-ares's pending-write callback is not used: once it has been called, c-ares 1.34 writes at
//! once until `ares_process_pending_write`, so that it would join two writes to a TCP server, and
//! those that are asked before the connection stands are joined anyway.
//!
//! # Threads
//! Whoever calls owns the loop ([`Loop::hold`]), and so does every callback; the locks below are
//! never waited for, and only make that safe Rust. Nothing here is the last to drop the c-ares
//! channel on a thread that does not own the loop: a closure of the anchor handle's does, and a
//! handle's closure is dropped by the owner. See `Anchored`.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use c_ares::{DnsCls, DnsRecord, FdEventFlags, FdEvents, ProcessFlags, Socket};
use pyuv::{Events, Idle, Loop, Timer};

use crate::error::{Code, Error, Result};
use crate::message::Message;
use crate::name;
use crate::options::Options;
use crate::queue::{Callback, InFlight, Queue, Waiting};
use crate::registry::RecordType;
use crate::server;
use crate::sockets::Sockets;

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

/// What the loop's callbacks work on.
pub(crate) struct Core {
    weak: Weak<Core>,
    /// `None` once closed. Taken before any other lock.
    ares: Mutex<Option<c_ares::Channel>>,
    sockets: Arc<Sockets>,
    queue: Arc<Queue>,
    /// `None` once closed.
    handles: Mutex<Option<Handles>>,
    /// Callbacks are running, and what they change is seen to when they have run.
    delivering: AtomicBool,
    options: Options,
    max_in_flight: usize,
    budget: Mutex<Duration>,
}

struct Handles {
    timer: Timer,
    /// When `timer` goes off, if it is active.
    due: Option<Instant>,
    /// Active when there is something to deliver that no event of the loop brought.
    delivery: Idle,
}

/// The end of a channel, in the closure of a handle that never calls it.
///
/// The `Channel` holds that handle. When it is dropped, on whatever thread, the loop's owner
/// closes the handle and drops the closure, and with it this. Until then the loop's callbacks
/// have only weak references.
struct Anchored(Arc<Core>);

impl Drop for Anchored {
    fn drop(&mut self) {
        if !self.0.end(|handles| drop(handles.delivery.close(|_| ()))) {
            // It is being closed, and what that ends is on its way.
            return;
        }
        let mut state = self.0.queue.lock();
        let forgotten = (mem::take(&mut state.answered), mem::take(&mut state.waiting));
        drop(state);
        // Dropping a callback may do anything, so no lock is held.
        drop(forgotten);
    }
}

impl Channel {
    /// A new channel (`ares_init_options`).
    ///
    /// The error names the option that is wrong.
    pub fn new(event_loop: &Loop, options: Options) -> Result<Channel> {
        let _held = event_loop.hold()?;
        let servers = options.servers.as_deref().map(server::to_csv).transpose()?;
        let max_in_flight = options.max_in_flight()?;
        let mut ares_options = options.to_ares()?;
        let sockets = Arc::new(Sockets::new(event_loop));
        let watcher = sockets.clone();
        ares_options.set_socket_state_callback(move |socket, readable, writable| {
            no_panic(|| watcher.watch(socket, readable, writable));
        });
        let mut ares = c_ares::Channel::with_options(ares_options)
            .map_err(|error| Error::new(error, "ares_init_options"))?;
        if let Some(csv) = servers {
            ares.set_servers([&csv]).map_err(|error| Error::new(error, csv))?;
        }
        let budget = options.budget(ares.servers().len());

        let anchor = Idle::new(event_loop)?;
        let handles =
            Handles { timer: Timer::new(event_loop)?, due: None, delivery: Idle::new(event_loop)? };
        anchor.hide(PART_OF)?;
        handles.timer.hide(PART_OF)?;
        handles.delivery.hide(PART_OF)?;
        let core = Arc::new_cyclic(|weak| Core {
            weak: weak.clone(),
            ares: Mutex::new(Some(ares)),
            sockets,
            queue: Arc::default(),
            handles: Mutex::new(Some(handles)),
            delivering: AtomicBool::new(false),
            options,
            max_in_flight,
            budget: Mutex::new(budget),
        });
        core.sockets.belong_to(core.weak.clone());
        let anchored = Anchored(core.clone());
        anchor.start(move |_| {
            let _ = &anchored;
        })?;
        anchor.stop()?;
        Ok(Channel { core, event_loop: event_loop.clone(), anchor })
    }

    /// Asks for the records of `name` that are of one type (`ares_query_dnsrec`).
    ///
    /// `callback` is called once, by the loop, never from inside this call: with the answer, or
    /// with `ARES_ENOTFOUND` for a name that does not exist, `ARES_ENODATA` where it has no such
    /// records, `ARES_ETIMEOUT` when nobody answered after `timeout` x `tries`, and so on.
    ///
    /// The error names a name that cannot be asked for; `callback` is dropped then.
    pub fn query(
        &self,
        name: &str,
        record_type: RecordType,
        callback: impl FnOnce(Result<Message>) + Send + 'static,
    ) -> Result<()> {
        name::validate(name)?;
        let _held = self.event_loop.hold()?;
        self.core.query(name, record_type, Box::new(callback))
    }

    /// Ends every query with `ARES_ECANCELLED`, those that wait their turn included. Their
    /// callbacks are called by the loop.
    pub fn cancel(&self) -> Result<()> {
        let _held = self.event_loop.hold()?;
        self.core.open(|ares| {
            self.core.end_waiting(Code::ECANCELLED);
            ares.cancel();
        })?;
        self.core.settle();
        Ok(())
    }

    /// Closes the channel: every query ends with `ARES_EDESTRUCTION`, and the callbacks are called
    /// by the loop. Fails for a channel that is closed.
    pub fn close(&self) -> Result<()> {
        let _held = self.event_loop.hold()?;
        let core = self.core.clone();
        let closed = self.core.end(|handles| {
            // Owned by nobody, it closes when it stops, or with the loop.
            core.end_waiting(Code::EDESTRUCTION);
            let last = handles.delivery.start(move |delivery| {
                core.deliver();
                let _ = delivery.stop();
            });
            if last.is_err() {
                drop(handles.delivery.close(|_| ()));
            }
        });
        if !closed {
            return Err(pyuv::Error::HandleClosed.into());
        }
        self.anchor.close(|_| ())?;
        Ok(())
    }

    /// Whether the channel was closed.
    pub fn is_closed(&self) -> bool {
        self.core.lock_ares().is_none()
    }

    /// The servers that are asked, as [`set_servers`](Channel::set_servers) takes them
    /// (`ares_get_servers_csv`).
    pub fn servers(&self) -> Result<Vec<String>> {
        let _held = self.event_loop.hold()?;
        self.core.open(|ares| ares.servers())
    }

    /// Has these servers asked from now on (`ares_set_servers_ports_csv`), each `address`,
    /// `address:port` or `[address]:port`. Queries in flight to a server that is no longer there
    /// go to the others. The error names a server that is none of these.
    pub fn set_servers<S: AsRef<str>>(&self, servers: &[S]) -> Result<()> {
        let csv = server::to_csv(servers)?;
        let _held = self.event_loop.hold()?;
        let count = self.core.open(|ares| {
            ares.set_servers([&csv])?;
            Ok::<_, c_ares::Error>(ares.servers().len())
        })?;
        let count = count.map_err(|error| Error::new(error, csv))?;
        *self.core.budget.lock().unwrap_or_else(PoisonError::into_inner) =
            self.core.options.budget(count);
        self.core.settle();
        Ok(())
    }

    /// How many queries have not had their callback called.
    pub fn active_queries(&self) -> usize {
        let state = self.core.queue.lock();
        state.in_flight + state.waiting.len() + state.answered.len()
    }

    /// How many queries c-ares works on at a time.
    pub fn max_in_flight(&self) -> usize {
        self.core.max_in_flight
    }

    /// How long until a query in flight has its next timeout; `None` without one
    /// (`ares_timeout`).
    pub fn timeout(&self) -> Result<Option<Duration>> {
        let _held = self.event_loop.hold()?;
        self.core.open(|ares| ares.timeout(None))
    }

    /// The loop that the channel is on.
    pub fn event_loop(&self) -> &Loop {
        &self.event_loop
    }
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = self.core.queue.lock();
        f.debug_struct("Channel")
            .field("in_flight", &state.in_flight)
            .field("waiting", &state.waiting.len())
            .field("answered", &state.answered.len())
            .finish_non_exhaustive()
    }
}

impl Core {
    fn lock_ares(&self) -> MutexGuard<'_, Option<c_ares::Channel>> {
        self.ares.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_handles(&self) -> MutexGuard<'_, Option<Handles>> {
        self.handles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls `f` with the c-ares channel, unless it is closed.
    fn open<T>(&self, f: impl FnOnce(&mut c_ares::Channel) -> T) -> Result<T> {
        match self.lock_ares().as_mut() {
            Some(ares) => Ok(f(ares)),
            None => Err(pyuv::Error::HandleClosed.into()),
        }
    }

    fn query(&self, name: &str, record_type: RecordType, callback: Callback) -> Result<()> {
        self.open(|ares| {
            let mut state = self.queue.lock();
            if state.in_flight < self.max_in_flight && state.waiting.is_empty() {
                drop(state);
                self.ask(ares, name, record_type, callback);
            } else {
                let asked = Instant::now();
                state.waiting.push_back(Waiting {
                    name: name.into(),
                    record_type,
                    asked,
                    callback,
                });
            }
        })?;
        if !self.delivering.load(Ordering::Relaxed) {
            self.settle();
        }
        Ok(())
    }

    /// Gives c-ares a query. c-ares may answer it from inside this call.
    fn ask(
        &self,
        ares: &mut c_ares::Channel,
        name: &str,
        record_type: RecordType,
        callback: Callback,
    ) {
        let query = InFlight::new(&self.queue, callback);
        // What the call returns, the closure has been told.
        let _ = ares.query_dnsrec(name, DnsCls::IN, record_type.into(), move |answer| {
            no_panic(|| query.answer(copy(answer)));
        });
    }

    /// A socket is ready. libuv reports one that has an error as an error, and stops its poll:
    /// c-ares finds the error by reading.
    pub(crate) fn on_socket(&self, socket: Socket, outcome: pyuv::Result<Events>) {
        let mut flags = FdEventFlags::empty();
        let events = outcome.as_ref().copied().unwrap_or(Events::READABLE | Events::WRITABLE);
        flags.set(FdEventFlags::READ, events.contains(Events::READABLE));
        flags.set(FdEventFlags::WRITE, events.contains(Events::WRITABLE));
        self.process(&[FdEvents::new(socket, flags)]);
        if outcome.is_err() {
            self.sockets.watch_again(socket);
        } else if events.contains(Events::DISCONNECT) {
            self.sockets.leave_at_end(socket);
        }
    }

    /// A query may have timed out.
    fn on_timer(&self) {
        if let Some(handles) = self.lock_handles().as_mut() {
            handles.due = None;
        }
        self.process(&[]);
    }

    /// Lets c-ares read, write and see what has timed out, and tells those who asked.
    fn process(&self, events: &[FdEvents]) {
        // It fails for want of memory alone; the queries then end in a timeout.
        let _ = self.open(|ares| ares.process_fds(events, ProcessFlags::empty()));
        self.refill();
        self.deliver();
    }

    /// Gives c-ares the queries that wait, as far as it has room.
    ///
    /// Waiting is part of the time that a query may take: it ends in a timeout like one that was
    /// sent once it has waited that long and, for as long, no answer came that made room.
    fn refill(&self) {
        if self.queue.lock().waiting.is_empty() {
            return;
        }
        let budget = *self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let _ = self.open(|ares| {
            loop {
                let mut state = self.queue.lock();
                if state.in_flight >= self.max_in_flight {
                    break;
                }
                let progress = state.progress;
                let Some(query) = state.waiting.pop_front() else { break };
                let since = progress.map_or(query.asked, |progress| progress.max(query.asked));
                if now.saturating_duration_since(since) >= budget {
                    state.answered.push_back((query.callback, Err(Code::ETIMEOUT.into())));
                } else {
                    drop(state);
                    self.ask(ares, &query.name, query.record_type, query.callback);
                }
            }
        });
    }

    /// Ends what waits for c-ares.
    fn end_waiting(&self, code: Code) {
        let mut state = self.queue.lock();
        let waiting = mem::take(&mut state.waiting);
        state.answered.extend(waiting.into_iter().map(|query| (query.callback, Err(code.into()))));
    }

    /// Calls the callbacks of what is answered so far. What they bring about is for the next turn
    /// of the loop, so that a callback that asks what the cache knows does not keep the loop.
    ///
    /// If one panics, the rest is for the next turn too.
    fn deliver(&self) {
        struct Settle<'a>(&'a Core);
        impl Drop for Settle<'_> {
            fn drop(&mut self) {
                self.0.delivering.store(false, Ordering::Relaxed);
                self.0.settle();
            }
        }
        self.delivering.store(true, Ordering::Relaxed);
        let _settle = Settle(self);
        let count = self.queue.lock().answered.len();
        for _ in 0..count {
            let Some((callback, result)) = self.queue.lock().answered.pop_front() else { break };
            callback(result);
        }
    }

    /// Sees to what has changed: answers to deliver, the timer to set.
    fn settle(&self) {
        self.refill();
        let mut guard = self.lock_ares();
        let Some(ares) = guard.as_mut() else { return };
        let timeout = ares.timeout(None);
        drop(guard);
        let undelivered = !self.queue.lock().answered.is_empty();
        let mut guard = self.lock_handles();
        let Some(handles) = guard.as_mut() else { return };
        handles.set_timer(timeout, &self.weak);
        if undelivered {
            handles.deliver_soon(&self.weak);
        }
    }

    /// Destroys the c-ares channel, which ends what it works on, and the handles; `last` gets
    /// them. Says whether there was anything to destroy.
    fn end(&self, last: impl FnOnce(&Handles)) -> bool {
        let Some(ares) = self.lock_ares().take() else { return false };
        drop(ares);
        self.sockets.close();
        let handles = self.lock_handles().take();
        if let Some(handles) = handles {
            drop(handles.timer.close(|_| ()));
            last(&handles);
        }
        true
    }
}

impl Handles {
    /// Has the timer go off when c-ares wants to be called, or earlier. Nothing in flight is
    /// nothing to wait for, and an inactive timer lets the loop end.
    fn set_timer(&mut self, timeout: Option<Duration>, core: &Weak<Core>) {
        let Some(timeout) = timeout else {
            if self.due.take().is_some() {
                let _ = self.timer.stop();
            }
            return;
        };
        // libuv's timers count milliseconds, and one too early is a turn of the loop for nothing.
        let millis = timeout.as_micros().div_ceil(1000).max(1);
        let timeout = Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX));
        let due = Instant::now() + timeout;
        if self.due.is_some_and(|earlier| earlier <= due) {
            return;
        }
        let core = core.clone();
        let started = self.timer.start(timeout, Duration::ZERO, move |_| {
            if let Some(core) = core.upgrade() {
                core.on_timer();
            }
        });
        if started.is_ok() {
            self.due = Some(due);
        }
    }

    /// Has what is answered delivered in the next turn of the loop.
    fn deliver_soon(&self, core: &Weak<Core>) {
        if self.delivery.is_active() == Ok(true) {
            return;
        }
        let core = core.clone();
        let _ = self.delivery.start(move |delivery| {
            let _ = delivery.stop();
            if let Some(core) = core.upgrade() {
                core.deliver();
            }
        });
    }
}

/// c-ares's answer as a value of our own.
fn copy(answer: c_ares::Result<&DnsRecord>) -> Result<Message> {
    Message::try_from(answer?)
}

/// For what c-ares calls: a panic there would abort the process. The panic hook has reported it.
fn no_panic(body: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(body)) {
        mem::forget(payload);
    }
}
