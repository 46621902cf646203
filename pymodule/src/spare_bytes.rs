//! The bytes object that what a loop receives goes into, again and again.

use std::cell::Cell;

use pyo3::prelude::*;

use crate::fresh_bytes::FreshBytes;

/// What a callback was given and has not kept, for the next message. It spares the allocator the
/// work, and the processor's caches another piece of memory.
#[derive(Default)]
pub struct SpareBytes(Cell<Option<FreshBytes>>);

impl SpareBytes {
    /// An object for `length` bytes: the spare one, where it fits.
    #[inline]
    pub fn take(&self, py: Python<'_>, length: usize) -> PyResult<FreshBytes> {
        match self.0.take() {
            Some(spare) if spare.fits(length) => Ok(spare),
            _ => FreshBytes::new(py, length),
        }
    }

    /// The same, filled with a copy.
    #[inline]
    pub fn copy(&self, py: Python<'_>, content: &[u8]) -> PyResult<FreshBytes> {
        let fresh = self.take(py, content.len())?;
        fresh.fill(&[content]);
        Ok(fresh)
    }

    /// Gives `f` the bytes, cut to `length`, and keeps them unless somebody else does.
    #[inline]
    pub fn show<T>(
        &self,
        py: Python<'_>,
        fresh: FreshBytes,
        length: usize,
        f: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<T>,
    ) -> PyResult<T> {
        let (bytes, shown) = fresh.show(py, length)?;
        let outcome = f(&bytes);
        drop(bytes);
        if let Some(again) = shown.again(py) {
            self.0.set(Some(again));
        }
        outcome
    }
}
