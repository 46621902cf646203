//! `asyncio.Handle` and `asyncio.TimerHandle`, made and looked into without a line of Python.
//!
//! Both are classes of Python's with slots. What is made here are instances of [subclasses](use_handles) of
//! those very classes: whatever asks them gets asyncio's answers.

use std::ffi::CStr;

use pyo3::exceptions::PyImportError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyTuple, PyType};

use super::context;
use super::handle_class::{HandleClass, Kind};
use super::scheduler::Scheduler;
use super::slots::Slot;
use crate::once::{Once, intern};
use crate::raw_method::{self, Arguments, RawMethod};

pub use super::handle_class::track;

/// Where the slots are.
struct Layout {
    handle: HandleClass,
    timer: HandleClass,
    callback: Slot,
    args: Slot,
    cancelled: Slot,
    event_loop: Slot,
    source_traceback: Slot,
    repr: Slot,
    context: Slot,
    when: Slot,
    scheduled: Slot,
    /// `_ThreadSafeHandle`'s, which Python 3.14 and later have.
    threadsafe: Option<Threadsafe>,
}

struct Threadsafe {
    class: HandleClass,
    lock: Slot,
    /// Makes a lock.
    rlock: Py<PyAny>,
}

static LAYOUT: Once<Layout> = Once::new();

struct OfLoop;

impl Kind for OfLoop {
    fn class() -> Option<&'static HandleClass> {
        Some(&LAYOUT.get()?.handle)
    }
}

struct OfTimer;

impl Kind for OfTimer {
    fn class() -> Option<&'static HandleClass> {
        Some(&LAYOUT.get()?.timer)
    }
}

struct OfThreads;

impl Kind for OfThreads {
    fn class() -> Option<&'static HandleClass> {
        Some(&LAYOUT.get()?.threadsafe.as_ref()?.class)
    }
}

fn layout() -> PyResult<&'static Layout> {
    LAYOUT.get().ok_or_else(|| PyImportError::new_err("pyuv.asyncio was not imported"))
}

/// Has handles made as instances of these, which are subclasses of `asyncio.Handle`,
/// `asyncio.TimerHandle` and, where there is one, `_ThreadSafeHandle`, without slots of their own.
#[pyfunction]
#[pyo3(signature = (handle, timer, threadsafe))]
pub fn use_handles(
    handle: &Bound<'_, PyType>,
    timer: &Bound<'_, PyType>,
    threadsafe: Option<&Bound<'_, PyType>>,
) -> PyResult<()> {
    if LAYOUT.get().is_some() {
        return Err(PyImportError::new_err("pyuv.asyncio was imported before"));
    }
    let py = handle.py();
    let threadsafe = threadsafe.map(|class| {
        let rlock = py.import("threading")?.getattr("RLock")?.unbind();
        let lock = Slot::of(class, "_lock")?;
        PyResult::Ok(Threadsafe { class: HandleClass::new::<OfThreads>(class)?, lock, rlock })
    });
    let layout = Layout {
        callback: Slot::of(handle, "_callback")?,
        args: Slot::of(handle, "_args")?,
        cancelled: Slot::of(handle, "_cancelled")?,
        event_loop: Slot::of(handle, "_loop")?,
        source_traceback: Slot::of(handle, "_source_traceback")?,
        repr: Slot::of(handle, "_repr")?,
        context: Slot::of(handle, "_context")?,
        when: Slot::of(timer, "_when")?,
        scheduled: Slot::of(timer, "_scheduled")?,
        handle: HandleClass::new::<OfLoop>(handle)?,
        timer: HandleClass::new::<OfTimer>(timer)?,
        threadsafe: threadsafe.transpose()?,
    };
    raw_method::install::<Cancel>(handle, "($self)", CANCEL)?;
    raw_method::install::<CancelTimer>(timer, "($self)", CANCEL)?;
    // Nobody else was at it: the GIL is not let go of meanwhile.
    let _ = LAYOUT.set(layout);
    Ok(())
}

/// An object of `class` with the slots that all handles have. The collector does not [know](track) it.
#[inline]
fn make<'py>(
    layout: &Layout,
    class: &HandleClass,
    event_loop: &Bound<'py, PyAny>,
    callback: Bound<'py, PyAny>,
    args: Bound<'py, PyTuple>,
    context: Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let object = class.make(event_loop.py())?;
    // SAFETY: the slots are empty, and are filled with references that are theirs.
    unsafe {
        layout.callback.place(object.as_ptr()).write(callback.into_ptr());
        layout.args.place(object.as_ptr()).write(args.into_ptr());
        layout.cancelled.place(object.as_ptr()).write(ffi::Py_NewRef(ffi::Py_False()));
        layout.event_loop.place(object.as_ptr()).write(event_loop.clone().into_ptr());
        layout.source_traceback.place(object.as_ptr()).write(ffi::Py_NewRef(ffi::Py_None()));
        layout.repr.place(object.as_ptr()).write(ffi::Py_NewRef(ffi::Py_None()));
        layout.context.place(object.as_ptr()).write(context.into_ptr());
        Ok(object)
    }
}

/// A new `asyncio.Handle`, which the collector does not [know](track) yet.
pub fn handle<'py>(
    event_loop: &Bound<'py, PyAny>,
    callback: Bound<'py, PyAny>,
    args: Bound<'py, PyTuple>,
    context: Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let layout = layout()?;
    make(layout, &layout.handle, event_loop, callback, args, context)
}

/// One that knows where it was made.
pub fn in_debug<'py>(
    event_loop: &Bound<'py, PyAny>,
    callback: Bound<'py, PyAny>,
    args: Bound<'py, PyTuple>,
    context: Option<Borrowed<'_, 'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let class = layout()?.handle.class().bind(event_loop.py());
    class.call1((callback, args, event_loop, context))
}

/// A new handle of `call_soon_threadsafe`: from Python 3.14 on one with a lock, which is held while its
/// callback runs, so that whoever cancels it knows whether it did.
pub fn threadsafe<'py>(
    event_loop: &Bound<'py, PyAny>,
    callback: Bound<'py, PyAny>,
    args: Bound<'py, PyTuple>,
    context: Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let layout = layout()?;
    let Some(threadsafe) = &layout.threadsafe else {
        return handle(event_loop, callback, args, context);
    };
    let lock = threadsafe.rlock.bind(event_loop.py()).call0()?;
    let object = make(layout, &threadsafe.class, event_loop, callback, args, context)?;
    // SAFETY: the object is an instance of the class, and the slot is empty.
    unsafe { threadsafe.lock.place(object.as_ptr()).write(lock.into_ptr()) };
    Ok(object)
}

/// A new `asyncio.TimerHandle`, scheduled.
pub fn timer<'py>(
    event_loop: &Bound<'py, PyAny>,
    when: Bound<'py, PyAny>,
    callback: Bound<'py, PyAny>,
    args: Bound<'py, PyTuple>,
    context: Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let layout = layout()?;
    let object = make(layout, &layout.timer, event_loop, callback, args, context)?;
    // SAFETY: the object is an instance of the timers' class, and these are empty.
    unsafe {
        layout.when.place(object.as_ptr()).write(when.into_ptr());
        layout.scheduled.place(object.as_ptr()).write(ffi::Py_NewRef(ffi::Py_True()));
    }
    track(&object);
    Ok(object)
}

/// [`track`] for one that is in the queue no more, if somebody else than the caller has it.
pub fn track_if_kept(handle: &Bound<'_, PyAny>) {
    // SAFETY: it is an object.
    if unsafe { ffi::Py_REFCNT(handle.as_ptr()) } > 1 {
        track(handle);
    }
}

/// Whether an object is a handle, of asyncio's or one of ours.
pub fn is_handle(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    let class = &layout()?.handle;
    let base = || class.class().bind(object.py()).getattr(intern!(object.py(), "__base__"));
    Ok(class.is_of(object) || object.is_instance(&base()?)?)
}

/// Whether an object is a timer's handle, one of ours.
pub fn is_timer(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(layout()?.timer.is_of(object))
}

/// An `asyncio.Handle`.
pub struct Handle<'a, 'py>(&'a Bound<'py, PyAny>, &'static Layout);

impl<'a, 'py> Handle<'a, 'py> {
    /// # Safety
    /// `is_handle` has said so.
    #[inline]
    pub unsafe fn of(object: &'a Bound<'py, PyAny>) -> PyResult<Handle<'a, 'py>> {
        Ok(Handle(object, layout()?))
    }

    #[inline]
    pub fn is_cancelled(&self) -> bool {
        // SAFETY: it is a handle.
        let cancelled = unsafe { *self.1.cancelled.place(self.0.as_ptr()) };
        // SAFETY: the singleton lives for ever.
        !std::ptr::eq(cancelled, unsafe { ffi::Py_False() })
    }

    /// Notes that a timer is in the heap no more.
    pub fn unschedule(&self) {
        let no = PyBool::new(self.0.py(), false).to_owned().into_any();
        // SAFETY: timers alone are in the heap.
        drop(unsafe { self.1.scheduled.replace(self.0, no) });
    }

    /// Calls the callback in its context.
    #[inline]
    pub fn run(&self) -> PyResult<()> {
        if let Some(threadsafe) = &self.1.threadsafe
            && threadsafe.class.is_of(self.0)
        {
            return self.run_locked(threadsafe);
        }
        self.call()
    }

    fn run_locked(&self, threadsafe: &Threadsafe) -> PyResult<()> {
        let py = self.0.py();
        // SAFETY: it is an instance of the class.
        let Some(lock) = (unsafe { threadsafe.lock.get(self.0) }) else { return Ok(()) };
        lock.call_method0(intern!(py, "acquire"))?;
        // It may have been cancelled before.
        let outcome = if self.is_cancelled() { Ok(()) } else { self.call() };
        lock.call_method0(intern!(py, "release"))?;
        outcome
    }

    /// What is to be called, out of a handle that nobody else has: it may be let go before the call.
    #[inline]
    pub fn take(&self) -> Option<Parts<'py>> {
        let Handle(handle, layout) = *self;
        // SAFETY: it is of this very class: that is asked first.
        if !layout.handle.is_of(handle) || !unsafe { layout.handle.is_ones_own(handle) } {
            return None;
        }
        let (callback, args, context) = self.slots()?;
        Some(Parts { callback, args: args.cast_into_exact().ok()?, context })
    }

    #[inline]
    fn call(&self) -> PyResult<()> {
        let Some((callback, args, context)) = self.slots() else { return Ok(()) };
        let Ok(args) = args.cast_exact::<PyTuple>() else {
            // As a handle of the user's may have them.
            let args = args.try_iter()?.collect::<PyResult<Vec<_>>>()?;
            let args = PyTuple::new(callback.py(), args)?;
            return context::call_tuple(&context, &callback, &args);
        };
        context::call_tuple(&context, &callback, args)
    }

    /// Callback, arguments and context; nothing where the collector has emptied it.
    #[inline]
    fn slots(&self) -> Option<(Bound<'py, PyAny>, Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        let Handle(handle, layout) = *self;
        // SAFETY: it is a handle.
        unsafe {
            Some((
                layout.callback.get(handle)?,
                layout.args.get(handle)?,
                layout.context.get(handle)?,
            ))
        }
    }
}

/// What a handle calls.
pub struct Parts<'py> {
    pub callback: Bound<'py, PyAny>,
    pub args: Bound<'py, PyTuple>,
    pub context: Bound<'py, PyAny>,
}

impl Parts<'_> {
    #[inline]
    pub fn call(&self) -> PyResult<()> {
        context::call_tuple(&self.context, &self.callback, &self.args)
    }
}

const CANCEL: &str = "Cancels the callback, unless it has run.";

struct Cancel;

impl RawMethod for Cancel {
    const NAME: &'static CStr = c"cancel";

    fn call<'py>(slf: &Bound<'py, PyAny>, arguments: Arguments<'_, 'py>) -> PyResult<Py<PyAny>> {
        arguments.expect(0)?;
        cancel(slf)?;
        Ok(slf.py().None())
    }
}

struct CancelTimer;

impl RawMethod for CancelTimer {
    const NAME: &'static CStr = c"cancel";

    fn call<'py>(slf: &Bound<'py, PyAny>, arguments: Arguments<'_, 'py>) -> PyResult<Py<PyAny>> {
        arguments.expect(0)?;
        let layout = layout()?;
        // SAFETY: the descriptor is the timers' class's.
        let scheduled = unsafe { *layout.scheduled.place(slf.as_ptr()) };
        let event_loop = cancel(slf)?;
        // SAFETY: the singleton lives for ever.
        if std::ptr::eq(scheduled, unsafe { ffi::Py_True() })
            && let Some(event_loop) = event_loop
            && let Ok(event_loop) = event_loop.cast::<Scheduler>()
        {
            Scheduler::timer_cancelled(event_loop);
        }
        Ok(slf.py().None())
    }
}

/// `Handle.cancel`. Gives the handle's loop where it was not cancelled before.
fn cancel<'py>(slf: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = slf.py();
    // SAFETY: the descriptor is the class's.
    let handle = unsafe { Handle::of(slf)? };
    if handle.is_cancelled() {
        return Ok(None);
    }
    let layout = handle.1;
    // SAFETY: as above.
    unsafe {
        let event_loop = layout.event_loop.get(slf);
        if let Some(event_loop) = &event_loop
            && let Ok(event_loop) = event_loop.cast::<Scheduler>()
            && event_loop.get().debug()
        {
            // While the callback is there to be named.
            let repr = slf.repr()?.into_any();
            drop(layout.repr.replace(slf, repr));
        }
        drop(layout.cancelled.replace(slf, PyBool::new(py, true).to_owned().into_any()));
        let callback = layout.callback.replace(slf, py.None().into_bound(py));
        let args = layout.args.replace(slf, py.None().into_bound(py));
        // They may have anything run.
        drop((callback, args));
        Ok(event_loop)
    }
}
