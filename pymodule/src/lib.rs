//! `pyuv._pyuv`: the Python face of the crates `pyuv`, `pyuv-dns` and `pyuv-fs`.

use pyo3::prelude::*;

mod address;
mod allocator;
mod argument;
mod r#async;
#[cfg(not(PyPy))]
mod asyncio;
mod buffer;
mod buffer_size;
mod c_api;
mod call;
mod check;
mod code_flags;
mod constants;
mod counter;
mod destination;
mod dns;
mod entering;
mod errno;
mod error;
mod excepthook;
mod exit;
mod fresh_bytes;
mod fs;
mod gil;
mod handle;
mod idle;
mod interpreter;
mod life;
mod r#loop;
mod main_thread;
mod message_size;
#[cfg(all(target_os = "linux", target_env = "gnu", not(PyPy)))]
mod no_memory;
mod number;
mod once;
mod pipe;
mod poll;
mod poller;
mod prepare;
mod process;
mod raw_method;
mod seconds;
mod signal;
mod signals;
mod sleep;
mod spare_bytes;
mod stdio;
mod stream;
mod structseq;
mod tcp;
mod thread;
mod thread_state;
mod timer;
#[cfg(not(PyPy))]
mod tls;
mod tty;
mod udp;
mod util;
mod wakeup;
mod watcher;
mod work;

/// Everything that the package `pyuv` re-exports under its public names.
///
/// It says that it uses the GIL until a free-threaded interpreter has passed the tests.
#[pymodule(gil_used = true)]
fn _pyuv(module: &Bound<'_, PyModule>) -> PyResult<()> {
    interpreter::require_main(module.py())?;
    exit::register();
    #[cfg(not(PyPy))]
    entering::register(module.py())?;
    thread_state::register();
    #[cfg(all(target_os = "linux", target_env = "gnu", not(PyPy)))]
    no_memory::register(module.py());
    // Cargo's 2.0.0-alpha.1 is Python's 2.0.0a1.
    let version = env!("CARGO_PKG_VERSION").replace("-alpha.", "a").replace("-beta.", "b");
    module.add("__version__", version.replace("-rc.", "rc"))?;
    allocator::register(module)?;
    errno::register(module)?;
    wakeup::register(module)?;
    r#loop::register(module)?;
    module.add_class::<r#loop::Loop>()?;
    module.add_class::<r#loop::LoopMetrics>()?;
    module.add_class::<work::WorkRequest>()?;
    module.add_class::<handle::Handle>()?;
    module.add_class::<r#async::Async>()?;
    module.add_class::<check::Check>()?;
    module.add_class::<idle::Idle>()?;
    module.add_class::<pipe::Pipe>()?;
    module.add_class::<poll::Poll>()?;
    module.add_class::<prepare::Prepare>()?;
    module.add_class::<process::Process>()?;
    module.add_class::<signal::Signal>()?;
    module.add_class::<stdio::StdIO>()?;
    module.add_class::<stream::Stream>()?;
    module.add_class::<tcp::TCP>()?;
    module.add_class::<timer::Timer>()?;
    module.add_class::<udp::UDP>()?;
    module.add_class::<tty::TTY>()?;
    module.add_class::<poller::Poller>()?;
    stream::register(module)?;
    constants::register(module)?;
    #[cfg(not(PyPy))]
    asyncio::register(module)?;
    dns::register(module)?;
    fs::register(module)?;
    thread::register(module)?;
    util::register(module)?;
    Ok(())
}
