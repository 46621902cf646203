//! `utime` and its kin: in seconds, as floats, or in nanoseconds.

use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::fs::argument::{Fd, Seconds};
use crate::fs::dispatch::dispatch;
use crate::fs::path::PathArgument;
use crate::fs::request::About;
use crate::r#loop::Loop;

/// When a file was read and changed, by one of the two ways to say it.
enum Times {
    Seconds(f64, f64),
    Nanoseconds(i128, i128),
}

/// A pair of whole nanoseconds.
type Pair<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>);

impl Times {
    fn given(
        atime: Option<Seconds>,
        mtime: Option<Seconds>,
        ns: Option<Pair<'_>>,
    ) -> PyResult<Times> {
        match (atime, mtime, ns) {
            (Some(atime), Some(mtime), None) => Ok(Times::Seconds(atime.0, mtime.0)),
            (None, None, Some((atime, mtime))) => {
                Ok(Times::Nanoseconds(nanoseconds(&atime)?, nanoseconds(&mtime)?))
            }
            (None, None, None) => {
                Err(PyTypeError::new_err("missing arguments: atime and mtime, or ns"))
            }
            (_, _, None) => Err(PyTypeError::new_err("missing argument: mtime goes with atime")),
            _ => Err(PyTypeError::new_err("atime and mtime, or ns, not both")),
        }
    }
}

fn nanoseconds(value: &Bound<'_, PyAny>) -> PyResult<i128> {
    let number: PyResult<i128> = value.extract();
    match number {
        Ok(number) if i64::try_from(number / 1_000_000_000).is_ok() => Ok(number),
        Err(error) if !error.is_instance_of::<PyOverflowError>(value.py()) => Err(error),
        _ => Err(PyValueError::new_err(format!("the time {} ns is out of range", value.str()?))),
    }
}

macro_rules! by_path {
    ($($(#[$doc:meta])* $name:ident, $in_ns:ident;)*) => {
        $(
            $(#[$doc])*
            #[pyfunction]
            #[pyo3(signature = (r#loop, path, atime = None, mtime = None, callback = None, *, ns = None))]
            pub fn $name<'py>(
                r#loop: &Bound<'py, Loop>,
                path: PathArgument<'py>,
                atime: Option<Seconds>,
                mtime: Option<Seconds>,
                callback: Option<Bound<'py, PyAny>>,
                ns: Option<Pair<'py>>,
            ) -> PyResult<Bound<'py, PyAny>> {
                let about = || About { call: stringify!($name), path: Some(path.given().clone().unbind()), ..About::default() };
                let name = path.as_c_str()?;
                match Times::given(atime, mtime, ns)? {
                    Times::Seconds(atime, mtime) => {
                        let operation = pyuv_fs::$name(name, atime, mtime);
                        dispatch(r#loop, callback, about, operation, |py, ()| Ok(py.None()))
                    }
                    Times::Nanoseconds(atime, mtime) => {
                        let operation = pyuv_fs::$in_ns(name, atime, mtime);
                        dispatch(r#loop, callback, about, operation, |py, ()| Ok(py.None()))
                    }
                }
            }
        )*
    };
}

by_path! {
    /// Sets when a file was last read and last changed, in seconds since 1970 (uv_fs_utime);
    /// UTIME_NOW is the moment of the call, UTIME_OMIT leaves a time as it is. Or ns is the two times
    /// in whole nanoseconds, without the rounding of floats.
    utime, utime_ns;
    /// utime, of the link itself where path is a symbolic link (uv_fs_lutime).
    lutime, lutime_ns;
}

/// utime of an open file (uv_fs_futime).
#[pyfunction]
#[pyo3(signature = (r#loop, fd, atime = None, mtime = None, callback = None, *, ns = None))]
pub fn futime<'py>(
    r#loop: &Bound<'py, Loop>,
    fd: Fd,
    atime: Option<Seconds>,
    mtime: Option<Seconds>,
    callback: Option<Bound<'py, PyAny>>,
    ns: Option<Pair<'py>>,
) -> PyResult<Bound<'py, PyAny>> {
    let about = || About { call: "futime", fd: Some(fd.0), ..About::default() };
    match Times::given(atime, mtime, ns)? {
        Times::Seconds(atime, mtime) => {
            let operation = pyuv_fs::futime(fd.0, atime, mtime);
            dispatch(r#loop, callback, about, operation, |py, ()| Ok(py.None()))
        }
        Times::Nanoseconds(atime, mtime) => {
            let operation = pyuv_fs::futime_ns(fd.0, atime, mtime);
            dispatch(r#loop, callback, about, operation, |py, ()| Ok(py.None()))
        }
    }
}
