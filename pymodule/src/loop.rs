//! `pyuv.Loop`.

use std::cell::RefCell;
use std::sync::Arc;

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};
use pyo3::types::{PyDict, PyTuple, PyType};
use pyuv::{Configure, Entered, Held, Owned, RunMode};

use crate::address::KnownAddresses;
use crate::error::{UVError, import_all, in_call, to_py};
use crate::gil::GilHooks;
use crate::life::active::{ActiveKey, ActiveTable};
use crate::life::slot::PySlot;
use crate::life::wrapper::wrapper_of;
use crate::main_thread::on_main_thread;
use crate::once::{Once, intern};
use crate::sleep::Sleep;
use crate::spare_bytes::SpareBytes;
use crate::wakeup::{Installed, Wakeup};

/// An event loop (`uv_loop_t`).
///
/// A loop and its handles belong to the thread that is using them: while one thread is inside
/// `run`, a call from another raises RuntimeError. Only `Async.send` may come from anywhere.
#[pyclass(module = "pyuv", subclass, weakref, frozen)]
#[cfg_attr(not(PyPy), pyo3(dict))]
pub struct Loop {
    core: Once<pyuv::Loop>,
    pub active: Owned<ActiveTable>,
    pub spare: Owned<SpareBytes>,
    pub addresses: Owned<KnownAddresses>,
    /// What `Loop.excepthook` was set to, None included.
    pub excepthook: PySlot,
    /// The KeyboardInterrupt or SystemExit that stopped the loop, for `run` to raise.
    pub stopped_by: PySlot,
    /// What is called with the numbers of signals.
    pub signal_listener: PySlot,
    /// The channels on the loop, a WeakSet, for `close(handles=True)`.
    channels: PySlot,
    /// The wakeup of a loop that has run on the main thread.
    wakeup: Owned<RefCell<Option<Arc<Wakeup>>>>,
    pub sleep: Sleep,
}

/// In how many iterations `Loop.close(handles=True)` closes what callbacks have opened meanwhile.
const CLOSING_ROUNDS: usize = 100;

static DEFAULT: Once<Py<Loop>> = Once::new();

impl Loop {
    /// The core loop; RuntimeError where a subclass did not call `__init__`.
    #[inline]
    pub fn core(&self) -> PyResult<&pyuv::Loop> {
        self.core.get().ok_or_else(|| PyRuntimeError::new_err("Loop.__init__ was not called"))
    }

    /// Remembers a channel, for as long as it is there.
    pub fn add_channel(slf: &Bound<'_, Loop>, channel: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = slf.py();
        let channels = match slf.get().channels.get(py) {
            Some(channels) => channels,
            None => {
                let channels = weak_set(py)?.call0()?;
                slf.get().channels.set(Some(channels.clone()));
                channels
            }
        };
        channels.call_method1(intern!(py, "add"), (channel,)).map(drop)
    }

    /// Closes every channel and handle that is open, and runs the loop until they are closed and
    /// what the thread pool has begun is over.
    fn close_handles(slf: &Bound<'_, Loop>) -> PyResult<()> {
        let py = slf.py();
        let core = slf.get().core()?;
        let mut rounds = 0;
        while rounds < CLOSING_ROUNDS {
            if let Some(channels) = slf.get().channels.get(py) {
                for channel in channels.try_iter()?.collect::<PyResult<Vec<_>>>()? {
                    channel.call_method0(intern!(py, "close"))?;
                }
            }
            let handles = Loop::handles(slf)?;
            let mut opened = false;
            for handle in &handles {
                opened |= !handle.getattr(intern!(py, "closed"))?.is_truthy()?;
                handle.call_method0(intern!(py, "close"))?;
            }
            rounds += usize::from(opened);
            core.cancel_requests().map_err(in_call::<UVError>("close"))?;
            let alive = core.is_alive().map_err(in_call::<UVError>("close"))?;
            if handles.is_empty() && !alive {
                break;
            }
            // One iteration, for callbacks may start what never ends.
            Loop::run(slf, 1)?;
        }
        Ok(())
    }

    /// Makes the loop this thread's own, for what changes it here and in the core. Whether it is
    /// open, the core says.
    pub fn hold(&self) -> PyResult<Entered<'_>> {
        self.core()?.hold_even_closed().map_err(to_py::<UVError>)
    }

    /// The core loop, to run or close it, as this thread's own.
    fn core_to_run(&self) -> PyResult<(&pyuv::Loop, Entered<'_>)> {
        let core = self.core()?;
        let held = core.hold().map_err(in_call::<UVError>("run"))?;
        if self.active.get(&held).is_cleared() {
            return Err(PyRuntimeError::new_err("the loop is being garbage-collected"));
        }
        Ok((core, held))
    }

    /// Python's wakeup fd for a loop that is to run on the main thread, made when first needed.
    /// Where no fd is left the loop runs without, and hears of Ctrl-C while it sleeps alone.
    fn wakeup(slf: &Bound<'_, Loop>, core: &pyuv::Loop, held: &Held) -> Option<Arc<Wakeup>> {
        let place = slf.get().wakeup.get(held);
        if let Some(wakeup) = &*place.borrow() {
            return Some(wakeup.clone());
        }
        let wakeup = Arc::new(Wakeup::new(slf, core).ok()?);
        place.replace(Some(wakeup.clone()));
        Some(wakeup)
    }

    /// For callbacks: lets go of what has ended.
    pub fn release(slf: &Bound<'_, Loop>, key: &ActiveKey) {
        if let Ok(held) = slf.get().hold() {
            let kept = key.release(slf.get().active.get(&held), slf.py());
            drop(held);
            drop(kept);
        }
    }

    /// Raises what a callback left for the caller of `run` or `close`.
    fn raise_stopped_by(&self, py: Python<'_>) -> PyResult<()> {
        match self.stopped_by.take(py) {
            Some(exception) => Err(PyErr::from_value(exception)),
            None => Ok(()),
        }
    }
}

/// The loop is this thread's to run, as often as it likes.
pub struct Turns<'a, 'py> {
    event_loop: &'a Bound<'py, Loop>,
    core: &'a pyuv::Loop,
    // These go in this order.
    _installed: Option<Installed<'py>>,
    hooks: GilHooks<'a, 'py>,
    held: Entered<'a>,
}

impl<'a, 'py> Turns<'a, 'py> {
    /// Proof of ownership of the loop.
    pub fn held(&self) -> &Held {
        &self.held
    }

    /// `uv_run`, once. Says whether anything is still active; raises what a callback left for the
    /// caller.
    pub fn turn(&self, mode: RunMode) -> PyResult<bool> {
        let outcome = self.core.run_with(mode, &self.hooks);
        self.event_loop.get().raise_stopped_by(self.event_loop.py())?;
        outcome.map_err(in_call::<UVError>("run"))
    }
}

impl Loop {
    /// Begins to run the loop. Where it may wait, on the main thread, Ctrl-C wakes it.
    pub fn turns<'a, 'py>(slf: &'a Bound<'py, Loop>, may_wait: bool) -> PyResult<Turns<'a, 'py>> {
        let py = slf.py();
        // From here on: what is set up is not to be closed by another thread while Python runs.
        let (core, held) = slf.get().core_to_run()?;
        let hears_signals = may_wait && !core.is_running() && on_main_thread();
        let mut installed = None;
        if hears_signals {
            let wakeup = Loop::wakeup(slf, core, &held);
            installed = wakeup.map(|wakeup| wakeup.install(py)).transpose()?;
            // One that came before the wakeup fd was ours would not wake the loop.
            crate::signals::check(py)?;
        }
        let hooks = GilHooks::new(slf, hears_signals);
        Ok(Turns { event_loop: slf, core, _installed: installed, hooks, held })
    }

    /// Has `listener` called with the numbers of signals that come, as `bytes`, from now on and also
    /// between runs; no more with None. For the main thread. Gives the wakeup fd, or -1.
    pub fn listen_for_signals(
        slf: &Bound<'_, Loop>,
        listener: Option<Bound<'_, PyAny>>,
    ) -> PyResult<i32> {
        let py = slf.py();
        let listens = listener.is_some();
        // What a forked child has is the parent's, whom it does not listen for.
        if !listens && (slf.get().signal_listener.is_empty() || slf.get().core()?.is_forked()) {
            return Ok(-1);
        }
        let (core, held) = slf.get().core_to_run()?;
        let Some(wakeup) = Loop::wakeup(slf, core, &held) else {
            return Err(PyRuntimeError::new_err("there is no file descriptor for a wakeup"));
        };
        let fd = wakeup.keep(py, listens)?;
        slf.get().signal_listener.set(listener);
        Ok(fd)
    }
}

fn weak_set(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static WEAK_SET: Once<Py<PyAny>> = Once::new();
    WEAK_SET.import(py, "weakref", "WeakSet")
}

/// Looks up now what a channel needs of the standard library: later there may be no fd to import
/// with.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    weak_set(module.py()).map(drop)
}

fn run_mode(mode: i32) -> PyResult<RunMode> {
    match mode {
        0 => Ok(RunMode::Default),
        1 => Ok(RunMode::Once),
        2 => Ok(RunMode::NoWait),
        _ => Err(PyValueError::new_err(format!(
            "mode must be UV_RUN_DEFAULT, UV_RUN_ONCE or UV_RUN_NOWAIT, not {mode}"
        ))),
    }
}

#[pymethods]
impl Loop {
    #[new]
    #[pyo3(signature = (*args, **_kwargs), text_signature = "()")]
    fn new(args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Loop {
        import_all(args.py());
        Loop {
            core: Once::new(),
            active: Owned::default(),
            spare: Owned::default(),
            addresses: Owned::default(),
            excepthook: PySlot::new(),
            stopped_by: PySlot::new(),
            signal_listener: PySlot::new(),
            channels: PySlot::new(),
            wakeup: Owned::default(),
            sleep: Sleep::default(),
        }
    }

    fn __init__(&self) -> PyResult<()> {
        if self.core.get().is_some() {
            return Err(PyRuntimeError::new_err("Loop.__init__ was called a second time"));
        }
        let core = pyuv::Loop::new().map_err(in_call::<UVError>("Loop"))?;
        self.core
            .set(core)
            .map_err(|_| PyRuntimeError::new_err("Loop.__init__ was called a second time"))
    }

    /// The process's default loop, made when first asked for.
    #[classmethod]
    fn default_loop(cls: &Bound<'_, PyType>) -> PyResult<Py<Loop>> {
        let py = cls.py();
        let default = DEFAULT
            .get_or_try_init(py, || PyResult::Ok(cls.call0()?.cast_into::<Loop>()?.unbind()))?;
        Ok(default.clone_ref(py))
    }

    /// Whether this is the default loop.
    #[getter]
    fn default(slf: &Bound<'_, Loop>) -> bool {
        DEFAULT.get().is_some_and(|default| default.is(slf))
    }

    /// Runs the loop (`uv_run`) and says whether anything is still active.
    ///
    /// `mode` is UV_RUN_DEFAULT (until nothing is active, or `stop`), UV_RUN_ONCE (one iteration)
    /// or UV_RUN_NOWAIT (one that does not wait). The GIL is released while the loop waits.
    #[pyo3(signature = (mode=0))]
    fn run(slf: &Bound<'_, Loop>, mode: i32) -> PyResult<bool> {
        let mode = run_mode(mode)?;
        Loop::turns(slf, mode != RunMode::NoWait)?.turn(mode)
    }

    /// Makes `run` return after this iteration (`uv_stop`).
    fn stop(&self) -> PyResult<()> {
        self.core()?.stop().map_err(in_call::<UVError>("stop"))
    }

    /// The loop's time in milliseconds, read once per iteration (`uv_now`).
    fn now(&self) -> PyResult<u64> {
        self.core()?.now().map_err(in_call::<UVError>("now"))
    }

    /// Reads the clock anew (`uv_update_time`).
    fn update_time(&self) -> PyResult<()> {
        self.core()?.update_time().map_err(in_call::<UVError>("update_time"))
    }

    /// The fd that becomes readable when the loop has something to do (`uv_backend_fd`).
    fn fileno(&self) -> PyResult<i32> {
        self.core()?.fileno().map_err(in_call::<UVError>("fileno"))
    }

    /// Seconds until the loop has something to do, -1.0 for never (`uv_backend_timeout`).
    fn get_timeout(&self) -> PyResult<f64> {
        let timeout = self.core()?.timeout().map_err(in_call::<UVError>("get_timeout"))?;
        Ok(timeout.map_or(-1.0, |timeout| timeout.as_secs_f64()))
    }

    /// Whether anything is active, referenced or closing (`uv_loop_alive`).
    #[getter]
    fn alive(&self) -> PyResult<bool> {
        self.core()?.is_alive().map_err(in_call::<UVError>("alive"))
    }

    /// Whether the loop was closed.
    #[getter]
    fn closed(&self) -> PyResult<bool> {
        Ok(self.core()?.is_closed())
    }

    /// Every handle on the loop, closing ones included (`uv_walk`), but for one whose object is
    /// being deallocated.
    #[getter]
    fn handles<'py>(slf: &Bound<'py, Loop>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let _held = slf.get().hold()?;
        let handles = slf.get().core()?.handles().map_err(in_call::<UVError>("handles"))?;
        let known = |handle| wrapper_of(slf, handle).transpose();
        handles.into_iter().filter_map(known).collect()
    }

    /// Closes the loop and gives its fds back (`uv_loop_close`). Handles that are closing are
    /// run to their end first.
    ///
    /// Raises UVError with UV_EBUSY, naming what is open, while there are open handles or
    /// requests in flight. With `handles`, those are closed and cancelled before; what the thread
    /// pool has begun is waited for.
    #[pyo3(signature = (*, handles=false))]
    fn close(slf: &Bound<'_, Loop>, handles: bool) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let (core, held) = this.core_to_run()?;
        if handles && !core.is_running() {
            Loop::close_handles(slf)?;
        }
        if !core.is_running()
            && let Some(wakeup) = this.wakeup.get(&held).take()
        {
            // Its descriptors go: Python is not to write to them.
            wakeup.keep(py, false)?;
        }
        let outcome = core.close();
        drop(held);
        this.raise_stopped_by(py)?;
        outcome.map_err(in_call::<UVError>("close"))
    }

    /// Makes the loop usable in a child process after `os.fork()` (`uv_loop_fork`). Does nothing
    /// in the process that the loop was made in.
    fn fork(&self) -> PyResult<()> {
        let core = self.core()?;
        let forked = core.is_forked();
        core.fork().map_err(in_call::<UVError>("fork"))?;
        if !forked {
            return Ok(());
        }
        let held = self.hold()?;
        let wakeup = self.wakeup.get(&held).take();
        // One whose descriptors were closed is made anew when it is needed.
        if let Some(wakeup) = wakeup
            && wakeup.fork().is_ok()
        {
            self.wakeup.get(&held).replace(Some(wakeup));
        }
        Ok(())
    }

    /// Sets options (`uv_loop_configure`), before the loop first runs.
    ///
    /// `metrics_idle_time` measures the time spent waiting, for `metrics`; `block_sigprof` spares
    /// a profiler's signals while waiting; `io_uring` submits filesystem operations to io_uring
    /// where the kernel has it and the environment variable UV_USE_IO_URING is 1. Raises UVError
    /// with UV_ENOSYS where an option does not exist.
    #[pyo3(signature = (*, metrics_idle_time=false, block_sigprof=false, io_uring=false))]
    fn configure(
        &self,
        metrics_idle_time: bool,
        block_sigprof: bool,
        io_uring: bool,
    ) -> PyResult<()> {
        let core = self.core()?;
        for (wanted, option) in [
            (metrics_idle_time, Configure::MetricsIdleTime),
            (block_sigprof, Configure::BlockSigprof),
            (io_uring, Configure::IoUring),
        ] {
            if wanted {
                core.configure(option).map_err(in_call::<UVError>("configure"))?;
            }
        }
        Ok(())
    }

    /// What the loop has done so far (`uv_metrics_info`, `uv_metrics_idle_time`).
    fn metrics(&self) -> PyResult<LoopMetrics> {
        let metrics = self.core()?.metrics().map_err(in_call::<UVError>("metrics"))?;
        Ok(LoopMetrics {
            loop_count: metrics.loop_count,
            events: metrics.events,
            events_waiting: metrics.events_waiting,
            idle_time: metrics.idle_time.as_secs_f64(),
        })
    }

    /// The same as `metrics()`: pyuv 0.2's name.
    #[getter]
    fn counters(&self) -> PyResult<LoopMetrics> {
        self.metrics()
    }

    fn __enter__<'a, 'py>(slf: &'a Bound<'py, Loop>) -> PyResult<&'a Bound<'py, Loop>> {
        slf.get().core()?;
        Ok(slf)
    }

    /// `close(handles=True)`, unless the loop is closed.
    #[pyo3(signature = (*_exception))]
    fn __exit__(slf: &Bound<'_, Loop>, _exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        if slf.get().core()?.is_closed() {
            return Ok(());
        }
        let keywords = PyDict::new(slf.py());
        keywords.set_item(intern!(slf.py(), "handles"), true)?;
        // As a subclass has it.
        slf.call_method(intern!(slf.py(), "close"), (), Some(&keywords)).map(drop)
    }

    fn __repr__(slf: &Bound<'_, Loop>) -> PyResult<String> {
        let name = slf.get_type().qualname()?;
        let state = match slf.get().core.get() {
            None => "not initialised",
            Some(core) if core.is_closed() => "closed",
            Some(core) if core.is_running() => "running",
            Some(_) => "idle",
        };
        Ok(format!("<{name} {state} at {:p}>", slf.as_ptr()))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // SAFETY: the collector runs while nobody changes the table.
        unsafe { self.active.get_unheld() }.visit(&visit)?;
        self.excepthook.visit(&visit)?;
        self.stopped_by.visit(&visit)?;
        self.signal_listener.visit(&visit)?;
        self.channels.visit(&visit)
    }

    fn __clear__(&self, py: Python<'_>) {
        // SAFETY: the collector has found that nobody has the loop, or gets it any more.
        unsafe { self.active.get_unheld() }.clear();
        self.excepthook.clear(py);
        self.stopped_by.clear(py);
        self.signal_listener.clear(py);
        self.channels.clear(py);
    }
}

/// Counters of a loop.
#[pyclass(module = "pyuv", frozen, get_all, eq)]
#[derive(PartialEq)]
pub struct LoopMetrics {
    /// Iterations of the loop.
    loop_count: u64,
    /// Events that callbacks have been called for.
    events: u64,
    /// Events that were waiting when the loop polled.
    events_waiting: u64,
    /// Seconds spent waiting; 0.0 unless `configure(metrics_idle_time=True)` was called. Of a
    /// wait that the system interrupted, only the last part counts.
    idle_time: f64,
}

#[pymethods]
impl LoopMetrics {
    fn __repr__(&self) -> String {
        format!(
            "LoopMetrics(loop_count={}, events={}, events_waiting={}, idle_time={:?})",
            self.loop_count, self.events, self.events_waiting, self.idle_time
        )
    }
}
