//! `pyuv.dns.Channel`: a c-ares channel on the loop.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};
use pyo3::types::{PyDict, PyTuple};
use pyuv_dns::{ChannelFlags, Error, Message, Options, Result};

use super::argument::{path, strings};
use super::constants::RecordTypeArg;
use super::error::to_py;
use super::message::message_to_py;
use super::name::with_name;

use crate::active::{ActiveKey, ActiveTable};
use crate::call::{call, callable, error_argument};
use crate::error::HandleClosedError;
use crate::gil::object_in_callback;
use crate::r#loop::Loop;
use crate::number::optional_number;
use crate::seconds::duration;
use crate::slot::PySlot;

/// A raw DNS client on the loop (`ares_channel_t`).
///
/// `servers` are addresses, each `address`, `address:port` or `[address]:port`; without them those
/// of resolv.conf are asked. A server that does not answer is asked `tries` times, `timeout`
/// seconds each. `max_in_flight` is how many queries c-ares works on at a time; more wait their
/// turn. `query_cache_max_ttl` is how many seconds an answer may be given again without asking;
/// 0 is never.
///
/// A channel with queries in flight is kept alive by its loop. Collected or dropped, it ends them
/// without calling anybody; `close` tells them.
#[pyclass(module = "pyuv.dns", subclass, weakref, dict, frozen)]
pub struct Channel {
    core: OnceLock<pyuv_dns::Channel>,
    event_loop: PySlot,
    /// The callbacks of queries, by the key that the core has of each. Changed by the loop's owner
    /// alone.
    callbacks: ActiveTable,
    /// How many those are.
    waiting: AtomicUsize,
    key: ActiveKey,
}

impl Channel {
    fn core(&self) -> PyResult<&pyuv_dns::Channel> {
        self.core.get().ok_or_else(|| PyRuntimeError::new_err("Channel.__init__ was not called"))
    }

    /// The Python loop, unless the collector has taken it away.
    fn event_loop<'py>(&self, py: Python<'py>) -> Option<Bound<'py, Loop>> {
        let event_loop = self.event_loop.get(py)?;
        // SAFETY: the slot is set from a Bound<Loop> alone.
        Some(unsafe { event_loop.cast_into_unchecked::<Loop>() })
    }

    /// Keeps a callback, and with the first one the channel. The caller owns the loop.
    fn insert(
        slf: &Bound<'_, Channel>,
        event_loop: &Bound<'_, Loop>,
        callback: Bound<'_, PyAny>,
    ) -> usize {
        let this = slf.get();
        this.waiting.store(this.waiting.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        this.key.keep(&event_loop.get().active, slf.as_any());
        this.callbacks.insert(callback)
    }

    /// Gives a callback back, and with the last one lets the channel go. The caller owns the loop.
    fn take<'py>(&self, event_loop: &Bound<'py, Loop>, key: usize) -> Option<Bound<'py, PyAny>> {
        let py = event_loop.py();
        let callback = self.callbacks.take(py, key)?;
        let waiting = self.waiting.load(Ordering::Relaxed) - 1;
        self.waiting.store(waiting, Ordering::Relaxed);
        if waiting == 0 {
            drop(self.key.release(&event_loop.get().active, py));
        }
        Some(callback)
    }

    /// Called by the core, in a callback of the loop's.
    fn on_answer(object: usize, key: usize, answer: Result<Message>) {
        // SAFETY: the core runs callbacks attached; the loop's table keeps a channel that has
        // callbacks to call. The address was that of a Channel.
        let slf = &unsafe { object_in_callback::<Channel>(object) };
        let (py, this) = (slf.py(), slf.get());
        let Some(event_loop) = this.event_loop(py) else { return };
        let Some(callback) = this.take(&event_loop, key) else { return };
        let called = match answer {
            Ok(message) => message_to_py(py, message)
                .and_then(|result| call(&callback, [result.bind(py), &error_argument(py, None)])),
            Err(error) => {
                let code = error.code().unwrap_or(pyuv_dns::Code::EBADRESP);
                let none = py.None().into_bound(py);
                call(&callback, [&none, &error_argument(py, Some(code.0))])
            }
        };
        if let Err(error) = called {
            Loop::handle_exception(&event_loop, error);
        }
    }
}

/// The error of a method of a channel's.
fn refused(error: Error) -> PyErr {
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
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Channel {
        Channel {
            core: OnceLock::new(),
            event_loop: PySlot::new(),
            callbacks: ActiveTable::default(),
            waiting: AtomicUsize::new(0),
            key: ActiveKey::default(),
        }
    }

    #[pyo3(signature = (
        r#loop, servers=None, *, timeout=None, tries=None, ndots=None, flags=None, domains=None,
        lookups=None, rotate=None, udp_port=None, tcp_port=None, max_in_flight=None,
        query_cache_max_ttl=None, resolvconf_path=None, hosts_path=None,
    ))]
    #[expect(clippy::too_many_arguments, reason = "ares_init_options has that many")]
    fn __init__(
        &self,
        r#loop: &Bound<'_, Loop>,
        servers: Option<&Bound<'_, PyAny>>,
        timeout: Option<f64>,
        tries: Option<&Bound<'_, PyAny>>,
        ndots: Option<&Bound<'_, PyAny>>,
        flags: Option<&Bound<'_, PyAny>>,
        domains: Option<&Bound<'_, PyAny>>,
        lookups: Option<String>,
        rotate: Option<bool>,
        udp_port: Option<&Bound<'_, PyAny>>,
        tcp_port: Option<&Bound<'_, PyAny>>,
        max_in_flight: Option<&Bound<'_, PyAny>>,
        query_cache_max_ttl: Option<&Bound<'_, PyAny>>,
        resolvconf_path: Option<&Bound<'_, PyAny>>,
        hosts_path: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let twice = || PyRuntimeError::new_err("Channel.__init__ was called a second time");
        if self.core.get().is_some() {
            return Err(twice());
        }
        let options = Options {
            servers: servers.map(|servers| strings("servers", servers)).transpose()?,
            timeout: timeout.map(|seconds| duration("timeout", seconds)).transpose()?,
            tries: optional_number("tries", tries)?,
            ndots: optional_number("ndots", ndots)?,
            flags: optional_number("flags", flags)?.map(channel_flags).transpose()?,
            domains: domains.map(|domains| strings("domains", domains)).transpose()?,
            lookups,
            rotate,
            udp_port: optional_number("udp_port", udp_port)?,
            tcp_port: optional_number("tcp_port", tcp_port)?,
            max_in_flight: optional_number("max_in_flight", max_in_flight)?,
            query_cache_max_ttl: optional_number("query_cache_max_ttl", query_cache_max_ttl)?
                .unwrap_or(0),
            resolvconf_path: path("resolvconf_path", resolvconf_path)?,
            hosts_path: path("hosts_path", hosts_path)?,
            ..Options::default()
        };
        let core = pyuv_dns::Channel::new(r#loop.get().core()?, options).map_err(to_py)?;
        self.event_loop.set(Some(r#loop.clone().into_any()));
        self.core.set(core).map_err(|_| twice())
    }

    /// Asks for the records of `name` that are of one type: `"MX"`, `pyuv.dns.RecordType.MX`, 15.
    ///
    /// `callback(result, errorno)` is called by the loop: with a Message and None or, when there
    /// is no answer, with None and a c-ares code of pyuv.dns, ARES_ENOTFOUND for instance. `name`
    /// is str, encoded with IDNA if it is not ASCII, or bytes.
    #[pyo3(signature = (name, r#type, callback))]
    fn query(
        slf: &Bound<'_, Channel>,
        name: &Bound<'_, PyAny>,
        r#type: RecordTypeArg,
        callback: Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let this = slf.get();
        let core = this.core()?;
        let callback = callable(callback)?;
        let Some(event_loop) = this.event_loop(slf.py()) else { return Ok(()) };
        with_name(name, |name| {
            let _held = core.event_loop().hold().map_err(|error| refused(error.into()))?;
            let key = Channel::insert(slf, &event_loop, callback);
            let object = slf.as_ptr() as usize;
            let asked = core.query(name, r#type.0, move |answer| {
                Channel::on_answer(object, key, answer);
            });
            asked.map_err(|error| {
                this.take(&event_loop, key);
                refused(error)
            })
        })
    }

    /// Ends every query with ARES_ECANCELLED (`ares_cancel`). The loop calls the callbacks.
    fn cancel(&self) -> PyResult<()> {
        self.core()?.cancel().map_err(refused)
    }

    /// Closes the channel (`ares_destroy`): every query ends with ARES_EDESTRUCTION, and the loop
    /// calls the callbacks. Raises HandleClosedError if it is closed already.
    fn close(&self) -> PyResult<()> {
        self.core()?.close().map_err(refused)
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
        core.set_servers(&strings("servers", servers)?).map_err(refused)
    }

    /// How many queries have not had their callback called.
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
        self.callbacks.visit(&visit)
    }

    fn __clear__(&self, py: Python<'_>) {
        self.event_loop.clear(py);
        self.callbacks.clear(py);
    }
}

fn channel_flags(bits: i32) -> PyResult<ChannelFlags> {
    ChannelFlags::from_bits(bits).ok_or_else(|| {
        PyValueError::new_err(format!("flags {bits:#x} holds bits that are no ARES_FLAG"))
    })
}

/// Adds the class, and ARES_FLAG_USEVC and its kin as a dict.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Channel>()?;
    let flags = PyDict::new(module.py());
    for (name, flag) in ChannelFlags::all().iter_names() {
        let name = if flag == ChannelFlags::DNS_0X20 { "DNS0x20" } else { name };
        flags.set_item(format!("ARES_FLAG_{name}"), flag.bits())?;
    }
    module.add("channel_flags", flags)
}
