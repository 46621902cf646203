//! `write(data)`, the method that is called most, as a raw one.
//!
//! PyO3's way in is a tenth of all that an echoed message costs. So TCP, Pipe and TTY get a method of
//! their own with another entry (`raw_method.rs`): it takes `bytes` that nobody waits for, as far as
//! they go out at once, and gives every other call to the method that the class had before.

use std::ffi::CStr;
use std::marker::PhantomData;

use pyo3::PyTypeInfo;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::Stream;
use crate::buffer::Pieces;
use crate::once::Once;
use crate::raw_method::{self, Arguments, RawMethod};

/// A class that gets it.
pub trait FastWrite: PyTypeInfo {
    /// A place for the method that it had before, its own or that of Stream.
    fn general() -> &'static Once<Py<PyAny>>;
}

struct Write<C>(PhantomData<C>);

/// Puts the short way in front of the class's `write`.
pub fn install<C: FastWrite>(py: Python<'_>) -> PyResult<()> {
    let class = py.get_type::<C>();
    let general = C::general().get_or_try_init(py, || class.getattr("write").map(Bound::unbind))?;
    let signature: String = general.getattr(py, "__text_signature__")?.extract(py)?;
    let doc: String = general.getattr(py, "__doc__")?.extract(py)?;
    raw_method::install::<Write<C>>(&class, &signature, &doc)
}

impl<C: FastWrite> RawMethod for Write<C> {
    const NAME: &'static CStr = c"write";

    #[inline]
    fn call<'py>(slf: &Bound<'py, PyAny>, arguments: Arguments<'_, 'py>) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        if arguments.count() == 1
            && arguments.names().is_null()
            && let Ok(data) = arguments.at(0).cast_exact::<PyBytes>()
        {
            // SAFETY: the class that has it is a Stream.
            let slf = unsafe { slf.cast_unchecked::<Stream>() };
            return write_bytes(slf, &data).map(|()| py.None());
        }
        let general = C::general().get().ok_or_else(|| PyRuntimeError::new_err("no write"))?;
        arguments.pass_on(slf, general.bind(py)).map(Bound::unbind)
    }
}

#[inline]
fn write_bytes(slf: &Bound<'_, Stream>, data: &Bound<'_, PyBytes>) -> PyResult<()> {
    let (core, bytes) = (Stream::core(slf)?, data.as_bytes());
    // What is wrong is said by the full write.
    let written = core.try_write_slice(bytes).unwrap_or(0);
    if written == bytes.len() && written > 0 {
        return Ok(());
    }
    Stream::write_pieces(slf, core, Pieces::of_bytes(data, written), None, None)
}
