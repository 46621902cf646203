//! One Python class per record type, made from `pyuv-dns`'s table of types.

#![expect(clippy::upper_case_acronyms, reason = "record types are written like that")]
#![expect(clippy::too_many_arguments, reason = "some types have that many fields")]

use std::net::{Ipv4Addr, Ipv6Addr};

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple, PyType};
use pyuv_dns::field::{Name, Options, Str, Strings, Text, Uri};
use pyuv_dns::record_types;
use pyuv_dns::{Raw, RecordData, data};

use super::constants::{RecordTypeArg, Registry};
use super::value::{Argument, Value, separate};

type Bytes = Box<[u8]>;

/// `(name, repr)` pairs as the call that would make the object: `MX(priority=10, ...)`.
pub fn call_repr(class: &str, arguments: &[(&str, Bound<'_, PyAny>)]) -> PyResult<String> {
    let mut text = format!("{class}(");
    for (position, (name, value)) in arguments.iter().enumerate() {
        if position > 0 {
            text.push_str(", ");
        }
        text.push_str(name);
        text.push('=');
        text.push_str(value.repr()?.to_str()?);
    }
    text.push(')');
    Ok(text)
}

/// The class of one record type; `extra` are methods beyond those every type has.
macro_rules! data_class {
    (
        $(#[$doc:meta])*
        $type:ident { $($(#[$field_doc:meta])* $field:ident: $kind:ident,)* }
        extra { $($extra:tt)* }
    ) => {
        $(#[$doc])*
        #[pyclass(frozen, eq, ord, hash, module = "pyuv.dns")]
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(data::$type);

        #[pymethods]
        impl $type {
            #[new]
            fn new($($field: Argument<$kind>),*) -> PyResult<$type> {
                let data = data::$type { $($field: $field.0),* };
                // What cannot be written is refused at once.
                RecordData::$type(data.clone()).check().map_err(super::error::to_py)?;
                Ok($type(data))
            }

            #[classattr]
            fn __match_args__(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
                PyTuple::new(py, [$(stringify!($field)),*])
            }

            $(
                $(#[$field_doc])*
                #[getter]
                fn $field<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
                    self.0.$field.to_py(py)
                }
            )*

            fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
                let arguments = [$((stringify!($field), self.0.$field.to_argument(py)?)),*];
                call_repr(stringify!($type), &arguments)
            }

            fn __str__(&self) -> String {
                RecordData::$type(self.0.clone()).to_string()
            }

            fn __reduce__<'py>(
                &self,
                py: Python<'py>,
            ) -> PyResult<(Bound<'py, PyType>, Bound<'py, PyTuple>)> {
                let arguments = [$(self.0.$field.to_argument(py)?),*];
                Ok((py.get_type::<$type>(), PyTuple::new(py, arguments)?))
            }

            $($extra)*
        }
    };
}

macro_rules! data_classes {
    ($($(#[$doc:meta])* $type:ident { $($fields:tt)* })*) => {
        $(data_classes! { @class $(#[$doc])* $type { $($fields)* } })*

        /// The Python object for a record's data.
        pub fn to_py(py: Python<'_>, data: RecordData) -> PyResult<Py<PyAny>> {
            Ok(match data {
                $(RecordData::$type(data) => Py::new(py, $type(data))?.into_any(),)*
                RecordData::Raw(raw) => Py::new(py, RawData(raw))?.into_any(),
            })
        }

        /// The record's data in a Python object, if it is one of these classes.
        pub fn from_py(object: &Bound<'_, PyAny>) -> Option<RecordData> {
            $(
                if let Ok(data) = object.cast::<$type>() {
                    return Some(RecordData::$type(data.get().0.clone()));
                }
            )*
            object.cast::<RawData>().ok().map(|data| RecordData::Raw(data.get().0.clone()))
        }

        pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
            $(module.add_class::<$type>()?;)*
            module.add_class::<RawData>()
        }
    };
    (@class $(#[$doc:meta])* TXT { $($fields:tt)* }) => {
        data_class! {
            $(#[$doc])*
            TXT { $($fields)* }
            extra {
                /// The strings one by one, as a tuple of bytes.
                #[getter]
                fn strings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
                    separate(&self.0.data, py)
                }
            }
        }
    };
    (@class $(#[$doc:meta])* $type:ident { $($fields:tt)* }) => {
        data_class! { $(#[$doc])* $type { $($fields)* } extra {} }
    };
}

record_types!(data_classes);

/// Data as it stood on the wire: of a type that has no class here, or not as its type allows it.
#[pyclass(frozen, eq, ord, hash, module = "pyuv.dns")]
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RawData(Raw);

#[pymethods]
impl RawData {
    #[new]
    fn new(r#type: RecordTypeArg, data: Argument<Bytes>) -> PyResult<RawData> {
        let raw = Raw { record_type: r#type.0, data: data.0 };
        RecordData::Raw(raw.clone()).check().map_err(super::error::to_py)?;
        Ok(RawData(raw))
    }

    #[classattr]
    fn __match_args__() -> (&'static str, &'static str) {
        ("type", "data")
    }

    /// The type's number.
    #[getter]
    fn r#type<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.record_type.member(py)
    }

    /// The bytes as they stood on the wire.
    #[getter]
    fn data<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.data)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let data = self.data(py).into_any();
        call_repr("RawData", &[("type", self.r#type(py)?), ("data", data)])
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> (Bound<'py, PyType>, (u16, Bound<'py, PyBytes>)) {
        (py.get_type::<RawData>(), (self.0.record_type.0, self.data(py)))
    }
}
