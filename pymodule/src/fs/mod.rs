//! `pyuv.fs`: libuv's filesystem operations.

use pyo3::prelude::*;

mod argument;
mod close;
mod dirent;
mod dispatch;
mod lent;
pub mod path;
mod read;
mod request;
mod scandir;
mod stat;
mod table;
mod write;

/// Adds the submodule `fs`.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let fs = PyModule::new(module.py(), "fs")?;
    fs.add_class::<request::FSRequest>()?;
    fs.add_class::<stat::StatResult>()?;
    fs.add_class::<dirent::Dirent>()?;
    fs.add_function(wrap_pyfunction!(stat::stat_float_times, &fs)?)?;
    fs.add_function(wrap_pyfunction!(close::close, &fs)?)?;
    fs.add_function(wrap_pyfunction!(scandir::scandir, &fs)?)?;
    fs.add_function(wrap_pyfunction!(read::read, &fs)?)?;
    fs.add_function(wrap_pyfunction!(write::write, &fs)?)?;
    table::register(&fs)?;
    module.add_submodule(&fs)
}
