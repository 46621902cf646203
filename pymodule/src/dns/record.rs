//! `Question` and `Record`.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple, PyType};
use pyuv_dns::RecordClass;
use pyuv_dns::field::Name;

use super::constants::{RecordClassArg, RecordTypeArg, Registry};
use super::data::{self, call_repr};
use super::value::Argument;
use crate::number::{optional_number, type_name};
use crate::once::Once;

/// What a message asks: a name, a type and a class.
#[pyclass(frozen, eq, ord, hash, module = "pyuv.dns")]
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Question(pub pyuv_dns::Question);

#[pymethods]
impl Question {
    #[new]
    #[pyo3(
        signature = (name, r#type, record_class = RecordClassArg(RecordClass::IN)),
        text_signature = "(name, type, record_class=1)"
    )]
    fn new(name: Argument<Name>, r#type: RecordTypeArg, record_class: RecordClassArg) -> Question {
        Question(pyuv_dns::Question { name: name.0, record_type: r#type.0, class: record_class.0 })
    }

    #[classattr]
    fn __match_args__() -> (&'static str, &'static str, &'static str) {
        ("name", "type", "record_class")
    }

    /// The name asked for.
    #[getter]
    fn name<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        PyString::new(py, &self.0.name)
    }

    /// The type asked for.
    #[getter]
    fn r#type<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.record_type.member(py)
    }

    /// The class asked for.
    #[getter]
    fn record_class<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.class.member(py)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let arguments = [
            ("name", self.name(py).into_any()),
            ("type", self.r#type(py)?),
            ("record_class", self.record_class(py)?),
        ];
        call_repr("Question", &arguments)
    }

    fn __reduce__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyType>, Bound<'py, PyTuple>)> {
        let arguments = (self.name(py), self.0.record_type.0, self.0.class.0);
        Ok((py.get_type::<Question>(), arguments.into_pyobject(py)?))
    }
}

/// A resource record: its owner's name, and what it says about it.
#[pyclass(frozen, eq, ord, hash, module = "pyuv.dns")]
pub struct Record {
    pub record: pyuv_dns::Record,
    // Made when first asked for.
    data: Once<Py<PyAny>>,
}

impl From<pyuv_dns::Record> for Record {
    fn from(record: pyuv_dns::Record) -> Record {
        Record { record, data: Once::new() }
    }
}

impl PartialEq for Record {
    fn eq(&self, other: &Record) -> bool {
        self.record == other.record
    }
}

impl PartialOrd for Record {
    fn partial_cmp(&self, other: &Record) -> Option<Ordering> {
        self.record.partial_cmp(&other.record)
    }
}

impl Hash for Record {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.record.hash(state);
    }
}

#[pymethods]
impl Record {
    #[new]
    #[pyo3(
        signature = (name, data, ttl = None, record_class = RecordClassArg(RecordClass::IN)),
        text_signature = "(name, data, ttl=0, record_class=1)"
    )]
    fn new(
        name: Argument<Name>,
        data: &Bound<'_, PyAny>,
        ttl: Option<&Bound<'_, PyAny>>,
        record_class: RecordClassArg,
    ) -> PyResult<Record> {
        let Some(contents) = data::from_py(data) else {
            let message = format!("data is an A, an MX or their like, not {}", type_name(data));
            return Err(PyTypeError::new_err(message));
        };
        let ttl = optional_number("ttl", ttl)?.unwrap_or(0);
        let record = pyuv_dns::Record { name: name.0, class: record_class.0, ttl, data: contents };
        let cache = Once::new();
        let _ = cache.set(data.clone().unbind());
        Ok(Record { record, data: cache })
    }

    #[classattr]
    fn __match_args__() -> (&'static str, &'static str, &'static str, &'static str) {
        ("name", "data", "ttl", "record_class")
    }

    /// The owner's name, without the final dot.
    #[getter]
    fn name<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        PyString::new(py, &self.record.name)
    }

    /// The record's type, a RecordType.
    #[getter]
    fn r#type<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.record.record_type().member(py)
    }

    /// The record's class, a RecordClass.
    #[getter]
    fn record_class<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.record.class.member(py)
    }

    /// How long the record may be kept, in seconds.
    #[getter]
    fn ttl(&self) -> u32 {
        self.record.ttl
    }

    /// What the record says: an object of the class named after its type.
    #[getter]
    fn data<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, PyAny>> {
        let data = self.data.get_or_try_init(py, || data::to_py(py, self.record.data.clone()))?;
        Ok(data.bind(py))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let arguments = [
            ("name", self.name(py).into_any()),
            ("data", self.data(py)?.clone()),
            ("ttl", self.record.ttl.into_pyobject(py)?.into_any()),
            ("record_class", self.record_class(py)?),
        ];
        call_repr("Record", &arguments)
    }

    /// A line of a zone file.
    fn __str__(&self) -> String {
        self.record.to_string()
    }

    fn __reduce__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyType>, Bound<'py, PyTuple>)> {
        let record = &self.record;
        let arguments = (self.name(py), self.data(py)?, record.ttl, record.class.0);
        Ok((py.get_type::<Record>(), arguments.into_pyobject(py)?))
    }
}
