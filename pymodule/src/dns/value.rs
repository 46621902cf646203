//! The kinds of value in a record's data, to Python and back.

use std::net::{Ipv4Addr, Ipv6Addr};

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};
use pyuv_dns::field::{Name, Options, Str, Strings, Text, Uri};

use super::error::to_py;

use crate::number::{number, type_name};

/// The most bytes in one of TXT's strings.
const MAX_STRING: usize = 255;

/// A kind of value.
pub trait Value: Sized {
    /// What the attribute shows.
    fn to_py<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>>;

    /// Reads a constructor's argument.
    fn from_py(object: &Bound<'_, PyAny>) -> PyResult<Self>;

    /// What the constructor must be given for an equal value.
    fn to_argument<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.to_py(py)
    }
}

/// A constructor's argument of a kind of value.
pub struct Argument<T>(pub T);

impl<'py, T: Value> FromPyObject<'_, 'py> for Argument<T> {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        T::from_py(&object).map(Argument)
    }
}

macro_rules! numbers {
    ($($type:ty)*) => {
        $(impl Value for $type {
            fn to_py<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
                Ok(self.into_pyobject(py)?.into_any())
            }

            fn from_py(object: &Bound<'_, PyAny>) -> PyResult<Self> {
                number("the number", object)
            }
        })*
    };
}

numbers! { u8 u16 u32 }

macro_rules! addresses {
    ($($type:ty, $kind:literal, |$address:ident| $text:expr;)*) => {
        $(impl Value for $type {
            fn to_py<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
                let $address = self;
                Ok(PyString::new(py, $text).into_any())
            }

            fn from_py(object: &Bound<'_, PyAny>) -> PyResult<Self> {
                // `ipaddress` objects are taken too.
                let text = object.str()?;
                text.to_str()?.parse().map_err(|_| {
                    PyValueError::new_err(format!(concat!("{:?} is not an ", $kind, " address"), text))
                })
            }
        })*
    };
}

addresses! {
    Ipv4Addr, "IPv4", |address| dotted(*address).as_str();
    Ipv6Addr, "IPv6", |address| address.to_string().as_str();
}

/// The text of an IPv4 address. `Display` takes three times as long, and every A record has one.
struct Dotted {
    text: [u8; 15],
    length: usize,
}

impl Dotted {
    fn push(&mut self, byte: u8) {
        self.text[self.length] = byte;
        self.length += 1;
    }

    fn as_str(&self) -> &str {
        str::from_utf8(&self.text[..self.length]).unwrap_or_default()
    }
}

fn dotted(address: Ipv4Addr) -> Dotted {
    let mut out = Dotted { text: [0; 15], length: 0 };
    for (place, octet) in address.octets().into_iter().enumerate() {
        if place > 0 {
            out.push(b'.');
        }
        if octet >= 100 {
            out.push(b'0' + octet / 100);
        }
        if octet >= 10 {
            out.push(b'0' + octet / 10 % 10);
        }
        out.push(b'0' + octet % 10);
    }
    out
}

impl Value for Name {
    fn to_py<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(PyString::new(py, self).into_any())
    }

    fn from_py(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        Name::parse(object.cast::<PyString>()?.to_str()?).map_err(to_py)
    }
}

impl Value for Box<[u8]> {
    fn to_py<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(PyBytes::new(py, self).into_any())
    }

    fn from_py(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(object.cast::<PyBytes>()?.as_bytes().into())
    }
}

macro_rules! texts {
    ($($type:ident)*) => {
        /// Shown as text, which it nearly always is; `surrogateescape` keeps bytes that are none.
        $(impl Value for $type {
            fn to_py<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
                match std::str::from_utf8(&self.0) {
                    Ok(text) => Ok(PyString::new(py, text).into_any()),
                    Err(_) => PyBytes::new(py, &self.0)
                        .call_method1("decode", ("utf-8", "surrogateescape")),
                }
            }

            fn from_py(object: &Bound<'_, PyAny>) -> PyResult<Self> {
                if let Ok(bytes) = object.cast::<PyBytes>() {
                    return Ok($type(bytes.as_bytes().into()));
                }
                let text = object.cast::<PyString>()?;
                let encoded = text.call_method1("encode", ("utf-8", "surrogateescape"))?;
                Ok($type(encoded.cast::<PyBytes>()?.as_bytes().into()))
            }
        })*
    };
}

texts! { Str Text Uri }

/// Shown joined, as pycares does; given as bytes, or as the separate strings.
impl Value for Strings {
    fn to_py<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match &**self {
            [only] => only.to_py(py),
            strings => Ok(PyBytes::new(py, &strings.concat()).into_any()),
        }
    }

    fn from_py(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(joined) = object.cast::<PyBytes>() {
            let bytes = joined.as_bytes();
            if bytes.is_empty() {
                return Ok(Box::from([Box::default()]));
            }
            return Ok(bytes.chunks(MAX_STRING).map(Box::from).collect());
        }
        if object.is_instance_of::<PyString>() {
            return Err(PyTypeError::new_err("TXT's data is bytes or several bytes, not str"));
        }
        object.try_iter()?.map(|item| character_string(&item?)).collect()
    }

    fn to_argument<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let joined = self.to_py(py)?;
        if Strings::from_py(&joined)? == *self {
            return Ok(joined);
        }
        separate(self, py)
    }
}

fn character_string(object: &Bound<'_, PyAny>) -> PyResult<Box<[u8]>> {
    let bytes = <Box<[u8]>>::from_py(object)?;
    if bytes.len() > MAX_STRING {
        let message = format!("a string of {} bytes: {MAX_STRING} is the most", bytes.len());
        return Err(PyValueError::new_err(message));
    }
    Ok(bytes)
}

/// TXT's strings one by one.
pub fn separate<'py>(strings: &Strings, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
    Ok(PyTuple::new(py, strings.iter().map(|string| PyBytes::new(py, string)))?.into_any())
}

impl Value for Options {
    fn to_py<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let pairs = self.iter().map(|(option, value)| (*option, PyBytes::new(py, value)));
        Ok(PyTuple::new(py, pairs)?.into_any())
    }

    fn from_py(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        object
            .try_iter()?
            .map(|item| {
                let item = item?;
                let pair = item.cast::<PyTuple>().ok().filter(|pair| pair.len() == 2);
                let Some(pair) = pair else {
                    return Err(PyTypeError::new_err(format!(
                        "an option is a tuple of number and bytes, not {}",
                        type_name(&item)
                    )));
                };
                Ok((u16::from_py(&pair.get_item(0)?)?, Value::from_py(&pair.get_item(1)?)?))
            })
            .collect()
    }
}
