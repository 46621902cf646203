//! The DNS registries as Python enums, and c-ares's status codes.
//!
//! The numbers live in `pyuv-dns`; `pyuv.dns._registry` makes its enums of the tables given here.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString};
use pyuv_dns::{Code, Flags, Opcode, Rcode, RecordClass, RecordType};

use super::error::to_py;

/// A number with an enum class in Python.
pub trait Registry: Copy {
    /// The number.
    fn number(self) -> u16;

    /// The enum's members met so far, by number.
    fn members(py: Python<'_>) -> PyResult<&Bound<'_, PyDict>>;

    /// The enum class.
    fn class(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>>;

    /// The enum's member for this number.
    fn member(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        let members = Self::members(py)?;
        if let Some(member) = members.get_item(self.number())? {
            return Ok(member);
        }
        let member = Self::class(py)?.call1((self.number(),))?;
        members.set_item(self.number(), &member)?;
        Ok(member)
    }
}

macro_rules! registries {
    ($($type:ident $table:literal)*) => {
        $(impl Registry for $type {
            fn number(self) -> u16 {
                self.0
            }

            fn members(py: Python<'_>) -> PyResult<&Bound<'_, PyDict>> {
                static MEMBERS: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
                Ok(MEMBERS.get_or_init(py, || PyDict::new(py).unbind()).bind(py))
            }

            fn class(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
                static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
                CLASS.import(py, "pyuv.dns._registry", stringify!($type))
            }
        })*

        fn tables(module: &Bound<'_, PyModule>) -> PyResult<()> {
            $(
                let table = PyDict::new(module.py());
                for (name, number) in $type::ALL {
                    table.set_item(*name, number.0)?;
                }
                module.add($table, table)?;
            )*
            Ok(())
        }
    };
}

registries! {
    RecordType "record_types"
    RecordClass "record_classes"
    Rcode "rcodes"
    Opcode "opcodes"
    Flags "flags"
}

macro_rules! by_name_or_number {
    ($($(#[$doc:meta])* $arg:ident($type:ident), $kind:literal;)*) => {
        $(
            $(#[$doc])*
            pub struct $arg(pub $type);

            impl<'py> FromPyObject<'_, 'py> for $arg {
                type Error = PyErr;

                fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
                    if let Ok(name) = object.cast::<PyString>() {
                        return name.to_str()?.parse().map($arg).map_err(to_py);
                    }
                    number(&object, $kind).map($type).map($arg)
                }
            }
        )*
    };
}

by_name_or_number! {
    /// A record type as an argument: a name in any case, `"TYPE1234"`, or a number.
    RecordTypeArg(RecordType), "a record type is a name or a number";
    /// A record class as an argument: a name in any case, `"CLASS9"`, or a number.
    RecordClassArg(RecordClass), "a record class is a name or a number";
}

/// A 16-bit number; `rule` begins the message of the TypeError for anything but an int.
pub fn number(object: &Bound<'_, PyAny>, rule: &str) -> PyResult<u16> {
    let wide: i128 = object.extract().map_err(|error: PyErr| {
        if error.is_instance_of::<PyTypeError>(object.py()) {
            return PyTypeError::new_err(format!("{rule}, not {}", type_name(object)));
        }
        PyValueError::new_err(format!("{object} is not between 0 and {}", u16::MAX))
    })?;
    wide.try_into()
        .map_err(|_| PyValueError::new_err(format!("{wide} is not between 0 and {}", u16::MAX)))
}

/// The name of an object's type, for messages.
pub fn type_name(object: &Bound<'_, PyAny>) -> String {
    object.get_type().name().map_or_else(|_| "that".to_owned(), |name| name.to_string())
}

/// The message for a c-ares status code (`ares_strerror`).
#[pyfunction]
#[pyo3(signature = (code, /))]
fn strerror(code: i32) -> PyResult<String> {
    if Code(code).name().is_none() {
        return Err(PyValueError::new_err(format!("{code} is not a c-ares status code")));
    }
    Ok(Code(code).message())
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    tables(module)?;
    module.add_function(wrap_pyfunction!(strerror, module)?)?;
    let names = PyDict::new(module.py());
    for (name, code) in Code::ALL {
        names.set_item(code.0, *name)?;
    }
    module.add("errorcode", names)
}
