//! `pyuv.Signal`.

use pyo3::prelude::*;
use pyuv::Entered;

use crate::call::{call, callable};
use crate::error::{SignalError, in_call, to_py};
use crate::handle::{Handle, handle_class};
use crate::r#loop::Loop;

handle_class! {
    /// Calls its callback when the process gets a signal (`uv_signal_t`).
    ///
    /// When the last handle for a signal stops, what was set for it before, a handler of Python's
    /// `signal` module included, is back.
    Signal: "(loop)"
}

#[pymethods]
impl Signal {
    fn __init__(slf: &Bound<'_, Self>, r#loop: &Bound<'_, Loop>) -> PyResult<()> {
        Handle::init(slf.as_super(), r#loop, |core| {
            pyuv::Signal::new(core).map_err(in_call::<SignalError>("Signal"))
        })
    }

    /// Has `callback(signal_handle, signum)` called for each signal (`uv_signal_start`).
    /// Raises SignalError with UV_EINVAL for a number that is no signal, or one that cannot
    /// be caught.
    fn start(slf: &Bound<'_, Self>, callback: Bound<'_, PyAny>, signum: i32) -> PyResult<()> {
        let callback = callable(callback)?;
        let base = slf.as_super();
        let held = Handle::hold(base)?;
        let signal = base.get().core_as::<pyuv::Signal>()?;
        let outcome = signal.start(signum, on_signal);
        Signal::after_start(base, held, callback, outcome)
    }

    /// Has `callback(signal_handle, signum)` called for the next signal only
    /// (`uv_signal_start_oneshot`).
    fn start_oneshot(
        slf: &Bound<'_, Self>,
        callback: Bound<'_, PyAny>,
        signum: i32,
    ) -> PyResult<()> {
        let callback = callable(callback)?;
        let base = slf.as_super();
        let held = Handle::hold(base)?;
        let signal = base.get().core_as::<pyuv::Signal>()?;
        let outcome = signal.start_oneshot(signum, on_signal);
        Signal::after_start(base, held, callback, outcome)
    }

    /// Catches it no more (`uv_signal_stop`).
    fn stop(slf: &Bound<'_, Self>) -> PyResult<()> {
        let base = slf.as_super();
        let held = Handle::hold(base)?;
        base.get().core_as::<pyuv::Signal>()?.stop().map_err(in_call::<SignalError>("stop"))?;
        Handle::stopped(base, held);
        Ok(())
    }

    /// The signal that the handle is started for, or None.
    #[getter]
    fn signum(slf: &Bound<'_, Self>) -> PyResult<Option<i32>> {
        slf.as_super()
            .get()
            .core_as::<pyuv::Signal>()?
            .signum()
            .map_err(in_call::<SignalError>("signum"))
    }
}

impl Signal {
    /// Has the loop keep the handle, or let it go if libuv stopped it and then refused.
    fn after_start(
        base: &Bound<'_, Handle>,
        held: Entered<'_>,
        callback: Bound<'_, PyAny>,
        outcome: pyuv::Result<()>,
    ) -> PyResult<()> {
        match outcome {
            Ok(()) => Handle::started(base, held, callback),
            Err(error) => {
                if !base.get().active()? {
                    Handle::stopped(base, held);
                }
                return Err(to_py::<SignalError>(error));
            }
        }
        Ok(())
    }
}

fn on_signal(signal: &pyuv::Signal, signum: i32) {
    Handle::dispatch(signal, "signal", |slf, callback| {
        let Ok(number) = signum.into_pyobject(slf.py());
        let outcome = call(&callback, [slf.as_any(), number.as_any()]);
        // A oneshot has stopped by itself.
        if signal.is_active() == Ok(false) && !signal.is_closing() {
            Handle::stopped_by_itself(slf);
        }
        outcome
    });
}
