//! `pyuv.thread`: locks and their kin, the Python face of `pyuv::thread`.
//!
//! Nothing here lets go of the GIL unless it has to wait: an attempt that succeeds at once is a
//! plain call.

use pyo3::prelude::*;

mod barrier;
mod block;
mod condition;
mod limit;
mod mutex;
mod primitive;
mod queue;
mod queue_error;
mod rwlock;
mod semaphore;

/// Adds everything of `pyuv.thread`.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<barrier::Barrier>()?;
    module.add_class::<condition::Condition>()?;
    module.add_class::<mutex::Mutex>()?;
    queue_error::register(module)?;
    module.add_class::<queue::Queue>()?;
    module.add_class::<rwlock::RWLock>()?;
    module.add_class::<rwlock::RWLockGuard>()?;
    module.add_class::<semaphore::Semaphore>()
}
