//! Streams: an `asyncio.StreamReader` is fed without a line of Python.
//!
//! What `StreamReaderProtocol.data_received` and `StreamReader.feed_data` do is done here, for the very
//! classes of asyncio's as they are: the bytes go from the loop's slab into the reader's buffer, and who waits
//! for them is woken. Neither calls anything of the program's, so no context is entered.

use pyo3::exceptions::{PyAssertionError, PyNotImplementedError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyWeakrefReference};

use crate::once::{Once, intern};

/// asyncio's classes, and what is done for them.
struct Streams {
    protocol: Py<PyAny>,
    reader: Py<PyAny>,
    /// Methods as they were: whoever has put others in their places wants these called.
    methods: [(&'static str, Py<PyAny>); 2],
}

static STREAMS: Once<Streams> = Once::new();

fn streams(py: Python<'_>) -> PyResult<&'static Streams> {
    STREAMS.get_or_try_init(py, || {
        let module = py.import("asyncio.streams")?;
        let protocol = module.getattr("StreamReaderProtocol")?;
        let reader = module.getattr("StreamReader")?;
        let methods = [
            ("data_received", protocol.getattr("data_received")?.unbind()),
            ("feed_data", reader.getattr("feed_data")?.unbind()),
        ];
        Ok(Streams { protocol: protocol.unbind(), reader: reader.unbind(), methods })
    })
}

/// The reader behind `protocol`, where both are asyncio's own.
fn reader_of<'py>(protocol: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = protocol.py();
    let reference = protocol.getattr(intern!(py, "_stream_reader_wr"))?;
    let Ok(reference) = reference.cast_into::<PyWeakrefReference>() else { return Ok(None) };
    Ok(reference.upgrade())
}

/// Whether `protocol` is one whose reader is fed here.
pub fn is_standard(protocol: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = protocol.py();
    let streams = streams(py)?;
    if !protocol.get_type().is(&streams.protocol) {
        return Ok(false);
    }
    let Some(reader) = reader_of(protocol)? else { return Ok(false) };
    if !reader.get_type().is(&streams.reader) {
        return Ok(false);
    }
    for ((name, method), object) in streams.methods.iter().zip([protocol, &reader]) {
        let own = object.getattr(intern!(py, "__dict__"))?;
        if !object.get_type().getattr(*name)?.is(method) || own.contains(*name)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// `protocol.data_received(data)`
pub fn feed(protocol: &Bound<'_, PyAny>, data: &[u8]) -> PyResult<()> {
    let py = protocol.py();
    // Nobody is there to read.
    let Some(reader) = reader_of(protocol)? else { return Ok(()) };
    if reader.getattr(intern!(py, "_eof"))?.is_truthy()? {
        return Err(PyAssertionError::new_err("feed_data after feed_eof"));
    }
    let buffer = reader.getattr(intern!(py, "_buffer"))?.cast_into::<PyByteArray>()?;
    let length = extend(&buffer, data)?;
    let waiter = reader.getattr(intern!(py, "_waiter"))?;
    if !waiter.is_none() {
        reader.setattr(intern!(py, "_waiter"), py.None())?;
        if !waiter.call_method0(intern!(py, "cancelled"))?.is_truthy()? {
            waiter.call_method1(intern!(py, "set_result"), (py.None(),))?;
        }
    }
    let limit = reader.getattr(intern!(py, "_limit"))?.extract::<usize>()?;
    if length > limit.saturating_mul(2) { pause(&reader) } else { Ok(()) }
}

/// Appends, and gives the new length.
fn extend(buffer: &Bound<'_, PyByteArray>, data: &[u8]) -> PyResult<usize> {
    let before = buffer.len();
    let length = before + data.len();
    // SAFETY: it is a bytearray, which gets longer or an exception; nobody else has it while this thread
    // is attached.
    unsafe {
        if ffi::PyByteArray_Resize(buffer.as_ptr(), length as ffi::Py_ssize_t) != 0 {
            return Err(PyErr::fetch(buffer.py()));
        }
        let start = ffi::PyByteArray_AsString(buffer.as_ptr()).cast::<u8>().add(before);
        data.as_ptr().copy_to_nonoverlapping(start, data.len());
    }
    Ok(length)
}

/// Has the transport read no more until somebody has taken some of it.
#[cold]
fn pause(reader: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = reader.py();
    let transport = reader.getattr(intern!(py, "_transport"))?;
    if transport.is_none() || reader.getattr(intern!(py, "_paused"))?.is_truthy()? {
        return Ok(());
    }
    match transport.call_method0(intern!(py, "pause_reading")) {
        Ok(_) => reader.setattr(intern!(py, "_paused"), true),
        Err(error) if error.is_instance_of::<PyNotImplementedError>(py) => {
            reader.setattr(intern!(py, "_transport"), py.None())
        }
        Err(error) => Err(error),
    }
}
