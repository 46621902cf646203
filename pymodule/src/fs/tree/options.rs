//! The arguments that all jobs on trees have.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyuv_fs::tree::{OnError, Tree, Work};

use crate::call::optional_callable;

/// How many threads are at work at most.
#[derive(Clone, Copy)]
pub struct Threads(usize);

impl<'a, 'py> FromPyObject<'a, 'py> for Threads {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let threads: i64 = value.extract()?;
        match usize::try_from(threads) {
            Ok(threads) if threads > 0 => Ok(Threads(threads)),
            _ => Err(PyValueError::new_err(format!("the concurrency is {threads}, not 1 or more"))),
        }
    }
}

/// The arguments that all jobs on trees have.
pub struct Options<'py> {
    on_error: OnError,
    threads: Option<Threads>,
    pub progress: Option<Bound<'py, PyAny>>,
    pub callback: Option<Bound<'py, PyAny>>,
}

impl<'py> Options<'py> {
    pub fn new(
        on_error: &str,
        threads: Option<Threads>,
        progress: Option<Bound<'py, PyAny>>,
        callback: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Options<'py>> {
        let on_error = one_of(
            "on_error",
            on_error,
            [("stop", OnError::Stop), ("continue", OnError::Continue)],
        )?;
        Ok(Options {
            on_error,
            threads,
            progress: optional_callable(progress)?,
            callback: optional_callable(callback)?,
        })
    }

    pub fn apply<W: Work>(&self, tree: Tree<W>) -> Tree<W> {
        let tree = tree.on_error(self.on_error);
        match self.threads {
            Some(Threads(threads)) => tree.concurrency(threads),
            None => tree,
        }
    }
}

/// The value of the word that was given.
pub fn one_of<T: Copy>(argument: &str, given: &str, words: [(&str, T); 2]) -> PyResult<T> {
    match words.iter().find(|(word, _)| *word == given) {
        Some((_, value)) => Ok(*value),
        None => {
            let [(one, _), (other, _)] = words;
            Err(PyValueError::new_err(format!("{argument} is {given:?}, not {one:?} or {other:?}")))
        }
    }
}
