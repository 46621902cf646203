//! `pyuv.Async`.

use pyo3::prelude::*;

use crate::call::optional_callable;
use crate::error::{AsyncError, in_call};
use crate::handle::{Handle, handle_class};
use crate::r#loop::Loop;

handle_class! {
    /// Calls its callback on the loop's thread, whichever thread asked (`uv_async_t`).
    ///
    /// It is active from the start and keeps the loop running until it is closed, unless its
    /// `ref` is False.
    Async: "(loop, callback=None)"
}

#[pymethods]
impl Async {
    #[pyo3(signature = (r#loop, callback=None))]
    fn __init__(
        slf: &Bound<'_, Self>,
        r#loop: &Bound<'_, Loop>,
        callback: Option<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let callback = optional_callable(callback)?;
        let base = slf.as_super();
        let held = r#loop.get().hold()?;
        Handle::init(base, r#loop, |core| {
            pyuv::Async::new(core, |core| Handle::dispatch_plain(core))
                .map_err(in_call::<AsyncError>("Async"))
        })?;
        match callback {
            Some(callback) => Handle::started(base, held, callback),
            None => Handle::keep(base, &held),
        }
        Ok(())
    }

    /// Has the callback called soon, on the loop's thread (`uv_async_send`). Several sends
    /// before that make one call. May be called from any thread.
    fn send(slf: &Bound<'_, Self>) -> PyResult<()> {
        slf.as_super().get().core_as::<pyuv::Async>()?.send().map_err(in_call::<AsyncError>("send"))
    }
}
