//! `pyuv.TTY`.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyType;
use pyuv::{TTYMode, VTermState};

use crate::error::{TTYError, in_call};
use crate::handle::Handle;
use crate::r#loop::Loop;
use crate::poll::descriptor;
use crate::stream::stream_class;
use crate::util::argument::Int;

const NORMAL: u32 = libuv_sys2::uv_tty_mode_t_UV_TTY_MODE_NORMAL as _;
const RAW: u32 = libuv_sys2::uv_tty_mode_t_UV_TTY_MODE_RAW as _;
const IO: u32 = libuv_sys2::uv_tty_mode_t_UV_TTY_MODE_IO as _;
const RAW_VT: u32 = libuv_sys2::uv_tty_mode_t_UV_TTY_MODE_RAW_VT as _;
const SUPPORTED: u32 = libuv_sys2::uv_tty_vtermstate_t_UV_TTY_SUPPORTED as _;
const UNSUPPORTED: u32 = libuv_sys2::uv_tty_vtermstate_t_UV_TTY_UNSUPPORTED as _;

stream_class! {
    /// A terminal (`uv_tty_t`).
    TTY: "(loop, fd, readable=True)"
}

impl TTY {
    fn with<T>(
        slf: &Bound<'_, Self>,
        call: &'static str,
        f: impl FnOnce(&pyuv::TTY) -> pyuv::Result<T>,
    ) -> PyResult<T> {
        let handle: &Bound<'_, Handle> = slf.as_super().as_super();
        f(handle.get().core_as()?).map_err(in_call::<TTYError>(call))
    }
}

#[pymethods]
impl TTY {
    /// `fd` is a number or an object with `fileno()`. It stays its owner's: the handle opens the
    /// terminal anew or, for the master side of a pseudo terminal, which cannot be, has a
    /// duplicate of it. `readable` has no effect any more; what can be done follows from how the
    /// fd is open.
    ///
    /// Raises TTYError with UV_EBADF for what is not open, UV_EINVAL for a file or another device.
    #[pyo3(signature = (r#loop, fd, readable=true))]
    fn __init__(
        slf: &Bound<'_, Self>,
        r#loop: &Bound<'_, Loop>,
        fd: &Bound<'_, PyAny>,
        readable: bool,
    ) -> PyResult<()> {
        let _ = readable;
        let fd = descriptor(fd)?;
        Handle::init(slf.as_super().as_super(), r#loop, |core| {
            pyuv::TTY::new(core, fd).map_err(in_call::<TTYError>("TTY"))
        })
    }

    /// Has the terminal do with the bytes what `mode` says (`uv_tty_set_mode`): UV_TTY_MODE_NORMAL,
    /// as it was before; UV_TTY_MODE_RAW or UV_TTY_MODE_RAW_VT, every byte at once and none echoed;
    /// UV_TTY_MODE_IO, nothing changed in either direction.
    ///
    /// Raises ValueError for another number, TTYError with UV_ENOTTY for what is no terminal.
    fn set_mode(slf: &Bound<'_, Self>, mode: Int<u32>) -> PyResult<()> {
        let mode = match mode.0 {
            NORMAL => TTYMode::Normal,
            RAW => TTYMode::Raw,
            IO => TTYMode::Io,
            RAW_VT => TTYMode::RawVt,
            other => return Err(PyValueError::new_err(format!("no such mode: {other}"))),
        };
        TTY::with(slf, "set_mode", |core| core.set_mode(mode))
    }

    /// Columns and rows (`uv_tty_get_winsize`). Raises TTYError with UV_ENOTTY for what is no
    /// terminal.
    fn get_winsize(slf: &Bound<'_, Self>) -> PyResult<(i32, i32)> {
        TTY::with(slf, "get_winsize", pyuv::TTY::winsize)
    }

    /// Brings back the mode of the terminal whose mode was changed first, for when the process
    /// ends (`uv_tty_reset_mode`). Raises TTYError with UV_EBUSY while another thread changes it.
    #[classmethod]
    fn reset_mode(_cls: &Bound<'_, PyType>) -> PyResult<()> {
        pyuv::TTY::reset_mode().map_err(in_call::<TTYError>("reset_mode"))
    }

    /// Says whether the console understands escape sequences, UV_TTY_SUPPORTED or
    /// UV_TTY_UNSUPPORTED, on Windows; nothing elsewhere (`uv_tty_set_vterm_state`).
    #[classmethod]
    fn set_vterm_state(_cls: &Bound<'_, PyType>, state: Int<u32>) -> PyResult<()> {
        pyuv::TTY::set_vterm_state(match state.0 {
            SUPPORTED => VTermState::Supported,
            UNSUPPORTED => VTermState::Unsupported,
            other => return Err(PyValueError::new_err(format!("no such state: {other}"))),
        });
        Ok(())
    }

    /// Whether the console understands escape sequences (`uv_tty_get_vterm_state`). Raises TTYError
    /// with UV_ENOTSUP on other systems than Windows.
    #[classmethod]
    fn get_vterm_state(_cls: &Bound<'_, PyType>) -> PyResult<u32> {
        match pyuv::TTY::vterm_state().map_err(in_call::<TTYError>("get_vterm_state"))? {
            VTermState::Supported => Ok(SUPPORTED),
            VTermState::Unsupported => Ok(UNSUPPORTED),
        }
    }
}
