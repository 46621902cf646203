//! `pyuv.Handle`: what all handle classes share.

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};
use pyo3::types::PyTuple;

use pyuv::{Entered, HandleKind, Held};

use crate::call::{call, optional_callable};
use crate::error::{HandleError, in_call, to_py};
use crate::life::active::ActiveKey;
use crate::life::back;
use crate::life::slot::PySlot;
use crate::r#loop::Loop;
use crate::once::{Once, intern};

/// What every handle is (`uv_handle_t`); not for making instances of.
///
/// An active handle is kept alive by its loop. One that loses its last reference while it is
/// inactive is closed. It may be given any attributes.
#[pyclass(module = "pyuv", subclass, weakref, frozen)]
#[cfg_attr(not(PyPy), pyo3(dict))]
#[derive(Default)]
pub struct Handle {
    core: Once<pyuv::Handle>,
    event_loop: PySlot,
    callback: PySlot,
    on_close: PySlot,
    key: ActiveKey,
}

impl Drop for Handle {
    fn drop(&mut self) {
        if let Some(core) = self.core.take() {
            back::unbind(&core);
            core.discard();
        }
    }
}

impl Handle {
    /// Sets up a new object: makes the core handle and binds the two to each other.
    pub fn init<H: Into<pyuv::Handle>>(
        slf: &Bound<'_, Handle>,
        event_loop: &Bound<'_, Loop>,
        make: impl FnOnce(&pyuv::Loop) -> PyResult<H>,
    ) -> PyResult<()> {
        let this = slf.get();
        let twice = || PyRuntimeError::new_err("__init__ was called a second time");
        if this.core.get().is_some() {
            return Err(twice());
        }
        let handle = make(event_loop.get().core()?)?.into();
        if !Handle::bind(slf, handle) {
            return Err(twice());
        }
        this.event_loop.set(Some(event_loop.clone().into_any()));
        Ok(())
    }

    /// What a new object for a handle of this loop begins as.
    pub fn on(event_loop: &Bound<'_, Loop>) -> Handle {
        let base = Handle::default();
        base.event_loop.set(Some(event_loop.clone().into_any()));
        base
    }

    /// Binds an object and a core handle to each other, unless the object has another.
    pub fn bind(slf: &Bound<'_, Handle>, core: pyuv::Handle) -> bool {
        let bound = slf.get().core.set(core).is_ok();
        if bound && let Some(core) = slf.get().core.get() {
            back::bind(core, slf);
        }
        bound
    }

    /// The core handle; RuntimeError where a subclass did not call `__init__`.
    #[inline]
    pub fn core(&self) -> PyResult<&pyuv::Handle> {
        self.core.get().ok_or_else(|| PyRuntimeError::new_err("__init__ was not called"))
    }

    /// The core handle as what it is.
    #[inline]
    pub fn core_as<K: HandleKind>(&self) -> PyResult<&K> {
        self.core()?
            .downcast_ref::<K>()
            .ok_or_else(|| PyRuntimeError::new_err("the handle is of another type"))
    }

    /// The Python loop, unless the collector has taken it away.
    pub fn event_loop<'py>(&self, py: Python<'py>) -> Option<Bound<'py, Loop>> {
        let event_loop = self.event_loop.get(py)?;
        // SAFETY: the slot is set from a Bound<Loop> alone.
        Some(unsafe { event_loop.cast_into_unchecked::<Loop>() })
    }

    /// Makes the loop this thread's own, for a method that changes the handle here and in the core.
    /// Whether the handle is open, the core says.
    pub fn hold<'a>(slf: &'a Bound<'_, Handle>) -> PyResult<Entered<'a>> {
        slf.get().core()?.hold_even_closed().map_err(to_py::<HandleError>)
    }

    /// Has the loop keep a handle that was started, and sets its callback. The callback before it
    /// is let go last, when the loop was given back: that may run anything.
    pub fn started(slf: &Bound<'_, Handle>, held: Entered<'_>, callback: Bound<'_, PyAny>) {
        Handle::keep(slf, &held);
        let earlier = slf.get().callback.replace(slf.py(), Some(callback));
        drop(held);
        drop(earlier);
    }

    /// Has the loop keep the handle alive.
    pub fn keep(slf: &Bound<'_, Handle>, held: &Held) {
        if slf.get().key.is_kept(held) {
            return;
        }
        if let Some(event_loop) = slf.get().event_loop(slf.py()) {
            slf.get().key.keep(event_loop.get().active.get(held), slf.as_any());
        }
    }

    /// Whether a close callback is still to be called.
    pub fn awaits_close(&self) -> bool {
        !self.on_close.is_empty()
    }

    /// Has the loop let the handle go, after it stopped.
    pub fn stopped(slf: &Bound<'_, Handle>, held: Entered<'_>) {
        let this = slf.get();
        let event_loop = this.event_loop(slf.py());
        let kept = event_loop
            .as_ref()
            .and_then(|event_loop| this.key.release(event_loop.get().active.get(&held), slf.py()));
        drop(held);
        drop(kept);
    }

    /// [`stopped`](Handle::stopped), for callbacks: a handle that has stopped by itself.
    pub fn stopped_by_itself(slf: &Bound<'_, Handle>) {
        if let Ok(held) = Handle::hold(slf) {
            Handle::stopped(slf, held);
        }
    }

    /// Closes the handle by `close`, which is given what reports it.
    pub fn close_by(
        slf: &Bound<'_, Handle>,
        callback: Option<Bound<'_, PyAny>>,
        close: impl FnOnce(fn(&pyuv::Handle)) -> PyResult<()>,
    ) -> PyResult<()> {
        let callback = optional_callable(callback)?;
        let held = Handle::hold(slf)?;
        close(on_closed)?;
        let this = slf.get();
        Handle::keep(slf, &held);
        let earlier = this.on_close.replace(slf.py(), callback);
        drop(held);
        drop(earlier);
        this.callback.clear(slf.py());
        Ok(())
    }

    /// For callbacks of the core: finds the Python object of `core` and runs `f` with it and its
    /// callable. What `f` raises goes to the loop, as of the `event`.
    #[inline]
    pub fn dispatch(
        core: &pyuv::Handle,
        event: &'static str,
        f: impl FnOnce(&Bound<'_, Handle>, Bound<'_, PyAny>) -> PyResult<()>,
    ) {
        // SAFETY: the core runs callbacks attached (see `GilHooks`).
        let Some(slf) = &(unsafe { back::object_of(core) }) else { return };
        let Some(callback) = slf.get().callback.get(slf.py()) else { return };
        if let Err(error) = f(slf, callback) {
            Handle::handle_exception(slf, event, error);
        }
    }

    /// The common case of `dispatch`: `callback(handle)`.
    #[inline]
    pub fn dispatch_plain(core: &pyuv::Handle) {
        let event = match core.handle_type() {
            pyuv::HandleType::Async => "send",
            pyuv::HandleType::Idle => "idle",
            pyuv::HandleType::Prepare => "prepare",
            _ => "check",
        };
        Handle::dispatch(core, event, |slf, callback| call(&callback, [slf.as_any()]));
    }

    #[cold]
    pub fn handle_exception(slf: &Bound<'_, Handle>, event: &str, error: PyErr) {
        match slf.get().event_loop(slf.py()) {
            Some(event_loop) => {
                Loop::handle_exception(&event_loop, error, Some((slf.as_any(), event)));
            }
            None => error.write_unraisable(slf.py(), Some(slf.as_any())),
        }
    }
}

#[pymethods]
impl Handle {
    /// Whether the handle is doing something (`uv_is_active`).
    #[getter]
    pub fn active(&self) -> PyResult<bool> {
        self.core()?.is_active().map_err(in_call::<HandleError>("active"))
    }

    /// Whether the handle is closed or closing (`uv_is_closing`).
    #[getter]
    fn closed(&self) -> PyResult<bool> {
        Ok(self.core()?.is_closing())
    }

    /// The loop the handle is on.
    #[getter]
    #[pyo3(name = "loop")]
    pub fn get_loop<'py>(slf: &Bound<'py, Handle>) -> PyResult<Bound<'py, Loop>> {
        slf.get().core()?;
        slf.get()
            .event_loop(slf.py())
            .ok_or_else(|| PyRuntimeError::new_err("the loop was collected"))
    }

    /// Whether the handle keeps the loop running while it is active (`uv_has_ref`).
    #[getter]
    #[pyo3(name = "ref")]
    fn get_ref(&self) -> PyResult<bool> {
        self.core()?.has_ref().map_err(in_call::<HandleError>("get_ref"))
    }

    #[setter]
    #[pyo3(name = "ref")]
    fn set_ref(&self, on: bool) -> PyResult<()> {
        self.core()?.set_ref(on).map_err(in_call::<HandleError>("set_ref"))
    }

    /// Closes the handle (`uv_close`). `callback(handle)` is called in a later iteration.
    ///
    /// Of a handle that is closed it does nothing. With a callback, which would never be called, it
    /// raises HandleClosedError then.
    #[pyo3(signature = (callback=None))]
    pub fn close(slf: &Bound<'_, Handle>, callback: Option<Bound<'_, PyAny>>) -> PyResult<()> {
        let core = slf.get().core()?;
        if callback.is_none() && core.is_closing() {
            return Ok(());
        }
        Handle::close_by(slf, callback, |on_closed| {
            core.close(on_closed).map_err(in_call::<HandleError>("close"))
        })
    }

    fn __enter__<'a, 'py>(slf: &'a Bound<'py, Handle>) -> PyResult<&'a Bound<'py, Handle>> {
        slf.get().core()?;
        Ok(slf)
    }

    /// Closes the handle.
    #[pyo3(signature = (*_exception))]
    fn __exit__(slf: &Bound<'_, Handle>, _exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        // As a subclass has it.
        slf.call_method0(intern!(slf.py(), "close")).map(drop)
    }

    fn __repr__(slf: &Bound<'_, Handle>) -> PyResult<String> {
        let name = slf.get_type().qualname()?;
        let state = match slf.get().core.get() {
            None => "not initialised",
            Some(core) if core.is_closing() => "closed",
            Some(core) if core.is_active().unwrap_or(true) => "active",
            Some(_) => "inactive",
        };
        Ok(format!("<{name} {state} at {:p}>", slf.as_ptr()))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.event_loop.visit(&visit)?;
        self.callback.visit(&visit)?;
        self.on_close.visit(&visit)
    }

    fn __clear__(&self, py: Python<'_>) {
        self.event_loop.clear(py);
        self.callback.clear(py);
        self.on_close.clear(py);
    }
}

fn on_closed(core: &pyuv::Handle) {
    // SAFETY: as in `Handle::dispatch`.
    let Some(slf) = &(unsafe { back::object_of(core) }) else { return };
    Handle::stopped_by_itself(slf);
    if let Some(callback) = slf.get().on_close.take(slf.py())
        && let Err(error) = call(&callback, [slf.as_any()])
    {
        Handle::handle_exception(slf, "close", error);
    }
}

/// Writes a handle class without its methods: the struct, and a `__new__` that takes anything,
/// since `__init__` looks at it; `$signature` is what that one takes. It is a unit struct, or one
/// whose fields have defaults.
macro_rules! handle_class {
    ($(#[$doc:meta])* $name:ident: $signature:literal) => {
        $crate::handle::handle_class! { $(#[$doc])* $name: $signature in "pyuv" }
    };
    ($(#[$doc:meta])* $name:ident: $signature:literal in $module:literal) => {
        $(#[$doc])*
        #[allow(clippy::upper_case_acronyms)] // the name is Python's
        #[pyo3::pyclass(module = $module, extends = $crate::handle::Handle, subclass, frozen)]
        #[derive(Default)]
        pub struct $name;

        $crate::handle::handle_class! { @new $name, $name, $signature }
    };
    ($(#[$doc:meta])* $name:ident: $signature:literal in $module:literal {
        $($(#[$about:meta])* $field:ident: $type:ty,)*
    }) => {
        $(#[$doc])*
        #[pyo3::pyclass(module = $module, extends = $crate::handle::Handle, subclass, frozen)]
        #[derive(Default)]
        pub struct $name {
            $($(#[$about])* $field: $type,)*
        }

        impl $name {
            /// A new object for a core handle that has none.
            pub fn orphan(
                py: pyo3::Python<'_>,
                base: $crate::handle::Handle,
            ) -> pyo3::PyResult<pyo3::Bound<'_, pyo3::PyAny>> {
                let class = pyo3::PyClassInitializer::from(base).add_subclass($name::default());
                Ok(pyo3::Bound::new(py, class)?.into_any())
            }
        }

        $crate::handle::handle_class! { @new $name, $name::default(), $signature }
    };
    (@new $name:ident, $value:expr, $signature:literal) => {
        #[pyo3::pymethods]
        impl $name {
            #[new]
            #[pyo3(signature = (*_args, **_kwargs), text_signature = $signature)]
            fn new(
                _args: &pyo3::Bound<'_, pyo3::types::PyTuple>,
                _kwargs: Option<&pyo3::Bound<'_, pyo3::types::PyDict>>,
            ) -> pyo3::PyClassInitializer<$name> {
                pyo3::PyClassInitializer::from($crate::handle::Handle::default())
                    .add_subclass($value)
            }
        }
    };
}
pub(crate) use handle_class;
