//! Whole files, written in one trip to the thread pool.

use std::ffi::CStr;

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyuv_fs::Operation;

use crate::buffer::pieces;
use crate::fs::argument::Mode;
use crate::fs::dispatch::dispatch;
use crate::fs::lent::Lent;
use crate::fs::path::PathArgument;
use crate::fs::request::About;
use crate::life::lending::Lending;
use crate::r#loop::Loop;

/// What a file that is made gets, less the umask.
const MODE: u32 = 0o666;

/// Makes path a file that holds data, a bytes-like object or a sequence of them, in one trip to
/// the thread pool. Gives how many bytes that are; of an error, bytes_written tells how many there
/// are nevertheless.
///
/// A file that is made gets the permissions mode (None: 0o666) less the umask; one that was there
/// keeps its own. With atomic a new file takes the place of the old one when all of it has reached
/// the disk, so that whatever happens there is the old file or the new one; it has the permissions
/// of the old one unless mode says otherwise.
#[pyfunction]
#[pyo3(signature = (r#loop, path, data, mode = None, atomic = false, callback = None))]
pub fn write_file<'py>(
    r#loop: &Bound<'py, Loop>,
    path: PathArgument<'py>,
    data: &Bound<'py, PyAny>,
    mode: Option<Mode>,
    atomic: bool,
    callback: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let mode = mode.map(|mode| mode.0);
    if atomic {
        write("write_file", r#loop, &path, data, callback, |path, lent| {
            pyuv_fs::replace_file(path, lent, mode)
        })
    } else {
        let mode = mode.unwrap_or(MODE);
        write("write_file", r#loop, &path, data, callback, |path, lent| {
            pyuv_fs::write_file(path, lent, mode)
        })
    }
}

/// Writes data, a bytes-like object or a sequence of them, behind what the file path holds, in one
/// trip to the thread pool; a file that is made gets the permissions mode less the umask. Gives
/// how many bytes were written; of an error, bytes_written tells how many were nevertheless.
#[pyfunction]
#[pyo3(
    signature = (r#loop, path, data, mode = Mode(MODE), callback = None),
    text_signature = "(loop, path, data, mode=0o666, callback=None)"
)]
pub fn append_file<'py>(
    r#loop: &Bound<'py, Loop>,
    path: PathArgument<'py>,
    data: &Bound<'py, PyAny>,
    mode: Mode,
    callback: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    write("append_file", r#loop, &path, data, callback, |path, lent| {
        pyuv_fs::append_file(path, lent, mode.0)
    })
}

fn write<'py, 'path, O>(
    call: &'static str,
    event_loop: &Bound<'py, Loop>,
    path: &'path PathArgument<'py>,
    data: &Bound<'py, PyAny>,
    callback: Option<Bound<'py, PyAny>>,
    make: impl FnOnce(&'path CStr, Lent) -> O,
) -> PyResult<Bound<'py, PyAny>>
where
    O: Operation<Output = u64> + Send,
{
    let pieces = pieces(data)?;
    // SAFETY: the pieces are kept by the closure below.
    let lent = unsafe { Lent::new(pieces.memory().as_ref().to_vec()) };
    let operation = make(path.as_c_str()?, lent);
    let lending = match callback {
        Some(_) => Lending::of(event_loop.py(), &pieces)?.map(Bound::unbind),
        None => None,
    };
    let about =
        || About { call, path: Some(path.given().clone().unbind()), lending, ..About::default() };
    dispatch(event_loop, callback, about, operation, move |py, written| {
        drop(pieces);
        written.into_py_any(py)
    })
}
