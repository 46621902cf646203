//! The DNS registries as Python enums, and c-ares's status codes.
//!
//! The numbers live in `pyuv-dns`; `pyuv.dns._registry` makes its enums of the tables given here.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyString};
use pyuv_dns::{ChannelFlags, Code, Flags, Opcode, Rcode, RecordClass, RecordType};

use super::error::to_py;
use super::errorno;
use crate::number::{number, type_name};
use crate::once::Once;

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
    ($($type:ident $table:literal: |$value:ident| $number:expr, $names:expr;)*) => {
        $(impl Registry for $type {
            fn number(self) -> u16 {
                let $value = self;
                $number
            }

            fn members(py: Python<'_>) -> PyResult<&Bound<'_, PyDict>> {
                static MEMBERS: Once<Py<PyDict>> = Once::new();
                Ok(MEMBERS.get_or_try_init(py, || Ok(PyDict::new(py).unbind()))?.bind(py))
            }

            fn class(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
                static CLASS: Once<Py<PyAny>> = Once::new();
                CLASS.import(py, "pyuv.dns._registry", stringify!($type))
            }
        })*

        fn tables(module: &Bound<'_, PyModule>) -> PyResult<()> {
            $(
                let table = PyDict::new(module.py());
                for (name, member) in $names {
                    table.set_item(name, member.number())?;
                }
                module.add($table, table)?;
            )*
            Ok(())
        }
    };
}

registries! {
    RecordType "record_types": |value| value.0, RecordType::ALL.iter().copied();
    RecordClass "record_classes": |value| value.0, RecordClass::ALL.iter().copied();
    Rcode "rcodes": |value| value.0, Rcode::ALL.iter().copied();
    Opcode "opcodes": |value| value.0, Opcode::ALL.iter().copied();
    Flags "flags": |flags| flags.bits(), Flags::all().iter_names();
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
                    if !object.is_instance_of::<PyInt>() {
                        let given = type_name(&object);
                        let message = format!(concat!($kind, " is a name or a number, not {}"), given);
                        return Err(PyTypeError::new_err(message));
                    }
                    number($kind, &object).map($type).map($arg)
                }
            }
        )*
    };
}

by_name_or_number! {
    /// A record type as an argument: a name in any case, `"TYPE1234"`, or a number.
    RecordTypeArg(RecordType), "a record type";
    /// A record class as an argument: a name in any case, `"CLASS9"`, or a number.
    RecordClassArg(RecordClass), "a record class";
}

/// The message for a c-ares status code (`ares_strerror`). That of an ErrorNumber says what was
/// wrong, too.
#[pyfunction]
#[pyo3(signature = (code, /))]
fn strerror(code: &Bound<'_, PyAny>) -> PyResult<String> {
    let reason = errorno::reason(code)?;
    let code = Code(code.extract()?);
    if code.name().is_none() {
        return Err(PyValueError::new_err(format!("{} is not a c-ares status code", code.0)));
    }
    Ok(match reason {
        Some(reason) => format!("{code}: {reason}"),
        None => code.message(),
    })
}

/// Adds the tables, the status codes, and the dict of flags: ARES_FLAG_USEVC and its kin.
pub fn register<'py>(module: &Bound<'py, PyModule>) -> PyResult<Bound<'py, PyDict>> {
    tables(module)?;
    module.add_function(wrap_pyfunction!(strerror, module)?)?;
    let (names, words) = (PyDict::new(module.py()), PyDict::new(module.py()));
    for (name, code) in Code::ALL {
        names.set_item(code.0, *name)?;
        words.set_item(code.0, code.word())?;
    }
    module.add("errorcode", names)?;
    module.add("status_words", words)?;
    let flags = PyDict::new(module.py());
    for (name, flag) in ChannelFlags::all().iter_names() {
        let name = if flag == ChannelFlags::DNS_0X20 { "DNS0x20" } else { name };
        flags.set_item(format!("ARES_FLAG_{name}"), flag.bits())?;
    }
    module.add("flag_constants", &flags)?;
    Ok(flags)
}
