//! What `python -m pyuv.dns --file` asks with: names in, lines of JSON out, and no Python in between.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};
use pyo3::types::{PyBytes, PyDict};
use pyuv_dns::BulkOptions;

use super::channel::{Channel, refused};
use super::constants::RecordTypeArg;
use crate::life::slot::PySlot;

/// Questions that were answered before, for `Bulk`.
#[pyclass(module = "pyuv.dns", frozen)]
#[derive(Default)]
pub struct Answered(Mutex<pyuv_dns::bulk::Answered>);

impl Answered {
    fn lock(&self) -> MutexGuard<'_, pyuv_dns::bulk::Answered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Answered {
    #[new]
    fn new() -> Answered {
        Answered::default()
    }

    /// Remembers a question: a name as it stands in the list, and the type in words.
    fn add(&self, name: &[u8], r#type: &str) {
        self.lock().insert(name, r#type);
    }

    fn __len__(&self) -> usize {
        self.lock().len()
    }
}

/// One question for each of many names; docs of the crate `pyuv-dns` describe it. Not public.
#[pyclass(module = "pyuv.dns", frozen)]
pub struct Bulk {
    core: pyuv_dns::Bulk,
    /// What asks. It ends the questions when it goes.
    channel: PySlot,
}

#[pymethods]
impl Bulk {
    #[new]
    #[pyo3(signature = (channel, r#type, *, concurrency, retries, answered=None))]
    fn new(
        channel: &Bound<'_, Channel>,
        r#type: RecordTypeArg,
        concurrency: usize,
        retries: u32,
        answered: Option<&Bound<'_, Answered>>,
    ) -> PyResult<Bulk> {
        let options = BulkOptions {
            record_type: r#type.0,
            concurrency,
            retries,
            answered: answered
                .map(|known| std::mem::take(&mut *known.get().lock()))
                .unwrap_or_default(),
            ..BulkOptions::default()
        };
        let core = pyuv_dns::Bulk::new(channel.get().core()?, options).map_err(refused)?;
        let slot = PySlot::new();
        slot.set(Some(channel.clone().into_any()));
        Ok(Bulk { core, channel: slot })
    }

    /// Takes more of the list, pieces of lines of NAME [TYPE].
    fn push(&self, names: &[u8]) -> PyResult<()> {
        self.core.push(names).map_err(refused)
    }

    /// Says that the list ends here.
    fn end(&self) -> PyResult<()> {
        self.core.end().map_err(refused)
    }

    /// Asks for nothing more; failures that wait are results now.
    fn stop(&self) -> PyResult<()> {
        self.core.stop().map_err(refused)
    }

    /// The lines that were not taken yet.
    fn take<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.core.take().as_bytes())
    }

    /// How many results there are of each status.
    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counts = PyDict::new(py);
        for (status, count) in self.core.counts() {
            counts.set_item(status, count)?;
        }
        Ok(counts)
    }

    /// Whether it is time for more names.
    #[getter]
    fn wants_names(&self) -> bool {
        self.core.wants_names()
    }

    /// Whether every question has its result.
    #[getter]
    fn done(&self) -> bool {
        self.core.is_done()
    }

    /// How many bytes of lines there are to take.
    #[getter]
    fn ready(&self) -> usize {
        self.core.ready()
    }

    /// How many questions were begun and have no result yet.
    #[getter]
    fn busy(&self) -> usize {
        self.core.busy()
    }

    /// How many failures were asked again.
    #[getter]
    fn retried(&self) -> u64 {
        self.core.retried()
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.channel.visit(&visit)
    }

    fn __clear__(&self, py: Python<'_>) {
        self.channel.clear(py);
    }
}
