//! The methods of an event loop that are called most, as raw ones.

use std::ffi::CStr;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyTuple};

use super::ready::Entry;
use super::scheduler::Scheduler;
use super::{context, handles, run, signature};
use crate::error::{UVError, to_py};
use crate::once::intern;
use crate::raw_method::{self, Arguments, RawMethod};

/// Puts them on the class.
pub fn install(py: Python<'_>) -> PyResult<()> {
    let class = py.get_type::<Scheduler>();
    let soon = "($self, callback, *args, context=None)";
    raw_method::install::<CallSoon>(&class, soon, "Has `callback(*args)` called soon.")?;
    raw_method::install::<CallSoonThreadsafe>(
        &class,
        soon,
        "Has `callback(*args)` called soon; may be called on any thread.",
    )?;
    raw_method::install::<CallLater>(
        &class,
        "($self, delay, callback, *args, context=None)",
        "Has `callback(*args)` called after `delay` seconds.",
    )?;
    raw_method::install::<CallAt>(
        &class,
        "($self, when, callback, *args, context=None)",
        "Has `callback(*args)` called at `when`, in seconds of `time()`.",
    )?;
    raw_method::install::<GetDebug>(&class, "($self)", "Whether the loop is in debug mode.")?;
    raw_method::install::<Time>(&class, "($self)", "The loop's clock, in seconds.")
}

/// # Safety
/// `slf` is an instance of the class that the method was put on.
#[inline]
pub unsafe fn scheduler<'a, 'py>(slf: &'a Bound<'py, PyAny>) -> &'a Bound<'py, Scheduler> {
    // SAFETY: the caller says so.
    unsafe { slf.cast_unchecked::<Scheduler>() }
}

/// The context that is given, or a copy of the current one.
#[inline]
pub fn context_of<'py>(
    py: Python<'py>,
    arguments: &Arguments<'_, 'py>,
) -> PyResult<Bound<'py, PyAny>> {
    match arguments.named("context")? {
        Some(context) if !context.is_none() => Ok(context.to_owned()),
        _ => context::copy_current(py),
    }
}

pub fn missing(method: &str, what: &str) -> PyErr {
    PyTypeError::new_err(format!("{method}() needs a {what}"))
}

struct CallSoon;

impl RawMethod for CallSoon {
    const NAME: &'static CStr = c"call_soon";

    #[inline]
    fn call<'py>(slf: &Bound<'py, PyAny>, arguments: Arguments<'_, 'py>) -> PyResult<Py<PyAny>> {
        // SAFETY: it is put on this class.
        let slf = unsafe { scheduler(slf) };
        let this = slf.get();
        this.check_open()?;
        let count = arguments.count();
        if signature::is_of_asyncio(arguments.names()) && (1..=2).contains(&count) && !this.debug()
        {
            let owned = |index| arguments.at(index).to_owned().unbind();
            this.schedule(
                slf.py(),
                Entry::Call {
                    callable: owned(0),
                    argument: (count == 2).then(|| owned(1)),
                    context: owned(count),
                },
            )?;
            return Ok(slf.py().None());
        }
        call_soon(slf, arguments, "call_soon", handles::handle)
    }
}

struct CallSoonThreadsafe;

impl RawMethod for CallSoonThreadsafe {
    const NAME: &'static CStr = c"call_soon_threadsafe";

    fn call<'py>(slf: &Bound<'py, PyAny>, arguments: Arguments<'_, 'py>) -> PyResult<Py<PyAny>> {
        // SAFETY: it is put on this class.
        let slf = unsafe { scheduler(slf) };
        slf.get().check_open()?;
        call_soon(slf, arguments, "call_soon_threadsafe", handles::threadsafe)
    }
}

/// What makes a handle.
type Make = for<'py> fn(
    &Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Bound<'py, PyTuple>,
    Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>>;

fn call_soon<'py>(
    slf: &Bound<'py, Scheduler>,
    arguments: Arguments<'_, 'py>,
    name: &str,
    make: Make,
) -> PyResult<Py<PyAny>> {
    let py = slf.py();
    if arguments.count() == 0 {
        return Err(missing(name, "callback"));
    }
    let callback = arguments.at(0).to_owned();
    let args = arguments.tuple_from(1)?;
    let handle = if slf.get().debug() {
        let context = arguments.named("context")?;
        slf.call_method1(intern!(py, "_debug_handle"), (name, callback, args, context))?
    } else {
        make(slf.as_any(), callback, args, context_of(py, &arguments)?)?
    };
    slf.get().schedule(py, Entry::Handle(handle.clone().unbind()))?;
    Ok(handle.unbind())
}

struct CallLater;

impl RawMethod for CallLater {
    const NAME: &'static CStr = c"call_later";

    fn call<'py>(slf: &Bound<'py, PyAny>, arguments: Arguments<'_, 'py>) -> PyResult<Py<PyAny>> {
        // SAFETY: it is put on this class.
        let slf = unsafe { scheduler(slf) };
        call_at(slf, arguments, "call_later", "delay", |delay| {
            let when = run::clock() + delay.extract::<f64>()?;
            Ok((when, PyFloat::new(delay.py(), when).into_any()))
        })
    }
}

struct CallAt;

impl RawMethod for CallAt {
    const NAME: &'static CStr = c"call_at";

    fn call<'py>(slf: &Bound<'py, PyAny>, arguments: Arguments<'_, 'py>) -> PyResult<Py<PyAny>> {
        // SAFETY: it is put on this class.
        let slf = unsafe { scheduler(slf) };
        // The handle says what it was given: an int stays one.
        call_at(slf, arguments, "call_at", "when", |when| {
            Ok((when.extract::<f64>()?, when.to_owned()))
        })
    }
}

fn call_at<'py>(
    slf: &Bound<'py, Scheduler>,
    arguments: Arguments<'_, 'py>,
    name: &str,
    what: &str,
    when: impl FnOnce(Borrowed<'_, 'py, PyAny>) -> PyResult<(f64, Bound<'py, PyAny>)>,
) -> PyResult<Py<PyAny>> {
    let py = slf.py();
    let this = slf.get();
    if arguments.count() < 2 {
        return Err(missing(name, &format!("{what} and a callback")));
    }
    if arguments.at(0).is_none() {
        let fault = if what == "when" { "when cannot be None" } else { "delay must not be None" };
        return Err(PyTypeError::new_err(fault));
    }
    this.check_open()?;
    let (when, said) = when(arguments.at(0))?;
    let callback = arguments.at(1).to_owned();
    let args = arguments.tuple_from(2)?;
    let handle = if this.debug() {
        let context = arguments.named("context")?;
        slf.call_method1(intern!(py, "_debug_timer"), (name, said, callback, args, context))?
    } else {
        let context = context_of(py, &arguments)?;
        handles::timer(slf.as_any(), said, callback, args, context)?
    };
    match this.core()?.hold() {
        Ok(held) => this.add_timer(&held, when, handle.clone()),
        // asyncio's loop lets threads in where it is not in debug mode, and Jupyter's kernel does.
        Err(pyuv::Error::WrongThread) => {
            let put = slf.getattr(intern!(py, "_add_timer"))?;
            slf.call_method1(intern!(py, "call_soon_threadsafe"), (put, when, &handle))?;
        }
        Err(error) => return Err(to_py::<UVError>(error)),
    }
    Ok(handle.unbind())
}

struct GetDebug;

impl RawMethod for GetDebug {
    const NAME: &'static CStr = c"get_debug";

    #[inline]
    fn call<'py>(slf: &Bound<'py, PyAny>, _arguments: Arguments<'_, 'py>) -> PyResult<Py<PyAny>> {
        // SAFETY: it is put on this class.
        let this = unsafe { scheduler(slf) }.get();
        Ok(PyBool::new(slf.py(), this.debug()).to_owned().into_any().unbind())
    }
}

struct Time;

impl RawMethod for Time {
    const NAME: &'static CStr = c"time";

    #[inline]
    fn call<'py>(slf: &Bound<'py, PyAny>, _arguments: Arguments<'_, 'py>) -> PyResult<Py<PyAny>> {
        Ok(PyFloat::new(slf.py(), run::clock()).into_any().unbind())
    }
}
