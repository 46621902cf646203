//! `pyuv.dns.Channel`: a c-ares channel on the loop.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};
use pyo3::types::{PyDict, PyTuple};
use pyuv::{Entered, Held, Owned};
use pyuv_dns::{Error, Options, Result, ServerStateFlags};

use super::argument::servers;
use super::configuration::configuration_to_py;
use super::error::to_py;
use super::errorno::errorno;

use crate::call::{call, callable, error_argument, optional_callable};
use crate::error::HandleClosedError;
use crate::life::active::{ActiveKey, ActiveTable};
use crate::life::back::{Back, Leash};
use crate::life::slot::PySlot;
use crate::r#loop::Loop;
use crate::once::{Once, intern};
use crate::structseq::objects;

/// A raw DNS client on the loop (`ares_channel_t`).
///
/// `servers` are addresses, each `address`, `address:port` or `[address]:port`, or a str of several
/// with commas between them; without them those of resolv.conf are asked. A server that does not
/// answer is asked `tries` times, `timeout` seconds each. `max_in_flight` is how many queries
/// c-ares works on at a time; more wait their turn. `query_cache_max_ttl` is how many seconds an
/// answer may be given again without asking; 0 is never. The other options are those of
/// `ares_init_options`; a wrong one raises ValueError that names it and its value.
///
/// A channel with queries in flight is kept alive by its loop. Collected or dropped, it ends them
/// without calling anybody; `close` tells them.
#[pyclass(module = "pyuv.dns", subclass, weakref, frozen)]
#[cfg_attr(not(PyPy), pyo3(dict))]
pub struct Channel {
    core: Once<pyuv_dns::Channel>,
    event_loop: PySlot,
    /// The callbacks of queries, by the key that the core has of each. Changed by the loop's owner
    /// alone.
    callbacks: Owned<ActiveTable>,
    /// How many those are.
    waiting: AtomicUsize,
    key: ActiveKey,
    server_state_callback: PySlot,
    /// How the core's listener finds this object: a `Bulk` asks on though nobody has the channel.
    leash: Once<Leash<Channel>>,
}

impl Drop for Channel {
    fn drop(&mut self) {
        if let Some(leash) = self.leash.get() {
            leash.take_back();
        }
    }
}

/// A lookup that is being asked: its callback is in the table.
pub struct Begun<'a, 'py> {
    channel: &'a Bound<'py, Channel>,
    event_loop: Bound<'py, Loop>,
    held: Entered<'a>,
    key: usize,
}

/// How an answer becomes a Python object.
pub type Convert<T> = fn(Python<'_>, T) -> PyResult<Py<PyAny>>;

impl Begun<'_, '_> {
    /// What the core is to call.
    pub fn done<T: 'static>(
        &self,
        convert: Convert<T>,
    ) -> impl FnOnce(Result<T>) + Send + use<T> + 'static {
        let (channel, key) = (Back::new(self.channel), self.key);
        move |answer| Channel::on_answer(channel, key, answer, convert)
    }

    /// What the core said to the question; without a lookup there is no callback to keep.
    pub fn asked(self, outcome: Result<()>) -> PyResult<()> {
        let Err(error) = outcome else { return Ok(()) };
        let callback = self.channel.get().take(&self.event_loop, &self.held, self.key);
        // To let go of it may run Python, which may do anything with the loop.
        drop(self);
        drop(callback);
        Err(refused(error))
    }
}

impl Channel {
    /// Makes the core's channel, once.
    pub fn init(&self, event_loop: &Bound<'_, Loop>, options: Options) -> PyResult<()> {
        let core = pyuv_dns::Channel::new(event_loop.get().core()?, options)
            .map_err(|error| to_py(error.in_call("Channel")))?;
        // The loop goes with the core's channel: an argument may have come here before.
        self.core.set(core).map_err(|_| initialised_twice())?;
        self.event_loop.set(Some(event_loop.clone().into_any()));
        Ok(())
    }

    pub fn is_initialised(&self) -> bool {
        self.core.get().is_some()
    }

    pub fn core(&self) -> PyResult<&pyuv_dns::Channel> {
        self.core.get().ok_or_else(|| PyRuntimeError::new_err("Channel.__init__ was not called"))
    }

    /// The Python loop, unless the collector has taken it away.
    fn event_loop<'py>(&self, py: Python<'py>) -> Option<Bound<'py, Loop>> {
        let event_loop = self.event_loop.get(py)?;
        // SAFETY: the slot is set from a Bound<Loop> alone.
        Some(unsafe { event_loop.cast_into_unchecked::<Loop>() })
    }

    /// Begins a lookup: keeps its callback, and with the first one the channel.
    pub fn begin<'a, 'py>(
        slf: &'a Bound<'py, Channel>,
        callback: Bound<'py, PyAny>,
    ) -> PyResult<Begun<'a, 'py>> {
        let this = slf.get();
        let held = this.core()?.event_loop().hold().map_err(|error| refused(error.into()))?;
        let callback = callable(callback)?;
        let gone = || PyRuntimeError::new_err("the loop was collected");
        let event_loop = this.event_loop(slf.py()).ok_or_else(gone)?;
        this.waiting.store(this.waiting.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        this.key.keep(event_loop.get().active.get(&held), slf.as_any());
        let key = this.callbacks.get(&held).insert(callback);
        Ok(Begun { channel: slf, event_loop, held, key })
    }

    /// Gives a callback back, and with the last one lets the channel go.
    fn take<'py>(
        &self,
        event_loop: &Bound<'py, Loop>,
        held: &Held,
        key: usize,
    ) -> Option<Bound<'py, PyAny>> {
        let py = event_loop.py();
        let callback = self.callbacks.get(held).take(py, key)?;
        let waiting = self.waiting.load(Ordering::Relaxed) - 1;
        self.waiting.store(waiting, Ordering::Relaxed);
        if waiting == 0 {
            drop(self.key.release(event_loop.get().active.get(held), py));
        }
        Some(callback)
    }

    /// Called by the core, in a callback of the loop's.
    fn on_answer<T>(channel: Back<Channel>, key: usize, answer: Result<T>, convert: Convert<T>) {
        // SAFETY: the core runs callbacks attached; the loop's table keeps a channel that has
        // callbacks to call.
        let Some(slf) = &(unsafe { channel.object() }) else { return };
        let (py, this) = (slf.py(), slf.get());
        let Some(event_loop) = this.event_loop(py) else { return };
        let Ok(held) = event_loop.get().hold() else { return };
        let Some(callback) = this.take(&event_loop, &held, key) else { return };
        drop(held);
        let called = match answer {
            Ok(answer) => convert(py, answer)
                .and_then(|result| call(&callback, [result.bind(py), &error_argument(py, None)])),
            Err(error) => errorno(py, &error).and_then(|errorno| {
                let none = py.None().into_bound(py);
                call(&callback, [&none, &errorno])
            }),
        };
        if let Err(error) = called {
            Loop::handle_exception(&event_loop, error, Some((slf.as_any(), "answer")));
        }
    }

    /// Called by the core, in a callback of the loop's, before the answers that it has.
    fn on_server_state(
        channel: &Leash<Channel>,
        server: &str,
        success: bool,
        flags: ServerStateFlags,
    ) {
        // SAFETY: the core runs callbacks attached.
        let Some(slf) = &(unsafe { channel.object() }) else { return };
        let (py, this) = (slf.py(), slf.get());
        let Some(callback) = this.server_state_callback.get(py) else { return };
        let Some(event_loop) = this.event_loop(py) else { return };
        let called = (|| {
            let [server, success, flags] = objects![py, server, success, flags.bits()];
            call(&callback, [&server, &success, &flags])
        })();
        if let Err(error) = called {
            Loop::handle_exception(&event_loop, error, Some((slf.as_any(), "server state")));
        }
    }
}

pub fn initialised_twice() -> PyErr {
    PyRuntimeError::new_err("Channel.__init__ was called a second time")
}

/// The error of a method of a channel's.
pub fn refused(error: Error) -> PyErr {
    match error {
        Error::Loop(pyuv::Error::HandleClosed) => {
            HandleClosedError::new_err("the channel is closed")
        }
        other => to_py(other),
    }
}

#[pymethods]
impl Channel {
    #[new]
    #[pyo3(
        signature = (*_args, **_kwargs),
        text_signature = "(loop, servers=None, *, query_cache_max_ttl=None, timeout=None, \
            max_timeout=None, tries=None, ndots=None, flags=None, domains=None, \
            lookups=None, sortlist=None, rotate=None, udp_port=None, tcp_port=None, \
            max_in_flight=None, resolvconf_path=None, hosts_path=None, edns_size=None, \
            socket_send_buffer_size=None, socket_receive_buffer_size=None, \
            udp_max_queries=None, server_retry_chance=None, server_retry_delay=None, \
            local_ip4=None, local_ip6=None, local_dev=None)"
    )]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Channel {
        Channel {
            core: Once::new(),
            event_loop: PySlot::new(),
            callbacks: Owned::default(),
            waiting: AtomicUsize::new(0),
            key: ActiveKey::default(),
            server_state_callback: PySlot::new(),
            leash: Once::new(),
        }
    }

    /// Ends every query with ARES_ECANCELLED (`ares_cancel`). The loop calls the callbacks.
    fn cancel(&self) -> PyResult<()> {
        self.core()?.cancel().map_err(refused)
    }

    /// Closes the channel (`ares_destroy`): every query ends with ARES_EDESTRUCTION, and the loop
    /// calls the callbacks. Of a channel that is closed it does nothing.
    fn close(&self) -> PyResult<()> {
        let core = self.core()?;
        if core.is_closed() { Ok(()) } else { core.close().map_err(refused) }
    }

    fn __enter__<'a, 'py>(slf: &'a Bound<'py, Channel>) -> PyResult<&'a Bound<'py, Channel>> {
        slf.get().core()?;
        Ok(slf)
    }

    /// Closes the channel.
    #[pyo3(signature = (*_exception))]
    fn __exit__(slf: &Bound<'_, Channel>, _exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        // As a subclass has it.
        slf.call_method0(intern!(slf.py(), "close")).map(drop)
    }

    /// Whether the channel was closed.
    #[getter]
    fn closed(&self) -> PyResult<bool> {
        Ok(self.core()?.is_closed())
    }

    /// The servers that are asked. Setting them leaves queries in flight to servers that stay
    /// alone, and gives the others to the new ones.
    #[getter]
    fn servers(&self) -> PyResult<Vec<String>> {
        self.core()?.servers().map_err(refused)
    }

    #[setter]
    fn set_servers(&self, servers: &Bound<'_, PyAny>) -> PyResult<()> {
        let core = self.core()?;
        core.set_servers(&self::servers(servers)?).map_err(refused)
    }

    /// What the channel goes by: a Configuration, with where each part of it was found.
    #[getter]
    fn configuration<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        configuration_to_py(py, &*self.core()?.configuration().map_err(refused)?)
    }

    /// Reads resolv.conf and what else c-ares is configured by again, on the thread pool, for what
    /// is asked after that (what `ares_reinit` does). Options and servers set by hand stay. Lookups
    /// in flight go on; those to a server that is no longer there go to one that is.
    ///
    /// `callback(None, errorno)` is called by the loop, with None or the code of the error for
    /// which the channel keeps what it had.
    #[pyo3(signature = (callback=None))]
    fn reinit<'py>(slf: &Bound<'py, Channel>, callback: Option<Bound<'py, PyAny>>) -> PyResult<()> {
        let core = slf.get().core()?;
        match callback {
            None => core.reinit(|_| ()).map_err(refused),
            Some(callback) => {
                let begun = Channel::begin(slf, callback)?;
                let asked = core.reinit(begun.done(|py, ()| Ok(py.None())));
                begun.asked(asked)
            }
        }
    }

    /// Called as `server_state_callback(server, success, flags)` for every query that a server
    /// answered, or failed to (`ares_set_server_state_callback`); None is nobody. `flags` is
    /// ARES_SERV_STATE_UDP or ARES_SERV_STATE_TCP. It comes before the callback of the lookup.
    #[getter]
    fn server_state_callback<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.core()?;
        Ok(self.server_state_callback.get(py))
    }

    #[setter]
    fn set_server_state_callback<'py>(
        slf: &Bound<'py, Channel>,
        callback: Option<Bound<'py, PyAny>>,
    ) -> PyResult<()> {
        let this = slf.get();
        let core = this.core()?;
        let callback = optional_callable(callback)?;
        let held = core.event_loop().hold().map_err(|error| refused(error.into()))?;
        let listener: Option<pyuv_dns::ServerStateCallback> = match &callback {
            None => None,
            Some(_) => {
                let leash = this.leash.get_or_try_init(slf.py(), || Ok(Leash::new(slf)))?;
                let channel = leash.another();
                Some(Arc::new(move |server: &str, success, flags| {
                    Channel::on_server_state(&channel, server, success, flags);
                }))
            }
        };
        core.set_server_state_callback(listener).map_err(refused)?;
        let earlier = this.server_state_callback.replace(slf.py(), callback);
        // To let go of it may run Python, which may do anything with the loop.
        drop(held);
        drop(earlier);
        Ok(())
    }

    /// How many lookups have not had their callback called.
    #[getter]
    fn active_queries(&self) -> PyResult<usize> {
        Ok(self.core()?.active_queries())
    }

    /// How many queries c-ares works on at a time; more wait their turn.
    #[getter]
    fn max_in_flight(&self) -> PyResult<usize> {
        Ok(self.core()?.max_in_flight())
    }

    /// Seconds until the next timeout of a query in flight; None without one (`ares_timeout`).
    fn timeout(&self) -> PyResult<Option<f64>> {
        let timeout = self.core()?.timeout().map_err(refused)?;
        Ok(timeout.map(|timeout| timeout.as_secs_f64()))
    }

    /// The loop the channel is on.
    #[getter]
    #[pyo3(name = "loop")]
    fn get_loop<'py>(slf: &Bound<'py, Channel>) -> PyResult<Bound<'py, Loop>> {
        slf.get().core()?;
        slf.get()
            .event_loop(slf.py())
            .ok_or_else(|| PyRuntimeError::new_err("the loop was collected"))
    }

    fn __repr__(slf: &Bound<'_, Channel>) -> PyResult<String> {
        let name = slf.get_type().qualname()?;
        let state = match slf.get().core.get() {
            None => "not initialised".to_owned(),
            Some(core) if core.is_closed() => "closed".to_owned(),
            Some(core) => format!("with {} queries", core.active_queries()),
        };
        Ok(format!("<{name} {state} at {:p}>", slf.as_ptr()))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> std::result::Result<(), PyTraverseError> {
        self.event_loop.visit(&visit)?;
        self.server_state_callback.visit(&visit)?;
        // SAFETY: the collector runs while nobody changes the table.
        unsafe { self.callbacks.get_unheld() }.visit(&visit)
    }

    fn __clear__(&self, py: Python<'_>) {
        self.event_loop.clear(py);
        self.server_state_callback.clear(py);
        // SAFETY: the collector has found that nobody has the channel, or gets it any more.
        unsafe { self.callbacks.get_unheld() }.clear();
    }
}
