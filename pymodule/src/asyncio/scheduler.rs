//! `Scheduler`: what an `EventLoop` has in Rust. The class in Python derives from it and from asyncio's.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};
use pyo3::types::{PyDict, PyTuple};
use pyuv::{Async, Held, Owned, Timer};

use super::metrics::Metrics;
use super::ready::{Entry, Ready};
use super::sockets::{self, Kind, Receiver};
use super::timers::Timers;
use super::transport::{Transports, give_up};
use super::watches::Watches;
use super::{handles, run, signature};
use crate::error::{UVError, to_py};
use crate::life::back::Leash;
use crate::r#loop::Loop;
use crate::once::Once;

/// What the core calls the handles of an event loop's own.
pub const PART_OF: &str = "the asyncio event loop";

/// The half of `pyuv.asyncio.EventLoop` that is Rust: its queue, its timers, its turns.
#[pyclass(module = "pyuv._pyuv.asyncio", subclass, frozen)]
pub struct Scheduler {
    /// The `pyuv.Loop` below, and the handles on it.
    below: Once<Below>,
    state: Owned<State>,
    metrics: Metrics,
    /// What other threads have called, in their order.
    inbox: Mutex<Vec<Entry>>,
    has_mail: AtomicBool,
    debug: AtomicBool,
    closed: AtomicBool,
    stopping: AtomicBool,
}

struct Below {
    event_loop: Py<Loop>,
    /// Wakes the loop, and keeps it waiting where nothing else does, while the event loop runs.
    wake: Async,
    /// Goes off with the first of the timers.
    timer: Timer,
    leash: Leash<Scheduler>,
}

/// What belongs to the loop's owner.
#[derive(Default)]
pub struct State {
    pub ready: Ready,
    pub timers: Timers,
    pub watches: Watches,
    pub transports: Transports,
    pub receiver: RefCell<Receiver>,
    /// The event loop runs: it is not garbage, nor is what it has queued.
    pub running: Cell<bool>,
    /// `uv_run` is on the stack, and is to return when something is ready.
    pub inside: Cell<bool>,
}

fn closed() -> PyErr {
    PyRuntimeError::new_err("Event loop is closed")
}

impl Scheduler {
    fn below(&self) -> PyResult<&Below> {
        self.below.get().ok_or_else(|| PyRuntimeError::new_err("EventLoop.__init__ was not called"))
    }

    pub fn event_loop<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, Loop>> {
        Ok(self.below()?.event_loop.bind(py))
    }

    pub fn core(&self) -> PyResult<&pyuv::Loop> {
        self.below()?.event_loop.get().core()
    }

    pub fn wake(&self) -> PyResult<&Async> {
        Ok(&self.below()?.wake)
    }

    pub fn timer(&self) -> PyResult<&Timer> {
        Ok(&self.below()?.timer)
    }

    pub fn leash(&self) -> PyResult<Leash<Scheduler>> {
        Ok(self.below()?.leash.another())
    }

    pub fn state<'a>(&'a self, held: &'a Held) -> &'a State {
        self.state.get(held)
    }

    #[inline]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    #[inline]
    pub fn debug(&self) -> bool {
        self.debug.load(Ordering::Relaxed)
    }

    #[inline]
    pub fn check_open(&self) -> PyResult<()> {
        if self.closed.load(Ordering::Relaxed) { Err(closed()) } else { Ok(()) }
    }

    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Whether `stop` was called since this was last asked.
    pub fn take_stopping(&self) -> bool {
        self.stopping.swap(false, Ordering::Relaxed)
    }

    /// Has an entry called in the next round: by the loop's thread at once, by another through the
    /// inbox.
    #[inline]
    pub fn schedule(&self, py: Python<'_>, entry: Entry) -> PyResult<()> {
        let core = self.core()?;
        match core.hold() {
            Ok(held) => {
                self.push(py, &held, entry);
                Ok(())
            }
            Err(pyuv::Error::WrongThread) => self.mail(py, entry),
            Err(pyuv::Error::LoopClosed) => Err(closed()),
            Err(error) => Err(to_py::<UVError>(error)),
        }
    }

    /// The same for the loop's owner.
    #[inline]
    pub fn push(&self, py: Python<'_>, held: &Held, entry: Entry) {
        let state = self.state(held);
        if !state.running.get() {
            entry.track(py);
        }
        state.ready.push(entry);
        if state.inside.replace(false) {
            held.stop();
        }
    }

    /// Has a timer's handle called when it is time.
    #[inline]
    pub fn add_timer(&self, held: &Held, when: f64, handle: Bound<'_, PyAny>) {
        let state = self.state(held);
        state.timers.push(when, handle);
        if state.inside.replace(false) {
            // The core may be about to wait longer than this timer does.
            held.stop();
        }
    }

    #[cold]
    fn mail(&self, py: Python<'_>, entry: Entry) -> PyResult<()> {
        entry.track(py);
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
        self.has_mail.store(true, Ordering::Release);
        self.below()?.wake.send().map_err(|error| match error {
            pyuv::Error::HandleClosed => closed(),
            other => to_py::<UVError>(other),
        })
    }

    /// Moves what other threads have called to the queue.
    pub fn take_mail(&self, state: &State) {
        if self.has_mail.load(Ordering::Acquire) {
            self.has_mail.store(false, Ordering::Relaxed);
            let mut inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
            let entries = std::mem::take(&mut *inbox);
            drop(inbox);
            state.ready.extend(entries);
        }
    }

    /// For a timer's handle that is cancelled.
    pub fn timer_cancelled(slf: &Bound<'_, Scheduler>) {
        let this = slf.get();
        // Cancelled by another thread, it goes with its time.
        if let Ok(core) = this.core()
            && let Ok(held) = core.hold()
        {
            this.state(&held).timers.cancelled(slf.py());
        }
    }
}

#[pymethods]
impl Scheduler {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Scheduler {
        Scheduler {
            below: Once::new(),
            state: Owned::default(),
            metrics: Metrics::default(),
            inbox: Mutex::default(),
            has_mail: AtomicBool::new(false),
            debug: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
        }
    }

    /// Has the event loop stand on this `pyuv.Loop`.
    fn _open(slf: &Bound<'_, Scheduler>, event_loop: &Bound<'_, Loop>) -> PyResult<()> {
        let core = event_loop.get().core()?;
        signature::learn(slf.py())?;
        let open = || {
            let wake = Async::new(core, |_| ())?;
            wake.hide(PART_OF)?;
            wake.set_ref(false)?;
            let timer = Timer::new(core)?;
            timer.hide(PART_OF)?;
            pyuv::Result::Ok((wake, timer))
        };
        let (wake, timer) = open().map_err(to_py::<UVError>)?;
        let leash = Leash::new(slf);
        let below = Below { event_loop: event_loop.clone().unbind(), wake, timer, leash };
        slf.get()
            .below
            .set(below)
            .map_err(|_| PyRuntimeError::new_err("EventLoop.__init__ was called a second time"))
    }

    /// Runs until `stop`.
    fn _run(slf: &Bound<'_, Scheduler>) -> PyResult<()> {
        run::run(slf)
    }

    /// Has `run_forever` return after this round.
    fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        if let Ok(core) = self.core()
            && let Ok(held) = core.hold()
            && self.state(&held).inside.replace(false)
        {
            held.stop();
        }
    }

    /// Has a handle called in the next round.
    fn _add_callback(&self, handle: Bound<'_, PyAny>) -> PyResult<()> {
        let py = handle.py();
        if !handles::is_handle(&handle)? {
            return Err(PyTypeError::new_err("a Handle is required here"));
        }
        self.schedule(py, Entry::Handle(handle.unbind()))
    }

    /// `add_timer` with what another thread made.
    fn _add_timer(&self, when: f64, handle: Bound<'_, PyAny>) -> PyResult<()> {
        if !handles::is_timer(&handle)? {
            return Err(PyTypeError::new_err("a TimerHandle is required here"));
        }
        let held = self.core()?.hold().map_err(to_py::<UVError>)?;
        self.add_timer(&held, when, handle);
        Ok(())
    }

    fn _set_debug(&self, debug: bool) {
        self.debug.store(debug, Ordering::Relaxed);
    }

    /// What it has done so far, by name; the times from the turn after the first call on. From any thread.
    fn _metrics<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let sleep = &self.below()?.event_loop.get().sleep;
        let metrics = &self.metrics;
        metrics.measure();
        let counts = PyDict::new(py);
        for (name, counter) in [
            ("turns", &metrics.turns),
            ("callbacks", &metrics.callbacks),
            ("ready", &metrics.ready),
            ("most_ready", &metrics.most_ready),
            ("connections_made", &metrics.connections_made),
            ("connections_lost", &metrics.connections_lost),
            ("bytes_read", &metrics.bytes_read),
            ("bytes_written", &metrics.bytes_written),
        ] {
            counts.set_item(name, counter.get())?;
        }
        counts.set_item("busy", metrics.busy().as_secs_f64())?;
        counts.set_item("idle", Duration::from_nanos(sleep.nanoseconds()).as_secs_f64())?;
        counts.set_item("lag", PyTuple::new(py, metrics.lag())?)?;
        counts.set_item("requests", pyuv::request::in_flight())?;
        Ok(counts)
    }

    /// A number that is another one after each thing done, and whether the loop sleeps. From any thread.
    fn _progress(&self) -> PyResult<(u64, bool)> {
        Ok((self.metrics.progress(), self.below()?.event_loop.get().sleep.goes_on()))
    }

    /// Wakes the loop, from any thread.
    fn _write_to_self(&self) {
        if let Ok(below) = self.below() {
            // One that is closed has nobody to wake.
            let _ = below.wake.send();
        }
    }

    /// Has `listener` called with the numbers of signals that come, as `bytes`, or nobody with None. Gives
    /// the descriptor that `signal.set_wakeup_fd` wants.
    #[pyo3(signature = (listener))]
    fn _listen_for_signals(
        slf: &Bound<'_, Scheduler>,
        listener: Option<Bound<'_, PyAny>>,
    ) -> PyResult<i32> {
        Loop::listen_for_signals(slf.get().event_loop(slf.py())?, listener)
    }

    /// Receives at most `n` bytes from a socket.
    fn sock_recv<'py>(
        slf: &Bound<'py, Self>,
        sock: Bound<'py, PyAny>,
        n: Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        sockets::operation(slf, Kind::Receive, sock, n)
    }

    /// Receives into a buffer, and gives the number of bytes.
    fn sock_recv_into<'py>(
        slf: &Bound<'py, Self>,
        sock: Bound<'py, PyAny>,
        buf: Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        sockets::operation(slf, Kind::ReceiveInto, sock, buf)
    }

    /// Sends all of the data.
    fn sock_sendall<'py>(
        slf: &Bound<'py, Self>,
        sock: Bound<'py, PyAny>,
        data: Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        sockets::operation(slf, Kind::SendAll, sock, data)
    }

    /// The transport of this event loop that has the descriptor, and is not closing it.
    fn _has_transport(&self, py: Python<'_>, fd: i32) -> PyResult<Option<Py<PyAny>>> {
        let held = self.core()?.hold().map_err(to_py::<UVError>)?;
        self.state(&held).transports.in_use(py, &held, fd)
    }

    /// Drops what is scheduled, and closes what the event loop has on the loop below.
    fn _shut(&self, py: Python<'_>) -> PyResult<()> {
        self.closed.store(true, Ordering::Relaxed);
        let below = self.below()?;
        let core = below.event_loop.get().core()?;
        let Ok(held) = core.hold() else { return Ok(()) };
        let state = self.state(&held);
        self.take_mail(state);
        state.ready.clear();
        state.timers.clear();
        state.watches.clear();
        for transport in state.transports.take() {
            give_up(transport.get(), py);
        }
        // One that is closed already says so.
        let _ = below.wake.close(|_| ());
        let _ = below.timer.close(|_| ());
        Ok(())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // Zeroes, that CPython 3.11 may show the collector, have none (see `ActiveTable`).
        let Some(below) = self.below.get() else { return Ok(()) };
        visit.call(&below.event_loop)?;
        // SAFETY: the collector runs while nobody changes the state: it is not borrowed while
        // anything of Python's runs.
        let state = unsafe { self.state.get_unheld() };
        state.ready.visit(&visit)?;
        state.timers.visit(&visit)?;
        state.watches.visit(&visit)?;
        state.transports.visit(&visit)?;
        if let Ok(inbox) = self.inbox.try_lock() {
            inbox.iter().try_for_each(|entry| entry.visit(&visit))?;
        }
        Ok(())
    }

    fn __clear__(&self) {
        // SAFETY: the collector has found that nobody has the event loop any more.
        let state = unsafe { self.state.get_unheld() };
        state.ready.clear();
        state.timers.clear();
        state.watches.clear();
        drop(state.transports.take());
        let entries =
            std::mem::take(&mut *self.inbox.lock().unwrap_or_else(PoisonError::into_inner));
        drop(entries);
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        if let Some(below) = self.below.take() {
            below.leash.take_back();
            pyuv::Handle::from(below.wake).discard();
            pyuv::Handle::from(below.timer).discard();
        }
    }
}
