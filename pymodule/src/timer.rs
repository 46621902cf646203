//! `pyuv.Timer`.

use pyo3::exceptions::PyRuntimeWarning;
use pyo3::prelude::*;

use crate::call::{call, callable};
use crate::error::{TimerError, in_call};
use crate::handle::{Handle, handle_class};
use crate::r#loop::Loop;
use crate::seconds::duration;

/// libuv's clock counts milliseconds.
const TICK: f64 = 0.001;

handle_class! {
    /// Calls its callback after a time, once or again and again (`uv_timer_t`).
    Timer: "(loop)"
}

#[pymethods]
impl Timer {
    fn __init__(slf: &Bound<'_, Self>, r#loop: &Bound<'_, Loop>) -> PyResult<()> {
        Handle::init(slf.as_super(), r#loop, |core| {
            pyuv::Timer::new(core).map_err(in_call::<TimerError>("Timer"))
        })
    }

    /// Has `callback(timer_handle)` called after `timeout` seconds, then every `repeat`
    /// seconds unless that is 0 (`uv_timer_start`).
    ///
    /// Times are rounded to milliseconds. One between 0 and 1 ms is taken as 1 ms, with a
    /// RuntimeWarning. A negative one is a ValueError.
    #[pyo3(signature = (callback, timeout, repeat=0.0))]
    fn start(
        slf: &Bound<'_, Self>,
        callback: Bound<'_, PyAny>,
        timeout: f64,
        repeat: f64,
    ) -> PyResult<()> {
        let callback = callable(callback)?;
        let (after, every) = (duration("timeout", timeout)?, duration("repeat", repeat)?);
        for (name, seconds) in [("timeout", timeout), ("repeat", repeat)] {
            if seconds > 0.0 && seconds < TICK {
                let message =
                    std::ffi::CString::new(format!("{name}={seconds} is taken as 0.001"))?;
                let category = slf.py().get_type::<PyRuntimeWarning>();
                PyErr::warn(slf.py(), &category, &message, 1)?;
            }
        }
        let base = slf.as_super();
        let held = Handle::hold(base)?;
        base.get().core_as::<pyuv::Timer>()?.start(after, every, on_timer).map_err(in_call::<
            TimerError,
        >(
            "start"
        ))?;
        Handle::started(base, held, callback);
        Ok(())
    }

    /// Calls it no more (`uv_timer_stop`).
    fn stop(slf: &Bound<'_, Self>) -> PyResult<()> {
        let base = slf.as_super();
        let held = Handle::hold(base)?;
        base.get().core_as::<pyuv::Timer>()?.stop().map_err(in_call::<TimerError>("stop"))?;
        Handle::stopped(base, held);
        Ok(())
    }

    /// Starts anew with `repeat` as the timeout; stops if that is 0 (`uv_timer_again`).
    /// Raises TimerError with UV_EINVAL on a timer that was never started.
    fn again(slf: &Bound<'_, Self>) -> PyResult<()> {
        let base = slf.as_super();
        let held = Handle::hold(base)?;
        let timer = base.get().core_as::<pyuv::Timer>()?;
        timer.again().map_err(in_call::<TimerError>("again"))?;
        if timer.is_active().map_err(in_call::<TimerError>("again"))? {
            Handle::keep(base, &held);
        } else {
            Handle::stopped(base, held);
        }
        Ok(())
    }

    /// Seconds between calls; 0.0 for a timer that goes off once (`uv_timer_get_repeat`).
    #[getter]
    fn repeat(slf: &Bound<'_, Self>) -> PyResult<f64> {
        let timer = slf.as_super().get().core_as::<pyuv::Timer>()?;
        Ok(timer.repeat().map_err(in_call::<TimerError>("repeat"))?.as_secs_f64())
    }

    #[setter]
    fn set_repeat(slf: &Bound<'_, Self>, seconds: f64) -> PyResult<()> {
        let repeat = duration("repeat", seconds)?;
        let timer = slf.as_super().get().core_as::<pyuv::Timer>()?;
        timer.set_repeat(repeat).map_err(in_call::<TimerError>("set_repeat"))
    }

    /// Seconds until the next call; 0.0 if it is overdue or the timer inactive
    /// (`uv_timer_get_due_in`).
    #[getter]
    fn due_in(slf: &Bound<'_, Self>) -> PyResult<f64> {
        let timer = slf.as_super().get().core_as::<pyuv::Timer>()?;
        Ok(timer.due_in().map_err(in_call::<TimerError>("due_in"))?.as_secs_f64())
    }
}

fn on_timer(timer: &pyuv::Timer) {
    Handle::dispatch(timer, "timeout", |slf, callback| {
        let outcome = call(&callback, [slf.as_any()]);
        // One that does not repeat has stopped by itself.
        if matches!(timer.is_active(), Ok(false)) && !timer.is_closing() {
            Handle::stopped_by_itself(slf);
        }
        outcome
    });
}
