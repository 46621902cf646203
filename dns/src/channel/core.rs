//! What the loop's callbacks work on: c-ares, the queue, the timer.

use std::mem;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use c_ares::{FdEventFlags, FdEvents, Socket};
use pyuv::{Events, Idle, Loop, Timer};

use super::PART_OF;
use super::ares::{Ares, no_panic};
use super::cache::Cache;
use super::lookup::{Answer, Asked, Callback, Lookup};
use super::queue::{Queue, Waiting};
use super::server_state::ServerStateCallback;
use super::sockets::Sockets;
use crate::configuration::Configuration;
use crate::error::{Code, Result};
use crate::options::Options;

/// After how many callbacks c-ares is given what they asked.
///
/// A processor's caches do not hold the callbacks, c-ares and the kernel's network at once: to
/// change between them for each query takes a tenth longer than for 32 at a time.
const TOGETHER: usize = 32;

pub(crate) struct Core {
    pub(crate) weak: Weak<Core>,
    /// `None` once closed. Taken before any other lock.
    ares: Mutex<Option<Ares>>,
    sockets: Arc<Sockets>,
    pub(crate) queue: Arc<Queue>,
    /// `None` once closed.
    handles: Mutex<Option<Handles>>,
    /// Callbacks are running, and what they change is seen to when they have run.
    delivering: AtomicBool,
    pub(crate) options: Options,
    pub(crate) max_in_flight: usize,
    /// The servers that were set on the channel.
    pub(crate) servers: Mutex<Option<Vec<String>>>,
    /// The longest that c-ares takes for a query.
    budget: Mutex<Duration>,
    pub(crate) listener: Mutex<Option<ServerStateCallback>>,
    /// c-ares reports to the listener.
    pub(crate) listening: AtomicBool,
    /// How many `reinit`s were begun.
    pub(crate) reinits: AtomicUsize,
    /// The latest of those that was taken up.
    pub(crate) reinited: AtomicUsize,
}

pub(crate) struct Handles {
    timer: Timer,
    /// When `timer` goes off, if it is active.
    due: Option<Instant>,
    /// Active when there is something to deliver that no event of the loop brought.
    pub(crate) delivery: Idle,
}

impl Core {
    /// The core of a channel with these options, which were checked. The caller owns the loop.
    pub(crate) fn new(
        event_loop: &Loop,
        options: Options,
        max_in_flight: usize,
    ) -> Result<Arc<Core>> {
        let sockets = Arc::new(Sockets::new(event_loop));
        let queue = Arc::new(Queue::new(Cache::new(options.query_cache_max_ttl)));
        let on_socket_state = on_socket_state(&sockets, &queue);
        let configuration = Configuration::read(&options);
        let budget = options.budget(&configuration);
        let engine = options.engine(configuration, Some(on_socket_state))?;
        let handles =
            Handles { timer: Timer::new(event_loop)?, due: None, delivery: Idle::new(event_loop)? };
        handles.timer.hide(PART_OF)?;
        handles.delivery.hide(PART_OF)?;
        let core = Arc::new_cyclic(|weak| Core {
            weak: weak.clone(),
            ares: Mutex::new(Some(Ares::new(engine))),
            sockets,
            queue,
            handles: Mutex::new(Some(handles)),
            delivering: AtomicBool::new(false),
            options,
            max_in_flight,
            servers: Mutex::default(),
            budget: Mutex::new(budget),
            listener: Mutex::default(),
            listening: AtomicBool::new(false),
            reinits: AtomicUsize::new(0),
            reinited: AtomicUsize::new(0),
        });
        core.sockets.belong_to(core.weak.clone());
        Ok(core)
    }

    /// What a c-ares channel of this core's calls for its sockets.
    pub(crate) fn on_socket_state(
        &self,
    ) -> impl Fn(Socket, bool, bool) + Send + Sync + use<> + 'static {
        on_socket_state(&self.sockets, &self.queue)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock_ares().is_none()
    }

    fn lock_ares(&self) -> MutexGuard<'_, Option<Ares>> {
        self.ares.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_handles(&self) -> MutexGuard<'_, Option<Handles>> {
        self.handles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls `f` with c-ares, unless it is closed.
    pub(crate) fn open<T>(&self, f: impl FnOnce(&mut Ares) -> T) -> Result<T> {
        match self.lock_ares().as_mut() {
            Some(ares) => Ok(self.queue.calling.call(|| f(ares))),
            None => Err(pyuv::Error::HandleClosed.into()),
        }
    }

    pub(crate) fn set_budget(&self, configuration: &Configuration) {
        let budget = self.options.budget(configuration);
        *self.budget.lock().unwrap_or_else(PoisonError::into_inner) = budget;
    }

    /// Gives c-ares a lookup, or has it wait for its turn. What a callback asks waits for the others,
    /// see `TOGETHER`.
    pub(crate) fn start<L: Lookup>(&self, asked: Asked<L>) -> Result<()> {
        let delivering = self.delivering.load(Ordering::Relaxed);
        self.open(|ares| {
            let mut state = self.queue.lock();
            let weight = asked.lookup.weight();
            let is_next = !delivering && state.waiting.is_empty();
            if is_next && state.has_room(weight, self.max_in_flight) {
                drop(state);
                // c-ares may answer from inside this call.
                asked.ask(&mut ares.current, &self.queue);
            } else {
                let lookup = Box::new(asked);
                state.waiting.push_back(Waiting { asked: Instant::now(), lookup });
            }
        })?;
        if !delivering {
            self.settle();
        }
        Ok(())
    }

    /// Ends a lookup whose answer is there already: the loop tells it in its next turn.
    pub(crate) fn end_at_once<A: Answer>(
        &self,
        callback: Callback<A>,
        answer: Result<A>,
    ) -> Result<()> {
        self.open(|_| self.queue.lock().answered.push_back(A::done(callback, answer)))?;
        if !self.delivering.load(Ordering::Relaxed) {
            self.settle();
        }
        Ok(())
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
        let _ = self.open(|ares| ares.process(events));
        self.refill();
        self.deliver();
    }

    /// Gives c-ares the lookups that wait, as far as it has room.
    ///
    /// Waiting is part of the time that a lookup may take: it ends in a timeout like one that was
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
                let Some(next) = state.waiting.front() else { break };
                if !state.has_room(next.lookup.weight(), self.max_in_flight) {
                    break;
                }
                let since = state.progress.map_or(next.asked, |time| time.max(next.asked));
                let Some(next) = state.waiting.pop_front() else { break };
                if now.saturating_duration_since(since) >= budget {
                    state.answered.push_back(next.lookup.end(Code::ETIMEOUT));
                } else {
                    drop(state);
                    next.lookup.ask(&mut ares.current, &self.queue);
                }
            }
        });
    }

    /// Ends what waits for c-ares.
    pub(crate) fn end_waiting(&self, code: Code) {
        let mut state = self.queue.lock();
        let waiting = mem::take(&mut state.waiting);
        state.answered.extend(waiting.into_iter().map(|waiting| waiting.lookup.end(code)));
    }

    /// Calls the callbacks of what is answered so far. What they bring about is for the next turn
    /// of the loop, so that a callback that asks what the cache knows does not keep the loop.
    ///
    /// If one panics, the rest is for the next turn too.
    pub(crate) fn deliver(&self) {
        struct Settle<'a>(&'a Core);
        impl Drop for Settle<'_> {
            fn drop(&mut self) {
                self.0.delivering.store(false, Ordering::Relaxed);
                self.0.settle();
            }
        }
        self.delivering.store(true, Ordering::Relaxed);
        let _settle = Settle(self);
        self.report();
        let count = self.queue.lock().answered.len();
        for told in 1..=count {
            let Some(done) = self.queue.lock().answered.pop_front() else { break };
            done.tell();
            if told % TOGETHER == 0 {
                self.refill();
            }
        }
    }

    /// Sees to what has changed: answers to deliver, the timer to set.
    pub(crate) fn settle(&self) {
        self.refill();
        let mut guard = self.lock_ares();
        let Some(ares) = guard.as_mut() else { return };
        let timeout = ares.timeout();
        drop(guard);
        let undelivered = !self.queue.lock().answered.is_empty();
        let mut guard = self.lock_handles();
        let Some(handles) = guard.as_mut() else { return };
        handles.set_timer(timeout, &self.weak);
        if undelivered {
            handles.deliver_soon(&self.weak);
        }
    }

    /// Destroys the c-ares channels, which ends what they work on, and the handles; `last` gets
    /// them. Says whether there was anything to destroy.
    pub(crate) fn end(&self, last: impl FnOnce(&Handles)) -> bool {
        let Some(ares) = self.lock_ares().take() else { return false };
        self.queue.calling.call(|| drop(ares));
        self.queue.cache.clear();
        self.sockets.close();
        let handles = self.lock_handles().take();
        if let Some(handles) = handles {
            drop(handles.timer.close(|_| ()));
            last(&handles);
        }
        true
    }

    /// Lets go of the callbacks that nobody will call.
    pub(crate) fn forget(&self) {
        let mut state = self.queue.lock();
        let forgotten = (mem::take(&mut state.answered), mem::take(&mut state.waiting));
        drop(state);
        // Dropping a callback may do anything, so no lock is held.
        drop(forgotten);
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

fn on_socket_state(
    sockets: &Arc<Sockets>,
    queue: &Arc<Queue>,
) -> impl Fn(Socket, bool, bool) + Send + Sync + use<> + 'static {
    let (sockets, queue) = (sockets.clone(), queue.clone());
    move |socket, readable, writable| {
        no_panic(|| {
            queue.calling.check();
            sockets.watch(socket, readable, writable);
        });
    }
}
