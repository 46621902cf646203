//! From a core handle to a Python one, whether or not there is any yet.

use pyo3::prelude::*;
use pyuv::HandleType;

use super::back::{self, Behind};
use crate::fs::{FSEvent, FSPoll};
use crate::handle::Handle;
use crate::r#loop::Loop;

/// The Python object of a core handle: the one there is or, for a handle whose object is gone, a
/// new one. None for one whose object is going, or that is no `pyuv.Handle`'s.
pub fn wrapper_of<'py>(
    event_loop: &Bound<'py, Loop>,
    core: pyuv::Handle,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = event_loop.py();
    let there_is = |core: &pyuv::Handle| match back::behind(py, core) {
        Behind::Object(object) => Some(Some(object.into_any())),
        Behind::NobodyToSee => Some(None),
        Behind::Nothing => None,
    };
    if let Some(known) = there_is(&core) {
        return Ok(known);
    }
    let base = Handle::on(event_loop);
    macro_rules! new {
        ($($class:ident: $module:ident),*; $($stream:ident: $file:ident),*) => {
            match core.handle_type() {
                $(HandleType::$class => {
                    let class = PyClassInitializer::from(base)
                        .add_subclass(crate::$module::$class::default());
                    Bound::new(py, class)?.into_any()
                })*
                $(HandleType::$stream => {
                    let class = PyClassInitializer::from(base)
                        .add_subclass(crate::stream::Stream::default())
                        .add_subclass(crate::$file::$stream);
                    Bound::new(py, class)?.into_any()
                })*
                HandleType::FsEvent => FSEvent::orphan(py, base)?,
                HandleType::FsPoll => FSPoll::orphan(py, base)?,
            }
        };
    }
    let object = new!(
        Async: r#async, Check: check, Idle: idle, Poll: poll, Prepare: prepare,
        Process: process, Signal: signal, Timer: timer, UDP: udp; Pipe: pipe, TCP: tcp, TTY: tty
    );
    // To make an object may run the collector, and with it anybody who asks for this one.
    if let Some(known) = there_is(&core) {
        return Ok(known);
    }
    Handle::bind(object.cast::<Handle>()?, core);
    Ok(Some(object))
}
