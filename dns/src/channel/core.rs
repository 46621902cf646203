//! What the loop's callbacks work on: c-ares, the queue, the timer.

use std::cell::{Cell, RefCell};
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use c_ares::{FdEventFlags, FdEvents, Socket};
use pyuv::{Events, Held, Loop, Owned, Timer};

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
    sockets: Arc<Sockets>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) options: Options,
    pub(crate) max_in_flight: usize,
    closed: AtomicBool,
    local: Owned<Local>,
}

/// What is the loop's owner's.
pub(crate) struct Local {
    /// `None` once closed.
    ares: RefCell<Option<Ares>>,
    /// `None` once closed.
    handles: RefCell<Option<Handles>>,
    /// Callbacks are running, and what they change is seen to when they have run.
    delivering: Cell<bool>,
    /// The loop was asked to have answers delivered.
    delivery_due: Cell<bool>,
    /// The servers that were set on the channel.
    pub(crate) servers: RefCell<Option<Vec<String>>>,
    /// The longest that c-ares takes for a query.
    budget: Cell<Duration>,
    pub(crate) listener: RefCell<Option<ServerStateCallback>>,
    /// c-ares reports to the listener.
    pub(crate) listening: Cell<bool>,
    /// The value of [`pyuv::forks`] in the process whose sockets c-ares has.
    forks: Cell<usize>,
    /// How many `reinit`s were begun.
    pub(crate) reinits: Cell<usize>,
    /// The latest of those that was taken up.
    pub(crate) reinited: Cell<usize>,
}

pub(crate) struct Handles {
    timer: Timer,
    /// When `timer` goes off, if it is active.
    due: Option<Instant>,
}

impl Core {
    /// The core of a channel with these options, which were checked.
    pub(crate) fn new(
        event_loop: &Loop,
        options: Options,
        max_in_flight: usize,
    ) -> Result<Arc<Core>> {
        let sockets = Arc::new(Sockets::new(event_loop));
        let queue = Arc::new(Queue::new(event_loop, Cache::new(options.query_cache_max_ttl)));
        let on_socket_state = on_socket_state(&sockets, &queue);
        let configuration = Configuration::read(&options);
        let budget = options.budget(&configuration);
        let engine = options.engine(configuration, Some(on_socket_state))?;
        let timer = Timer::new(event_loop)?;
        timer.hide(PART_OF)?;
        let handles = Handles { timer, due: None };
        let local = Local {
            ares: RefCell::new(Some(Ares::new(engine))),
            handles: RefCell::new(Some(handles)),
            delivering: Cell::new(false),
            delivery_due: Cell::new(false),
            servers: RefCell::default(),
            budget: Cell::new(budget),
            listener: RefCell::default(),
            listening: Cell::new(false),
            forks: Cell::new(pyuv::forks()),
            reinits: Cell::new(0),
            reinited: Cell::new(0),
        };
        let core = Arc::new_cyclic(|weak| Core {
            weak: weak.clone(),
            sockets,
            queue,
            options,
            max_in_flight,
            closed: AtomicBool::new(false),
            local: Owned::new(event_loop, local),
        });
        core.sockets.belong_to(core.weak.clone());
        let weak = core.weak.clone();
        let held = event_loop.hold()?;
        if let Some(handles) = &*core.local(&held).handles.borrow() {
            // To be restarted: nothing is due yet.
            handles.timer.start(Duration::MAX, Duration::ZERO, move |timer| {
                if let (Some(core), Ok(held)) = (weak.upgrade(), timer.hold_even_closed()) {
                    core.on_timer(&held);
                }
            })?;
            handles.timer.stop()?;
        }
        drop(held);
        Ok(core)
    }

    /// What a c-ares channel of this core's calls for its sockets.
    pub(crate) fn on_socket_state(
        &self,
    ) -> impl Fn(Socket, bool, bool) + Send + Sync + use<> + 'static {
        on_socket_state(&self.sockets, &self.queue)
    }

    /// Any thread may ask.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    pub(crate) fn local<'a>(&'a self, held: &'a Held) -> &'a Local {
        self.local.get(held)
    }

    /// Calls `f` with c-ares, unless it is closed.
    pub(crate) fn open<T>(&self, held: &Held, f: impl FnOnce(&mut Ares) -> T) -> Result<T> {
        if self.local(held).forks.get() != pyuv::forks() {
            self.renew(held)?;
        }
        match self.local(held).ares.borrow_mut().as_mut() {
            Some(ares) => Ok(self.queue.calling.call(held, || f(ares))),
            None => Err(pyuv::Error::HandleClosed.into()),
        }
    }

    /// In a forked child whose loop this is now: a c-ares channel of its own. The parent's has the parent's sockets,
    /// from which either would read the other's answers, and numbers its questions as the child would. What was in
    /// flight is in flight there; here it ends with `ARES_ECANCELLED`.
    #[cold]
    fn renew(&self, held: &Held) -> Result<()> {
        let local = self.local(held);
        if local.ares.borrow().is_none() {
            return Err(pyuv::Error::HandleClosed.into());
        }
        let mut options = self.options.clone();
        let servers = local.servers.borrow().clone();
        options.servers = servers.or(options.servers);
        let configuration = Configuration::read(&options);
        let mut engine = options.engine(configuration, Some(self.on_socket_state()))?;
        if local.listening.get() {
            self.listen(&mut engine);
        }
        self.set_budget(held, &engine.configuration);
        local.forks.set(pyuv::forks());
        let parents = local.ares.replace(Some(Ares::new(engine)));
        self.queue.calling.call(held, || {
            if let Some(mut parents) = parents {
                parents.cancel();
            }
        });
        self.deliver_soon(held);
        Ok(())
    }

    pub(crate) fn set_budget(&self, held: &Held, configuration: &Configuration) {
        self.local(held).budget.set(self.options.budget(configuration));
    }

    /// Gives c-ares a lookup, or has it wait for its turn. What a callback asks waits for the others,
    /// see `TOGETHER`.
    pub(crate) fn start<L: Lookup>(&self, held: &Held, asked: Asked<L>) -> Result<()> {
        let delivering = self.local(held).delivering.get();
        self.open(held, |ares| {
            let mut state = self.queue.state(held);
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
            self.settle(held);
        }
        Ok(())
    }

    /// Ends a lookup whose answer is there already: the loop tells it in its next turn.
    pub(crate) fn end_at_once<A: Answer>(
        &self,
        held: &Held,
        callback: Callback<A>,
        answer: Result<A>,
    ) -> Result<()> {
        self.open(held, |_| self.queue.state(held).answered.push_back(A::done(callback, answer)))?;
        if !self.local(held).delivering.get() {
            self.settle(held);
        }
        Ok(())
    }

    /// A socket is ready. libuv reports one that has an error as an error, and stops its poll:
    /// c-ares finds the error by reading.
    pub(crate) fn on_socket(&self, held: &Held, socket: Socket, outcome: pyuv::Result<Events>) {
        let mut flags = FdEventFlags::empty();
        let events = outcome.as_ref().copied().unwrap_or(Events::READABLE | Events::WRITABLE);
        flags.set(FdEventFlags::READ, events.contains(Events::READABLE));
        flags.set(FdEventFlags::WRITE, events.contains(Events::WRITABLE));
        self.process(held, &[FdEvents::new(socket, flags)]);
        if outcome.is_err() {
            self.sockets.watch_again(held, socket);
        } else if events.contains(Events::DISCONNECT) {
            self.sockets.leave_at_end(held, socket);
        }
    }

    /// A query may have timed out.
    fn on_timer(&self, held: &Held) {
        if let Some(handles) = self.local(held).handles.borrow_mut().as_mut() {
            handles.due = None;
        }
        self.process(held, &[]);
    }

    /// Lets c-ares read, write and see what has timed out, and tells those who asked.
    fn process(&self, held: &Held, events: &[FdEvents]) {
        let _ = self.open(held, |ares| ares.process(events));
        self.refill(held);
        self.deliver(held);
    }

    /// Gives c-ares the lookups that wait, as far as it has room.
    ///
    /// Waiting is part of the time that a lookup may take: it ends in a timeout like one that was
    /// sent once it has waited that long and, for as long, no answer came that made room.
    fn refill(&self, held: &Held) {
        if self.queue.state(held).waiting.is_empty() {
            return;
        }
        let budget = self.local(held).budget.get();
        let now = Instant::now();
        let _ = self.open(held, |ares| {
            loop {
                let mut state = self.queue.state(held);
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
    pub(crate) fn end_waiting(&self, held: &Held, code: Code) {
        let mut state = self.queue.state(held);
        let waiting = mem::take(&mut state.waiting);
        state.answered.extend(waiting.into_iter().map(|waiting| waiting.lookup.end(code)));
    }

    /// Calls the callbacks of what is answered so far. What they bring about is for the next turn
    /// of the loop, so that a callback that asks what the cache knows does not keep the loop.
    ///
    /// If one panics, the rest is for the next turn too.
    pub(crate) fn deliver(&self, held: &Held) {
        struct Settle<'a>(&'a Core, &'a Held);
        impl Drop for Settle<'_> {
            fn drop(&mut self) {
                self.0.local(self.1).delivering.set(false);
                self.0.settle(self.1);
            }
        }
        self.local(held).delivering.set(true);
        let _settle = Settle(self, held);
        self.report(held);
        let count = self.queue.state(held).answered.len();
        for told in 1..=count {
            let next = self.queue.state(held).answered.pop_front();
            let Some(done) = next else { break };
            done.tell(held);
            if told % TOGETHER == 0 {
                self.refill(held);
            }
        }
    }

    /// Sees to what has changed: answers to deliver, the timer to set.
    pub(crate) fn settle(&self, held: &Held) {
        self.refill(held);
        let timeout = match &*self.local(held).ares.borrow() {
            Some(ares) => ares.timeout(),
            None => return,
        };
        let undelivered = !self.queue.state(held).answered.is_empty();
        let mut guard = self.local(held).handles.borrow_mut();
        let Some(handles) = guard.as_mut() else { return };
        handles.set_timer(timeout);
        drop(guard);
        if undelivered {
            self.deliver_soon(held);
        }
    }

    /// Has what is answered delivered soon, where no event of the loop's brought it.
    fn deliver_soon(&self, held: &Held) {
        if self.local(held).delivery_due.replace(true) {
            return;
        }
        let core = self.weak.clone();
        held.defer(move |held| {
            if let Some(core) = core.upgrade() {
                core.local(held).delivery_due.set(false);
                core.deliver(held);
            }
        });
    }

    /// Destroys the c-ares channels, which ends what they work on, and the timer. Says whether
    /// there was anything to destroy.
    pub(crate) fn end(&self, held: &Held) -> bool {
        let Some(ares) = self.local(held).ares.take() else { return false };
        self.closed.store(true, Ordering::Relaxed);
        self.queue.calling.call(held, || drop(ares));
        self.queue.cache(held).clear();
        self.sockets.close(held);
        let handles = self.local(held).handles.take();
        if let Some(handles) = handles {
            drop(handles.timer.close(|_| ()));
        }
        true
    }

    /// Lets go of the callbacks that nobody will call.
    pub(crate) fn forget(&self, held: &Held) {
        let mut state = self.queue.state(held);
        let forgotten = (mem::take(&mut state.answered), mem::take(&mut state.waiting));
        drop(state);
        // Dropping a callback may do anything, so nothing is borrowed.
        drop(forgotten);
    }
}

impl Handles {
    /// Has the timer go off when c-ares wants to be called, or earlier. Nothing in flight is
    /// nothing to wait for, and an inactive timer lets the loop end.
    fn set_timer(&mut self, timeout: Option<Duration>) {
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
        if self.timer.restart(timeout).is_ok() {
            self.due = Some(due);
        }
    }
}

fn on_socket_state(
    sockets: &Arc<Sockets>,
    queue: &Arc<Queue>,
) -> impl Fn(Socket, bool, bool) + Send + Sync + use<> + 'static {
    let (sockets, queue) = (sockets.clone(), queue.clone());
    move |socket, readable, writable| {
        no_panic(|| {
            queue.calling.held(|held| sockets.watch(held, socket, readable, writable));
        });
    }
}
