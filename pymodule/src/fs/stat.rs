//! `uv_stat_t`: what the system knows of a file, with the names of `os.stat_result`.

use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyIterator, PyTuple};
use pyuv_fs::{Stat, Timestamp};

static FLOAT_TIMES: AtomicBool = AtomicBool::new(true);

/// Whether st_atime and its kin are float (the default) or whole seconds. With an argument, says
/// so for the results that come from now on.
#[pyfunction]
#[pyo3(signature = (newvalue=None, /))]
pub fn stat_float_times(newvalue: Option<bool>) -> Option<bool> {
    match newvalue {
        Some(on) => {
            FLOAT_TIMES.store(on, Ordering::Relaxed);
            None
        }
        None => Some(FLOAT_TIMES.load(Ordering::Relaxed)),
    }
}

/// What stat, lstat and fstat tell of a file.
///
/// The attributes are those of os.stat_result. Like it, this unpacks and indexes as the ten
/// numbers (st_mode, st_ino, st_dev, st_nlink, st_uid, st_gid, st_size, st_atime, st_mtime,
/// st_ctime), the times in whole seconds; the numbers are made when they are asked for.
#[pyclass(frozen, eq, hash, name = "stat_result", module = "pyuv.fs")]
pub struct StatResult {
    stat: Stat,
    float_times: bool,
}

/// What is told is the same; how times are written does not matter.
impl PartialEq for StatResult {
    fn eq(&self, other: &StatResult) -> bool {
        self.stat == other.stat
    }
}

impl Hash for StatResult {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.stat.hash(state);
    }
}

impl From<Stat> for StatResult {
    fn from(stat: Stat) -> StatResult {
        StatResult { stat, float_times: FLOAT_TIMES.load(Ordering::Relaxed) }
    }
}

impl StatResult {
    fn time<'py>(&self, py: Python<'py>, time: Timestamp) -> PyResult<Bound<'py, PyAny>> {
        if self.float_times {
            time.as_seconds().into_bound_py_any(py)
        } else {
            time.seconds.into_bound_py_any(py)
        }
    }

    fn sequence<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let Stat { mode, ino, dev, nlink, uid, gid, size, atime, mtime, ctime, .. } = self.stat;
        let times = [atime.seconds, mtime.seconds, ctime.seconds];
        let numbers = [mode, ino, dev, nlink, uid, gid, size].map(i128::from);
        PyTuple::new(py, numbers.into_iter().chain(times.map(i128::from)).collect::<Vec<_>>())
    }
}

/// Getters: for numbers, for times, and for times in nanoseconds.
macro_rules! stat_result {
    (
        numbers { $($(#[$number_doc:meta])* $number:ident = $number_field:ident;)* }
        times { $($(#[$time_doc:meta])* $time:ident, $nanoseconds:ident = $time_field:ident;)* }
    ) => {
        #[pymethods]
        impl StatResult {
            $(
                $(#[$number_doc])*
                #[getter]
                fn $number(&self) -> u64 {
                    self.stat.$number_field
                }
            )*
            $(
                $(#[$time_doc])*
                ///
                /// Seconds since 1970: float, or int after stat_float_times(False).
                #[getter]
                fn $time<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
                    self.time(py, self.stat.$time_field)
                }

                $(#[$time_doc])*
                ///
                /// Nanoseconds since 1970.
                #[getter]
                fn $nanoseconds(&self) -> i128 {
                    self.stat.$time_field.as_nanoseconds()
                }
            )*

            /// From a tuple of what __reduce__ gave: the twelve numbers, then seconds and
            /// nanoseconds of the four times, then whether those are float.
            #[new]
            #[pyo3(signature = (state, /))]
            fn new(state: (Vec<u64>, Vec<(i64, i64)>, bool)) -> PyResult<StatResult> {
                let (numbers, times, float_times) = state;
                let mut stat = Stat::default();
                let mut number = numbers.into_iter();
                let mut time = times.into_iter();
                $(
                    stat.$number_field = number.next().ok_or_else(incomplete)?;
                )*
                $(
                    let (seconds, nanoseconds) = time.next().ok_or_else(incomplete)?;
                    stat.$time_field = Timestamp { seconds, nanoseconds };
                )*
                Ok(StatResult { stat, float_times })
            }

            fn __reduce__<'py>(
                slf: &Bound<'py, Self>,
            ) -> (Bound<'py, PyAny>, ((Vec<u64>, Vec<(i64, i64)>, bool),)) {
                let this = slf.get();
                let numbers = vec![$(this.stat.$number_field),*];
                let times = [$(this.stat.$time_field),*];
                let times = times.map(|time| (time.seconds, time.nanoseconds)).to_vec();
                (slf.get_type().into_any(), ((numbers, times, this.float_times),))
            }

            fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
                let mut text = Vec::new();
                for name in [$(stringify!($number),)* $(stringify!($time)),*] {
                    text.push(format!("{name}={}", slf.getattr(name)?.repr()?));
                }
                Ok(format!("pyuv.fs.stat_result({})", text.join(", ")))
            }

            fn __len__(&self) -> usize {
                10
            }

            fn __getitem__<'py>(
                &self,
                py: Python<'py>,
                index: &Bound<'py, PyAny>,
            ) -> PyResult<Bound<'py, PyAny>> {
                self.sequence(py)?.as_any().get_item(index)
            }

            fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
                self.sequence(py)?.as_any().try_iter()
            }
        }
    };
}

fn incomplete() -> PyErr {
    PyValueError::new_err("a stat_result needs twelve numbers and four times")
}

stat_result! {
    numbers {
        /// The kind of file and its permissions.
        st_mode = mode;
        /// The file's number on its device.
        st_ino = ino;
        /// The device that holds the file.
        st_dev = dev;
        /// How many names the file has.
        st_nlink = nlink;
        /// The owner.
        st_uid = uid;
        /// The owning group.
        st_gid = gid;
        /// Length in bytes.
        st_size = size;
        /// The block size that suits I/O on the file, in bytes.
        st_blksize = blksize;
        /// What the file takes, in units of 512 bytes.
        st_blocks = blocks;
        /// The device that the file is, for a device file.
        st_rdev = rdev;
        /// Flags of the BSDs and macOS; 0 elsewhere.
        st_flags = flags;
        /// The file's generation, on the BSDs and macOS; 0 elsewhere.
        st_gen = generation;
    }
    times {
        /// When the file was last read.
        st_atime, st_atime_ns = atime;
        /// When its content last changed.
        st_mtime, st_mtime_ns = mtime;
        /// When its content or its attributes last changed.
        st_ctime, st_ctime_ns = ctime;
        /// When it was made, where the filesystem remembers.
        st_birthtime, st_birthtime_ns = birthtime;
    }
}
