//! `pyuv.util`: the machine, the process, its environment and the clocks.

use pyo3::prelude::*;

mod affinity;
pub mod argument;
mod clock;
mod cpu;
mod directory;
pub mod env;
mod handle_type;
mod interface;
mod memory;
mod pipe;
mod priority;
mod process;
mod random;
mod rusage;
mod signal_checker;
mod system;
mod thread;
mod user;

/// Adds everything of `pyuv.util`.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    affinity::register(module)?;
    clock::register(module)?;
    cpu::register(module)?;
    directory::register(module)?;
    env::register(module)?;
    handle_type::register(module)?;
    interface::register(module)?;
    memory::register(module)?;
    pipe::register(module)?;
    priority::register(module)?;
    process::register(module)?;
    random::register(module)?;
    rusage::register(module)?;
    module.add_class::<signal_checker::SignalChecker>()?;
    system::register(module)?;
    thread::register(module)?;
    user::register(module)
}
