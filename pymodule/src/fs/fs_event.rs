//! `pyuv.fs.FSEvent`.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyuv_fs::{FsChange, FsEvent, FsEventFlags};

use crate::call::{call, callable, error_argument};
use crate::error::{FSEventError, in_call, with_filename};
use crate::fs::path::{PathArgument, WatchedPath, name_to_py};
use crate::handle::{Handle, handle_class};
use crate::r#loop::Loop;

handle_class! {
    /// Calls its callback when something happens to a file, or in a folder (`uv_fs_event_t`).
    ///
    /// The file that a path leads to is watched, not the path: once it is removed, the handle
    /// stays active and nothing comes any more.
    FSEvent: "(loop)" in "pyuv.fs" {
        path: WatchedPath,
    }
}

#[pymethods]
impl FSEvent {
    fn __init__(slf: &Bound<'_, Self>, r#loop: &Bound<'_, Loop>) -> PyResult<()> {
        Handle::init(slf.as_super(), r#loop, |core| {
            FsEvent::new(core).map_err(in_call::<FSEventError>("FSEvent"))
        })
    }

    /// Watches `path` and has `callback(fsevent_handle, filename, events, error)` called
    /// (`uv_fs_event_start`).
    ///
    /// `filename` is the name in the folder that is watched, the path from there for what is in one
    /// below, or the last part of the path of a watched file; None where the platform does not tell; bytes if `path` is bytes, otherwise
    /// str. `events` is UV_RENAME for a name that came, went or changed, UV_CHANGE for content or
    /// attributes that changed, or both. `error` is None or a code: UV_ENOBUFS where the system has
    /// lost events, so that what is there has to be looked at anew. The handle goes on watching.
    ///
    /// `flags` is 0, or UV_FS_EVENT_RECURSIVE for the folders below too. On Linux each is watched by
    /// itself, those that come later as well: where no watch is left for one the callback gets
    /// UV_ENOSPC.
    /// Raises FSEventError with UV_EINVAL on a handle that is watching already, UV_ENOENT,
    /// UV_EACCES, or UV_EMFILE or UV_ENOSPC for a limit of inotify, which the message names.
    fn start(
        slf: &Bound<'_, Self>,
        path: PathArgument<'_>,
        flags: i32,
        callback: Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let callback = callable(callback)?;
        let flags = FsEventFlags::from_bits(flags).ok_or_else(|| {
            PyValueError::new_err(format!(
                "flags must be UV_FS_EVENT_RECURSIVE or such, not {flags}"
            ))
        })?;
        let base = slf.as_super();
        let as_bytes = path.is_bytes();
        let held = Handle::hold(base)?;
        base.get()
            .core_as::<FsEvent>()?
            .start(path.as_c_str()?, flags, move |core, outcome| on_event(core, outcome, as_bytes))
            .map_err(in_call::<FSEventError>("start"))
            .map_err(|error| with_filename(error, path.given()))?;
        slf.get().path.started(&path);
        Handle::started(base, held, callback);
        Ok(())
    }

    /// Watches no more (`uv_fs_event_stop`).
    fn stop(slf: &Bound<'_, Self>) -> PyResult<()> {
        let base = slf.as_super();
        let held = Handle::hold(base)?;
        base.get().core_as::<FsEvent>()?.stop().map_err(in_call::<FSEventError>("stop"))?;
        Handle::stopped(base, held);
        Ok(())
    }

    /// The path that is watched, as bytes if it was given as bytes, otherwise str; empty while
    /// none is.
    #[getter]
    fn path<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let path = slf.as_super().get().core_as::<FsEvent>()?.path();
        slf.get().path.to_py(slf.py(), path.map_err(in_call::<FSEventError>("path"))?)
    }
}

fn on_event(core: &FsEvent, outcome: pyuv::Result<FsChange<'_>>, as_bytes: bool) {
    Handle::dispatch(core, "change", |slf, callback| {
        let py = slf.py();
        let (filename, events, code) = match outcome {
            Ok(change) => (change.filename, change.events.bits(), None),
            Err(error) => (None, 0, error.code().map(|code| code.0)),
        };
        let filename = match filename {
            Some(filename) => name_to_py(py, filename, as_bytes)?,
            None => py.None().into_bound(py),
        };
        let Ok(events) = events.into_pyobject(py);
        call(&callback, [slf.as_any(), &filename, events.as_any(), &error_argument(py, code)])
    });
}
