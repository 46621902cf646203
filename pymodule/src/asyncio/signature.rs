//! How CPython's own tasks and futures call `loop.call_soon`.
//!
//! `_asyncio` calls `loop.call_soon(callback[, future], context=context)` by vectorcall, always with the
//! same tuple of names, and drops what comes back. Who calls with that very tuple needs no handle.

use std::ffi::CStr;
use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::once::Once;
use crate::raw_method::{self, Arguments, RawMethod};

static NAMES: Once<Py<PyTuple>> = Once::new();

/// Whether these are the names that `_asyncio` has for `context=`.
#[inline]
pub fn is_of_asyncio(names: *mut ffi::PyObject) -> bool {
    match NAMES.get() {
        Some(known) => ptr::eq(known.as_ptr(), names),
        None => false,
    }
}

/// What a future takes for its loop, to be called by it once.
#[pyclass(frozen, module = "pyuv._pyuv.asyncio")]
struct Probe;

#[pymethods]
impl Probe {
    fn get_debug(&self) -> bool {
        false
    }
}

struct CallSoon;

impl RawMethod for CallSoon {
    const NAME: &'static CStr = c"call_soon";

    fn call<'py>(slf: &Bound<'py, PyAny>, arguments: Arguments<'_, 'py>) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        if arguments.named("context")?.is_some() {
            // SAFETY: these are the names of the call, a tuple.
            let names = unsafe { Bound::from_borrowed_ptr(py, arguments.names()) };
            let _ = NAMES.set(names.cast_into::<PyTuple>()?.unbind());
        }
        Ok(py.None())
    }
}

/// Has a future call a loop. Where it does so in another way, handles are made for all.
pub fn learn(py: Python<'_>) -> PyResult<()> {
    if NAMES.get().is_some() {
        return Ok(());
    }
    raw_method::install::<CallSoon>(&py.get_type::<Probe>(), "($self, callback, *args)", "")?;
    let future = py.import("asyncio")?.getattr("Future")?;
    let keywords = pyo3::types::PyDict::new(py);
    keywords.set_item("loop", Bound::new(py, Probe)?)?;
    let future = future.call((), Some(&keywords))?;
    future.call_method1("set_result", (py.None(),))?;
    future.call_method1("add_done_callback", (py.get_type::<Probe>(),)).map(drop)
}
