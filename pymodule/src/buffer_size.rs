//! `send_buffer_size` and `receive_buffer_size`, of sockets of whatever kind.

/// Gives a handle class the two properties.
macro_rules! buffer_size_methods {
    ($class:ident, $error:ident) => {
        #[pyo3::pymethods]
        impl $class {
            /// Bytes of the system's buffer for what goes out (`uv_send_buffer_size`). Linux says
            /// twice what was set.
            #[getter]
            fn send_buffer_size(slf: &pyo3::Bound<'_, Self>) -> pyo3::PyResult<i32> {
                let handle = slf.as_any().cast::<$crate::handle::Handle>()?;
                handle
                    .get()
                    .core()?
                    .send_buffer_size()
                    .map_err($crate::error::in_call::<$error>("send_buffer_size"))
            }

            #[setter]
            fn set_send_buffer_size(slf: &pyo3::Bound<'_, Self>, size: i32) -> pyo3::PyResult<()> {
                let handle = slf.as_any().cast::<$crate::handle::Handle>()?;
                handle.get().core()?.set_send_buffer_size(size).map_err($crate::error::in_call::<
                    $error,
                >(
                    "send_buffer_size"
                ))
            }

            /// Bytes of the system's buffer for what comes in (`uv_recv_buffer_size`).
            #[getter]
            fn receive_buffer_size(slf: &pyo3::Bound<'_, Self>) -> pyo3::PyResult<i32> {
                let handle = slf.as_any().cast::<$crate::handle::Handle>()?;
                handle
                    .get()
                    .core()?
                    .receive_buffer_size()
                    .map_err($crate::error::in_call::<$error>("receive_buffer_size"))
            }

            #[setter]
            fn set_receive_buffer_size(
                slf: &pyo3::Bound<'_, Self>,
                size: i32,
            ) -> pyo3::PyResult<()> {
                let handle = slf.as_any().cast::<$crate::handle::Handle>()?;
                handle
                    .get()
                    .core()?
                    .set_receive_buffer_size(size)
                    .map_err($crate::error::in_call::<$error>("receive_buffer_size"))
            }
        }
    };
}
pub(crate) use buffer_size_methods;
