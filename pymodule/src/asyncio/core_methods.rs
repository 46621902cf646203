//! Raw methods of a class of Python's that look for what it has in Rust first.

/// `core_methods! { SLOT: Core; Name c"name" (count) "signature" "documentation": |core, arguments| body; ... }`
///
/// Each becomes a [`RawMethod`](crate::raw_method::RawMethod) with so many arguments; `SLOT` is where an
/// instance has its `Core`. `install(class)` puts them all on the class.
macro_rules! core_methods {
    ($slot:ident: $of:ty; $($type:ident $name:literal ($count:literal) $signature:literal $doc:literal:
        |$core:ident, $arguments:ident| $body:expr;)*) => {
        $(
            struct $type;

            impl $crate::raw_method::RawMethod for $type {
                const NAME: &'static std::ffi::CStr = $name;

                #[inline]
                fn call<'py>(
                    slf: &Bound<'py, PyAny>,
                    $arguments: $crate::raw_method::Arguments<'_, 'py>,
                ) -> PyResult<Py<PyAny>> {
                    $arguments.expect($count)?;
                    // SAFETY: it is put on that class alone.
                    let $core: &Bound<'_, $of> = &unsafe { $slot.get(slf)? };
                    $body
                }
            }
        )*

        /// Puts them on the class.
        pub fn install(class: &Bound<'_, pyo3::types::PyType>) -> PyResult<()> {
            $($crate::raw_method::install::<$type>(class, $signature, $doc)?;)*
            Ok(())
        }
    };
}

pub(crate) use core_methods;

use pyo3::prelude::*;
use pyo3::types::PyBool;

pub fn none<T>(core: &Bound<'_, T>) -> PyResult<Py<PyAny>> {
    Ok(core.py().None())
}

pub fn truth<T>(core: &Bound<'_, T>, truth: bool) -> PyResult<Py<PyAny>> {
    Ok(PyBool::new(core.py(), truth).to_owned().into_any().unbind())
}

pub fn number<T>(core: &Bound<'_, T>, number: usize) -> PyResult<Py<PyAny>> {
    Ok(number.into_pyobject(core.py())?.into_any().unbind())
}
