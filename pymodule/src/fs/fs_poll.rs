//! `pyuv.fs.FSPoll`.

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyuv_fs::{FsPoll, StatChange};

use crate::call::{call, callable, error_argument};
use crate::error::{FSPollError, in_call, with_filename};
use crate::fs::path::{PathArgument, WatchedPath};
use crate::fs::stat::StatResult;
use crate::handle::{Handle, handle_class};
use crate::r#loop::Loop;
use crate::seconds::duration;

handle_class! {
    /// Calls its callback when what `stat` tells of a path has changed, which it looks at again
    /// and again (`uv_fs_poll_t`).
    FSPoll: "(loop)" in "pyuv.fs" {
        path: WatchedPath,
    }
}

#[pymethods]
impl FSPoll {
    fn __init__(slf: &Bound<'_, Self>, r#loop: &Bound<'_, Loop>) -> PyResult<()> {
        Handle::init(slf.as_super(), r#loop, |core| {
            FsPoll::new(core).map_err(in_call::<FSPollError>("FSPoll"))
        })
    }

    /// Looks at `path` now and then every `interval` seconds, and has
    /// `callback(fspoll_handle, prev_stat, curr_stat, error)` called when something is different
    /// from the last time (`uv_fs_poll_start`). On an active handle this starts anew.
    ///
    /// The two are a stat_result each; of what was not there before, prev_stat is all zeros. A
    /// look that fails is told once, with the code as `error` and None for both. The interval is
    /// rounded down to milliseconds, at least one; a negative one is a ValueError.
    fn start(
        slf: &Bound<'_, Self>,
        path: PathArgument<'_>,
        interval: f64,
        callback: Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let callback = callable(callback)?;
        let interval = duration("interval", interval)?;
        let base = slf.as_super();
        let held = Handle::hold(base)?;
        base.get()
            .core_as::<FsPoll>()?
            .start(path.as_c_str()?, interval, on_change)
            .map_err(in_call::<FSPollError>("start"))
            .map_err(|error| with_filename(error, path.given()))?;
        slf.get().path.started(&path);
        Handle::started(base, held, callback);
        Ok(())
    }

    /// Looks no more (`uv_fs_poll_stop`).
    fn stop(slf: &Bound<'_, Self>) -> PyResult<()> {
        let base = slf.as_super();
        let held = Handle::hold(base)?;
        base.get().core_as::<FsPoll>()?.stop().map_err(in_call::<FSPollError>("stop"))?;
        Handle::stopped(base, held);
        Ok(())
    }

    /// The path that is looked at, as bytes if it was given as bytes, otherwise str; empty while
    /// none is.
    #[getter]
    fn path<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let path = slf.as_super().get().core_as::<FsPoll>()?.path();
        slf.get().path.to_py(slf.py(), path.map_err(in_call::<FSPollError>("path"))?)
    }
}

fn on_change(core: &FsPoll, outcome: pyuv::Result<StatChange>) {
    Handle::dispatch(core, "change", |slf, callback| {
        let py = slf.py();
        let none = py.None().into_bound(py);
        let (previous, current, code) = match outcome {
            Ok(StatChange { previous, current }) => (
                StatResult::from(previous).into_bound_py_any(py)?,
                StatResult::from(current).into_bound_py_any(py)?,
                None,
            ),
            Err(error) => (none.clone(), none, error.code().map(|code| code.0)),
        };
        call(&callback, [slf.as_any(), &previous, &current, &error_argument(py, code)])
    });
}
