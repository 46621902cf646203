//! `pyuv.fs`: libuv's filesystem operations.

use pyo3::prelude::*;

mod argument;
mod close;
mod dir;
mod dirent;
mod dispatch;
mod fs_event;
mod fs_poll;
mod lent;
pub mod path;
mod read;
mod read_file;
mod readinto;
mod request;
mod scandir;
mod stat;
mod statfs;
mod table;
mod temporary;
mod tree;
mod utime;
mod write;
mod write_file;

pub use fs_event::FSEvent;
pub use fs_poll::FSPoll;
pub use request::About;

/// Adds the submodule `fs`.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let fs = PyModule::new(module.py(), "fs")?;
    fs.add_class::<request::FSRequest>()?;
    fs.add_class::<stat::StatResult>()?;
    statfs::STATFS_RESULT.register(&fs)?;
    fs.add_class::<dir::Dir>()?;
    fs.add_class::<dirent::Dirent>()?;
    fs.add_class::<FSEvent>()?;
    fs.add_class::<FSPoll>()?;
    fs.add_function(wrap_pyfunction!(stat::stat_float_times, &fs)?)?;
    fs.add_function(wrap_pyfunction!(close::close, &fs)?)?;
    fs.add_function(wrap_pyfunction!(scandir::scandir, &fs)?)?;
    fs.add_function(wrap_pyfunction!(dir::opendir, &fs)?)?;
    fs.add_function(wrap_pyfunction!(dir::readdir, &fs)?)?;
    fs.add_function(wrap_pyfunction!(dir::closedir, &fs)?)?;
    fs.add_function(wrap_pyfunction!(temporary::mkdtemp, &fs)?)?;
    fs.add_function(wrap_pyfunction!(temporary::mkstemp, &fs)?)?;
    fs.add_function(wrap_pyfunction!(read::read, &fs)?)?;
    fs.add_function(wrap_pyfunction!(readinto::readinto, &fs)?)?;
    fs.add_function(wrap_pyfunction!(write::write, &fs)?)?;
    tree::register(&fs)?;
    fs.add_function(wrap_pyfunction!(read_file::read_file, &fs)?)?;
    fs.add_function(wrap_pyfunction!(write_file::write_file, &fs)?)?;
    fs.add_function(wrap_pyfunction!(write_file::append_file, &fs)?)?;
    fs.add_function(wrap_pyfunction!(utime::utime, &fs)?)?;
    fs.add_function(wrap_pyfunction!(utime::lutime, &fs)?)?;
    fs.add_function(wrap_pyfunction!(utime::futime, &fs)?)?;
    table::register(&fs)?;
    module.add_submodule(&fs)
}
