//! `add_reader`, `add_writer` and what takes them back, as raw methods: for programs, and under names with a `_` for
//! asyncio's own code, which does not ask whether a transport has the descriptor.

use std::ffi::CStr;

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyInt, PyString, PyTuple};

use super::scheduler::Scheduler;
use super::watches::{Direction, Watches};
use super::{handles, methods};
use crate::error::to_os_error;
use crate::once::intern;
use crate::raw_method::{self, Arguments, RawMethod};

/// Puts them on the class.
pub fn install(py: Python<'_>) -> PyResult<()> {
    let class = py.get_type::<Scheduler>();
    let add = "($self, fd, callback, *args)";
    let add_with_context = "($self, fd, callback, *args, context=None)";
    let remove = "($self, fd)";
    raw_method::install::<AddReader>(
        &class,
        add,
        "Has `callback(*args)` called whenever the descriptor is readable.",
    )?;
    raw_method::install::<AddWriter>(
        &class,
        add,
        "Has `callback(*args)` called whenever the descriptor is writable.",
    )?;
    let remove_reader = "Ends what `add_reader` began. Returns whether there was a callback.";
    raw_method::install::<RemoveReader>(&class, remove, remove_reader)?;
    let remove_writer = "Ends what `add_writer` began. Returns whether there was a callback.";
    raw_method::install::<RemoveWriter>(&class, remove, remove_writer)?;
    let own = "For asyncio's own code.";
    raw_method::install::<AddReaderUnchecked>(&class, add_with_context, own)?;
    raw_method::install::<AddWriterUnchecked>(&class, add_with_context, own)?;
    raw_method::install::<RemoveReaderUnchecked>(&class, remove, own)?;
    raw_method::install::<RemoveWriterUnchecked>(&class, remove, own)
}

/// The number of what has one, or is one.
fn number(fd: &Bound<'_, PyAny>) -> PyResult<i32> {
    if fd.is_instance_of::<PyInt>() {
        return fd.extract();
    }
    fd.call_method0(intern!(fd.py(), "fileno"))?.extract()
}

/// Fails with RuntimeError if a transport has the descriptor.
fn check_transports(slf: &Bound<'_, Scheduler>, fd: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = slf.py();
    if fd.is_exact_instance_of::<PyInt>() {
        let held = slf.get().core()?.hold().map_err(to_os_error)?;
        let streams = &slf.get().state(&held).transports;
        // asyncio's own are in a WeakValueDictionary.
        let others = slf.getattr(intern!(py, "_transports"))?.getattr(intern!(py, "data"))?;
        if !streams.has(fd.extract()?) && !others.cast::<PyDict>()?.contains(fd)? {
            return Ok(());
        }
    }
    slf.call_method1(intern!(py, "_ensure_fd_no_transport"), (fd,)).map(drop)
}

/// Where another thread has the loop, that is to call `method` in its next turn: asyncio's loop lets threads
/// in, and Jupyter's kernel does. Says whether it is.
fn is_handed_over(
    slf: &Bound<'_, Scheduler>,
    method: &Bound<'_, PyString>,
    arguments: &Arguments<'_, '_>,
) -> PyResult<bool> {
    if !matches!(slf.get().core()?.hold(), Err(pyuv::Error::WrongThread)) {
        return Ok(false);
    }
    let py = slf.py();
    // By then an object may have another number, or none.
    let fd = number(&arguments.at(0))?.into_pyobject(py)?.into_any();
    let mut handed = vec![slf.getattr(method)?, fd];
    handed.extend(arguments.tuple_from(1)?.iter());
    slf.call_method1(intern!(py, "call_soon_threadsafe"), PyTuple::new(py, handed)?)?;
    Ok(true)
}

/// Gives the handle, or None where another thread makes it.
fn add<'py>(
    slf: &Bound<'py, PyAny>,
    arguments: &Arguments<'_, 'py>,
    direction: Direction,
    is_checked: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let py = slf.py();
    // SAFETY: it is put on this class.
    let slf = unsafe { methods::scheduler(slf) };
    if arguments.count() < 2 {
        return Err(methods::missing("add_reader and add_writer", "descriptor and a callback"));
    }
    slf.get().check_open()?;
    let fd = arguments.at(0);
    if is_checked {
        let method = match direction {
            Direction::Reading => intern!(py, "add_reader"),
            Direction::Writing => intern!(py, "add_writer"),
        };
        if is_handed_over(slf, method, arguments)? {
            return Ok(py.None().into_bound(py));
        }
        check_transports(slf, &fd)?;
    }
    let (callback, args) = (arguments.at(1).to_owned(), arguments.tuple_from(2)?);
    let handle = if slf.get().debug() {
        handles::in_debug(slf.as_any(), callback, args, arguments.named("context")?)?
    } else {
        let context = methods::context_of(py, arguments)?;
        let handle = handles::handle(slf.as_any(), callback, args, context)?;
        handles::track(&handle);
        handle
    };
    put(slf, &fd, direction, Some(handle.clone()))?;
    Ok(handle)
}

/// Says whether there was one; that there was, where another thread looks.
fn remove<'py>(
    slf: &Bound<'py, PyAny>,
    arguments: &Arguments<'_, 'py>,
    direction: Direction,
    is_checked: bool,
) -> PyResult<Py<PyAny>> {
    let py = slf.py();
    arguments.expect(1)?;
    // SAFETY: it is put on this class.
    let slf = unsafe { methods::scheduler(slf) };
    let fd = arguments.at(0);
    let is_open = slf.get().check_open().is_ok();
    if is_checked && is_open {
        let method = match direction {
            Direction::Reading => intern!(py, "remove_reader"),
            Direction::Writing => intern!(py, "remove_writer"),
        };
        if is_handed_over(slf, method, arguments)? {
            return Ok(PyBool::new(py, true).to_owned().into_any().unbind());
        }
        check_transports(slf, &fd)?;
    }
    let was_there = is_open && put(slf, &fd, direction, None)?;
    Ok(PyBool::new(py, was_there).to_owned().into_any().unbind())
}

/// Puts a handle, or none, in the place of what is there, which is cancelled. Says whether there was one.
fn put<'py>(
    slf: &Bound<'py, Scheduler>,
    fd: &Bound<'py, PyAny>,
    direction: Direction,
    handle: Option<Bound<'py, PyAny>>,
) -> PyResult<bool> {
    let before = Watches::set(slf, number(fd)?, direction, handle)?;
    if let Some(before) = &before {
        before.call_method0(intern!(slf.py(), "cancel"))?;
    }
    Ok(before.is_some())
}

/// The raw methods for one direction.
macro_rules! methods_of {
    ($direction:expr, $add:ident $add_name:literal, $remove:ident $remove_name:literal,
     $add_unchecked:ident $add_unchecked_name:literal,
     $remove_unchecked:ident $remove_unchecked_name:literal) => {
        methods_of!(@ $add, $add_name, |slf, arguments| {
            add(slf, arguments, $direction, true).map(|_| slf.py().None())
        });
        methods_of!(@ $remove, $remove_name, |slf, arguments| {
            remove(slf, arguments, $direction, true)
        });
        methods_of!(@ $add_unchecked, $add_unchecked_name, |slf, arguments| {
            add(slf, arguments, $direction, false).map(Bound::unbind)
        });
        methods_of!(@ $remove_unchecked, $remove_unchecked_name, |slf, arguments| {
            remove(slf, arguments, $direction, false)
        });
    };
    (@ $kind:ident, $name:literal, |$slf:ident, $arguments:ident| $body:block) => {
        struct $kind;

        impl RawMethod for $kind {
            const NAME: &'static CStr = $name;

            fn call<'py>(
                $slf: &Bound<'py, PyAny>,
                arguments: Arguments<'_, 'py>,
            ) -> PyResult<Py<PyAny>> {
                let $arguments = &arguments;
                $body
            }
        }
    };
}

methods_of!(
    Direction::Reading,
    AddReader c"add_reader",
    RemoveReader c"remove_reader",
    AddReaderUnchecked c"_add_reader",
    RemoveReaderUnchecked c"_remove_reader"
);
methods_of!(
    Direction::Writing,
    AddWriter c"add_writer",
    RemoveWriter c"remove_writer",
    AddWriterUnchecked c"_add_writer",
    RemoveWriterUnchecked c"_remove_writer"
);
