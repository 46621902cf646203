//! `pyuv.asyncio`: what is hot of an asyncio event loop. What is rare is Python, in
//! `python/pyuv/asyncio`, and for the most part asyncio's own.
//!
//! Callbacks wait in a queue (`ready.rs`) that runs between the core's iterations, never inside of
//! `uv_run`, so that a task may switch greenlets; what is called later is a heap (`timers.rs`). Both hold
//! handles (`handles.rs`), whose lives are told by `handle_class.rs`. Polls watch descriptors (`watches.rs`),
//! for `add_reader` (`descriptors.rs`), for what sockets are to do (`sockets`) and for datagrams
//! (`datagrams.rs`); streams are the core's (`transport`), with TLS on them (`tls`) and protocols above
//! (`protocol`). `scheduler.rs` is the class that an `EventLoop`
//! gets all this from, and `run.rs` its turns.

use pyo3::prelude::*;

mod context;
mod core_methods;
mod datagrams;
mod descriptors;
mod handle_class;
mod handles;
mod methods;
mod metrics;
mod protocol;
mod ready;
mod run;
mod scheduler;
mod signature;
mod slots;
mod sockets;
mod timers;
mod tls;
mod transport;
mod watches;

/// Adds the submodule `_pyuv.asyncio`.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let asyncio = PyModule::new(py, "asyncio")?;
    asyncio.add_class::<scheduler::Scheduler>()?;
    asyncio.add_function(wrap_pyfunction!(handles::use_handles, &asyncio)?)?;
    asyncio.add_class::<transport::StreamCore>()?;
    asyncio.add_function(wrap_pyfunction!(transport::use_transport, &asyncio)?)?;
    asyncio.add_class::<tls::TLSCore>()?;
    asyncio.add_function(wrap_pyfunction!(tls::use_tls, &asyncio)?)?;
    asyncio.add_class::<datagrams::DatagramCore>()?;
    asyncio.add_function(wrap_pyfunction!(datagrams::use_datagrams, &asyncio)?)?;
    methods::install(py)?;
    descriptors::install(py)?;
    module.add_submodule(&asyncio)?;
    py.import("sys")?.getattr("modules")?.set_item("pyuv._pyuv.asyncio", asyncio)
}
