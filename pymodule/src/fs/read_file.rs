//! Whole files, read in one trip to the thread pool.

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use pyuv_fs::{Buffer, Content, Destination, FileMemory, Operation};

use crate::error::fs_error;
use crate::exit;
use crate::fresh_bytes::FreshBytes;
use crate::fs::argument::Size;
use crate::fs::dispatch::dispatch;
use crate::fs::path::PathArgument;
use crate::fs::request::About;
use crate::r#loop::Loop;

/// Reads the whole file path, in one trip to the thread pool: gives its content as bytes.
///
/// A file of more than max_size bytes is an error, UV_EFBIG. Without one a file may be as long as
/// it says, and 64 MiB longer: /dev/zero ends in that error too.
#[pyfunction]
#[pyo3(signature = (r#loop, path, callback = None, *, max_size = None))]
pub fn read_file<'py>(
    r#loop: &Bound<'py, Loop>,
    path: PathArgument<'py>,
    callback: Option<Bound<'py, PyAny>>,
    max_size: Option<Size>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = r#loop.py();
    let max_size = max_size.map(|size| size.0);
    let about = || About {
        call: "read_file",
        path: Some(path.given().clone().unbind()),
        ..About::default()
    };
    if callback.is_none() {
        let raised = Arc::new(Mutex::new(None));
        let memory = BytesMemory { raised: Some(Arc::clone(&raised)) };
        let operation = pyuv_fs::read_file_into(path.as_c_str()?, max_size, memory);
        let outcome = py.detach(|| operation.run());
        if let Some(error) = raised.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(error);
        }
        let content = outcome.map_err(|error| fs_error(py, error, about()))?;
        return Ok(to_bytes(py, content)?.into_any());
    }
    let memory = BytesMemory { raised: None };
    let operation = pyuv_fs::read_file_into(path.as_c_str()?, max_size, memory);
    dispatch(r#loop, callback, about, operation, |py, content| {
        Ok(to_bytes(py, content)?.unbind().into_any())
    })
}

/// Has large files read straight into `bytes`: a copy of one would stop the loop for as long as it
/// takes.
struct BytesMemory {
    /// For what the handler of a signal raises, where this is a thread that has such.
    raised: Option<Arc<Mutex<Option<PyErr>>>>,
}

impl FileMemory for BytesMemory {
    /// A copy of less takes less time than to wait for the GIL may.
    const LARGE: usize = 1 << 20;

    type Large = LargeBytes;

    fn allocate(&mut self, length: usize) -> Option<LargeBytes> {
        let make = |py: Python<'_>| {
            let fresh = FreshBytes::new(py, length).ok()?;
            Some(LargeBytes { buffer: fresh.buffer(length), fresh: Some(fresh) })
        };
        exit::attach(make)?
    }

    fn interrupted(&mut self) -> pyuv::Result<()> {
        let Some(raised) = &self.raised else { return Ok(()) };
        match exit::attach(crate::signals::check) {
            Some(Err(error)) => {
                *raised.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                Err(pyuv::Code::EINTR.into())
            }
            _ => Ok(()),
        }
    }
}

/// Bytes that are read into on a thread that is not attached.
struct LargeBytes {
    fresh: Option<FreshBytes>,
    buffer: Buffer,
}

// SAFETY: the memory is that of an object that nobody else has; it stays where it is.
unsafe impl Destination for LargeBytes {
    type Filled = FilledBytes;

    fn buffer(&mut self) -> Buffer {
        self.buffer
    }

    unsafe fn filled(self, length: usize) -> FilledBytes {
        FilledBytes { bytes: self, length }
    }
}

impl Drop for LargeBytes {
    fn drop(&mut self) {
        if let Some(fresh) = self.fresh.take() {
            // Without an interpreter there is nobody left to give the memory back to.
            let fresh = std::mem::ManuallyDrop::new(fresh);
            exit::attach(|_| drop(std::mem::ManuallyDrop::into_inner(fresh)));
        }
    }
}

/// The same, with so much in it.
struct FilledBytes {
    bytes: LargeBytes,
    length: usize,
}

fn to_bytes(py: Python<'_>, content: Content<FilledBytes>) -> PyResult<Bound<'_, PyBytes>> {
    let (mut large, beyond) = match content {
        Content::Small(content) => return FreshBytes::of(py, &[&content]),
        Content::Large(large, beyond) => (large, beyond),
    };
    let Some(fresh) = large.bytes.fresh.take() else { return FreshBytes::of(py, &[]) };
    let bytes = fresh.cut(py, large.length)?;
    if beyond.is_empty() { Ok(bytes) } else { FreshBytes::of(py, &[bytes.as_bytes(), &beyond]) }
}
