//! `pyuv.dns.resolve`: asking without a loop.

use std::time::{Duration, Instant};

use pyo3::prelude::*;
use pyuv_dns::{Code, Error, Options, RecordClass, RecordType, Resolution};

use super::argument::servers;
use super::constants::{RecordClassArg, RecordTypeArg};
use super::error::to_py;
use super::message::message_to_py;
use super::name::with_name;
use super::options::kind;
use crate::main_thread::on_main_thread;
use crate::seconds::duration;

/// How long the main thread waits before it looks for signals: a signal alone wakes nothing here.
const SLICE: Duration = Duration::from_millis(50);

/// How often each server is asked where there is a timeout. c-ares gives a server that has been quick
/// a quarter of a second at first, and every time twice as long.
const TRIES: u32 = 6;

/// As good as for ever.
const LONG: Duration = Duration::from_secs(3600);

/// Asks for the records of `name` that are of one type, and waits for the answer with the GIL
/// released. It needs no loop: c-ares has a thread for it, which later calls use again.
///
/// Returns a Message. Raises DNSError with ARES_ENOTFOUND for a name that does not exist,
/// ARES_ENODATA where it has no such records, ARES_ETIMEOUT when there is no answer within `timeout`
/// seconds, or when every server was asked `tries` times (6; 3 without `timeout`), each time for
/// twice as long: at first for 2 seconds, or less where it has been quick. `servers`, `port` and
/// `flags` are as for `Channel`; `port` is for UDP and TCP. Ctrl-C ends the wait.
#[pyfunction]
#[pyo3(
    signature = (
        name, r#type = RecordTypeArg(RecordType::A), record_class = RecordClassArg(RecordClass::IN),
        *, timeout=None, servers=None, port=None, tries=None, flags=None,
    ),
    text_signature = "(name, type='A', record_class='IN', *, timeout=None, servers=None, port=None, tries=None, flags=None)"
)]
#[expect(clippy::too_many_arguments, reason = "all but one may be left out")]
pub fn resolve<'py>(
    name: &Bound<'py, PyAny>,
    r#type: RecordTypeArg,
    record_class: RecordClassArg,
    timeout: Option<f64>,
    servers: Option<&Bound<'py, PyAny>>,
    port: Option<&Bound<'py, PyAny>>,
    tries: Option<&Bound<'py, PyAny>>,
    flags: Option<&Bound<'py, PyAny>>,
) -> PyResult<Py<PyAny>> {
    let py = name.py();
    let timeout = timeout.map(|seconds| duration("timeout", seconds)).transpose()?;
    let port = port.map(|port| kind::int("port", port)).transpose()?;
    let options = Options {
        servers: servers.map(self::servers).transpose()?,
        udp_port: port,
        tcp_port: port,
        tries: match tries {
            Some(tries) => Some(kind::int("tries", tries)?),
            None => timeout.map(|_| TRIES),
        },
        flags: flags.map(|flags| kind::flags("flags", flags)).transpose()?,
        ..Options::default()
    };
    let deadline = timeout.map(|timeout| Instant::now() + timeout);
    with_name(name, |name| {
        let start = || Resolution::start(name, r#type.0, record_class.0, &options);
        let resolution = py.detach(start).map_err(failed)?;
        let answer = wait(py, &resolution, deadline);
        // It may be the last to let go of a resolver, whose thread is waited for then.
        py.detach(|| drop(resolution));
        match answer? {
            Ok(message) => message_to_py(py, message),
            Err(Error::Ares { code, what }) if what.is_empty() => {
                Err(failed(Error::new(code, name.to_owned())))
            }
            Err(Error::Ares { code, what }) => {
                Err(failed(Error::new(code, format!("{name}: {what}"))))
            }
            Err(error) => Err(failed(error)),
        }
    })
}

fn failed(error: Error) -> PyErr {
    to_py(error.in_call("resolve"))
}

/// The answer, or ARES_ETIMEOUT at the deadline. What a signal handler raises ends the wait.
fn wait(
    py: Python<'_>,
    resolution: &Resolution,
    deadline: Option<Instant>,
) -> PyResult<pyuv_dns::Result<pyuv_dns::Message>> {
    let longest = if on_main_thread() { SLICE } else { LONG };
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let slice = left.map_or(longest, |left| left.min(longest));
        if let Some(answer) = py.detach(|| resolution.wait(slice)) {
            return Ok(answer);
        }
        crate::signals::check(py)?;
        if left.is_some_and(|left| left.is_zero()) {
            return Ok(Err(Code::ETIMEOUT.into()));
        }
    }
}
