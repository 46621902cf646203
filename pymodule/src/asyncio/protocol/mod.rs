//! Protocols: what asyncio calls who gets a transport's data.

use pyo3::ffi;
use pyo3::prelude::*;

use super::tls::TLSCore;
use crate::once::{Once, intern};

pub mod reader;

/// How a protocol wants its data.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// `data_received(data)`
    #[default]
    Data,
    /// `get_buffer(sizehint)` and `buffer_updated(nbytes)`
    Buffered,
    /// In the buffer of an `asyncio.StreamReader`.
    Reader,
    /// It is a `TLSCore`, which takes it from the loop's own memory.
    Tls,
}

impl Kind {
    pub fn of(protocol: &Bound<'_, PyAny>) -> PyResult<Kind> {
        static BUFFERED: Once<Py<PyAny>> = Once::new();
        let buffered = BUFFERED.import(protocol.py(), "asyncio", "BufferedProtocol")?;
        Ok(match () {
            () if protocol.is_exact_instance_of::<TLSCore>() => Kind::Tls,
            () if protocol.is_instance(buffered)? => Kind::Buffered,
            () if reader::is_standard(protocol)? => Kind::Reader,
            () => Kind::Data,
        })
    }
}

/// `protocol.data_received(data)`
#[inline]
pub fn data_received(protocol: &Bound<'_, PyAny>, data: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = protocol.py();
    let arguments = [protocol.as_ptr(), data.as_ptr()];
    // SAFETY: an object and its argument; gives a new reference, or null with an exception.
    let result = unsafe {
        let result = ffi::PyObject_VectorcallMethod(
            intern!(py, "data_received").as_ptr(),
            arguments.as_ptr(),
            arguments.len(),
            std::ptr::null_mut(),
        );
        Bound::from_owned_ptr_or_err(py, result)
    };
    result.map(drop)
}
