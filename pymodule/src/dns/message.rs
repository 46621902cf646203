//! `Message`: what a query's callback gets.
//!
//! The Rust message is kept whole; a section becomes a tuple of Python objects, and a record's
//! data one more, only when someone looks at them.

use std::hash::{Hash, Hasher};

use pyo3::PyClass;
use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;
use pyo3::pyclass::boolean_struct::True;
use pyo3::types::{PyBytes, PyTuple, PyType};
use pyuv_dns::{Flags, Opcode, Rcode};

use super::constants::Registry;
use super::data::call_repr;
use super::error::to_py;
use super::record::{Question, Record};
use crate::number::number;
use crate::once::Once;

/// A DNS message: header, question and three sections of records.
#[pyclass(frozen, eq, hash, module = "pyuv.dns")]
pub struct Message {
    pub message: pyuv_dns::Message,
    question: Once<Py<PyTuple>>,
    answer: Once<Py<PyTuple>>,
    authority: Once<Py<PyTuple>>,
    additional: Once<Py<PyTuple>>,
}

impl From<pyuv_dns::Message> for Message {
    fn from(message: pyuv_dns::Message) -> Message {
        Message {
            message,
            question: Once::new(),
            answer: Once::new(),
            authority: Once::new(),
            additional: Once::new(),
        }
    }
}

impl PartialEq for Message {
    fn eq(&self, other: &Message) -> bool {
        self.message == other.message
    }
}

impl Hash for Message {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.message.hash(state);
    }
}

/// The Python object for a message, as a query's callback gets it.
pub fn message_to_py(py: Python<'_>, message: pyuv_dns::Message) -> PyResult<Py<PyAny>> {
    Ok(Py::new(py, Message::from(message))?.into_any())
}

/// A header field as an argument: a 16-bit number, an enum's member included.
struct HeaderField(u16);

impl<'py> FromPyObject<'_, 'py> for HeaderField {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        number("a header field", &object).map(HeaderField)
    }
}

/// The Rust values inside an iterable of `T`s.
fn contents<T, V>(items: Option<&Bound<'_, PyAny>>, get: fn(&T) -> V) -> PyResult<Box<[V]>>
where
    T: PyClass<Frozen = True> + Sync,
{
    let Some(items) = items else { return Ok(Box::default()) };
    items.try_iter()?.map(|item| Ok(get(item?.cast::<T>()?.get()))).collect()
}

/// The tuple in `cache`, made of `values` the first time.
fn section<'py, V, T>(
    py: Python<'py>,
    cache: &'py Once<Py<PyTuple>>,
    values: &[V],
    wrap: fn(V) -> T,
) -> PyResult<&'py Bound<'py, PyTuple>>
where
    V: Clone,
    T: Into<PyClassInitializer<T>> + PyClass,
{
    let tuple = cache.get_or_try_init(py, || -> PyResult<Py<PyTuple>> {
        let objects = values.iter().map(|value| Py::new(py, wrap(value.clone())));
        Ok(PyTuple::new(py, objects.collect::<PyResult<Vec<_>>>()?)?.unbind())
    })?;
    Ok(tuple.bind(py))
}

#[pymethods]
impl Message {
    #[new]
    #[pyo3(signature = (
        id = HeaderField(0), flags = HeaderField(0), opcode = HeaderField(0),
        rcode = HeaderField(0), question = None, answer = None, authority = None,
        additional = None,
    ), text_signature = "(id=0, flags=0, opcode=0, rcode=0, question=(), answer=(), authority=(), additional=())")]
    #[expect(clippy::too_many_arguments, reason = "a message has that many parts")]
    fn new(
        id: HeaderField,
        flags: HeaderField,
        opcode: HeaderField,
        rcode: HeaderField,
        question: Option<&Bound<'_, PyAny>>,
        answer: Option<&Bound<'_, PyAny>>,
        authority: Option<&Bound<'_, PyAny>>,
        additional: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Message> {
        let records = |items| contents(items, |record: &Record| record.record.clone());
        let message = pyuv_dns::Message {
            id: id.0,
            flags: Flags::from_bits_truncate(flags.0),
            opcode: Opcode(opcode.0),
            rcode: Rcode(rcode.0),
            question: contents(question, |question: &Question| question.0.clone())?,
            answer: records(answer)?,
            authority: records(authority)?,
            additional: records(additional)?,
        };
        Ok(message.into())
    }

    /// Parses a message from the wire: any bytes-like object. A record whose data is not as its type
    /// allows it has RawData.
    ///
    /// Raises DNSError with ARES_EBADRESP for bytes that are no message; it says which record cannot be
    /// read.
    #[classmethod]
    #[pyo3(signature = (wire, /))]
    fn parse(_class: &Bound<'_, PyType>, wire: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let parsed = match wire.cast::<PyBytes>() {
            Ok(bytes) => pyuv_dns::Message::parse(bytes.as_bytes()),
            Err(_) => {
                let copy = PyBuffer::<u8>::get(wire)?.to_vec(wire.py())?;
                pyuv_dns::Message::parse(&copy)
            }
        };
        message_to_py(wire.py(), parsed.map_err(|error| to_py(error.in_call("parse")))?)
    }

    /// The message as it goes on the wire, names compressed.
    ///
    /// Raises DNSError with ARES_EBADQUERY for one that is too long.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.message.to_bytes().map_err(to_py)?))
    }

    /// The message as a JSON object on one line; docs/dns-tool.md describes it.
    fn to_json(&self) -> String {
        self.message.to_json()
    }

    /// The answer section alone, as a JSON array.
    fn answer_to_json(&self) -> String {
        self.message.answer_to_json()
    }

    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
        let names =
            ["id", "flags", "opcode", "rcode", "question", "answer", "authority", "additional"];
        PyTuple::new(py, names)
    }

    /// The query's number, which its answer repeats.
    #[getter]
    fn id(&self) -> u16 {
        self.message.id
    }

    /// The header's flags, a Flags.
    #[getter]
    fn flags<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.message.flags.member(py)
    }

    /// The kind of message, an Opcode.
    #[getter]
    fn opcode<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.message.opcode.member(py)
    }

    /// How the server answered, an Rcode; with EDNS, all 12 bits.
    #[getter]
    fn rcode<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.message.rcode.member(py)
    }

    /// What was asked: a tuple of Question.
    #[getter]
    fn question<'py>(&'py self, py: Python<'py>) -> PyResult<&'py Bound<'py, PyTuple>> {
        section(py, &self.question, &self.message.question, Question)
    }

    /// The records that answer the question: a tuple of Record.
    #[getter]
    fn answer<'py>(&'py self, py: Python<'py>) -> PyResult<&'py Bound<'py, PyTuple>> {
        section(py, &self.answer, &self.message.answer, Record::from)
    }

    /// The records that name an authority: a tuple of Record.
    #[getter]
    fn authority<'py>(&'py self, py: Python<'py>) -> PyResult<&'py Bound<'py, PyTuple>> {
        section(py, &self.authority, &self.message.authority, Record::from)
    }

    /// The records that may help, EDNS's OPT among them: a tuple of Record.
    #[getter]
    fn additional<'py>(&'py self, py: Python<'py>) -> PyResult<&'py Bound<'py, PyTuple>> {
        section(py, &self.additional, &self.message.additional, Record::from)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let arguments = [
            ("id", self.message.id.into_pyobject(py)?.into_any()),
            ("flags", self.flags(py)?),
            ("opcode", self.opcode(py)?),
            ("rcode", self.rcode(py)?),
            ("question", self.question(py)?.clone().into_any()),
            ("answer", self.answer(py)?.clone().into_any()),
            ("authority", self.authority(py)?.clone().into_any()),
            ("additional", self.additional(py)?.clone().into_any()),
        ];
        call_repr("Message", &arguments)
    }

    fn __reduce__<'py>(
        &'py self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyType>, Bound<'py, PyTuple>)> {
        let message = &self.message;
        let arguments = (
            message.id,
            message.flags.bits(),
            message.opcode.0,
            message.rcode.0,
            self.question(py)?,
            self.answer(py)?,
            self.authority(py)?,
            self.additional(py)?,
        );
        Ok((py.get_type::<Message>(), arguments.into_pyobject(py)?))
    }
}
