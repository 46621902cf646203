//! The shape that Idle, Prepare and Check share.

/// Writes a class with `__init__(loop)`, `start(callback)` and `stop()`.
macro_rules! watcher_class {
    ($(#[$doc:meta])* $name:ident, $error:ident, $start:literal, $stop:literal) => {
        $crate::handle::handle_class! {
            $(#[$doc])*
            $name: "(loop)"
        }

        #[pyo3::pymethods]
        impl $name {
            fn __init__(
                slf: &pyo3::Bound<'_, Self>,
                r#loop: &pyo3::Bound<'_, $crate::r#loop::Loop>,
            ) -> pyo3::PyResult<()> {
                $crate::handle::Handle::init(slf.as_super(), r#loop, |core| {
                    pyuv::$name::new(core).map_err($crate::error::in_call::<$crate::error::$error>(stringify!($name)))
                })
            }

            #[doc = $start]
            fn start(
                slf: &pyo3::Bound<'_, Self>,
                callback: pyo3::Bound<'_, pyo3::PyAny>,
            ) -> pyo3::PyResult<()> {
                let callback = $crate::call::callable(callback)?;
                let base = slf.as_super();
                let held = $crate::handle::Handle::hold(base)?;
                base.get()
                    .core_as::<pyuv::$name>()?
                    .start(|core| $crate::handle::Handle::dispatch_plain(core))
                    .map_err($crate::error::in_call::<$crate::error::$error>("start"))?;
                $crate::handle::Handle::started(base, held, callback);
                Ok(())
            }

            #[doc = $stop]
            fn stop(slf: &pyo3::Bound<'_, Self>) -> pyo3::PyResult<()> {
                let base = slf.as_super();
                let held = $crate::handle::Handle::hold(base)?;
                base.get()
                    .core_as::<pyuv::$name>()?
                    .stop()
                    .map_err($crate::error::in_call::<$crate::error::$error>("stop"))?;
                $crate::handle::Handle::stopped(base, held);
                Ok(())
            }
        }
    };
}
pub(crate) use watcher_class;
