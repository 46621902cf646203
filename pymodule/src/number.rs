//! Ints as Python gives them. One that does not fit is a wrong value like any other: ValueError.

use std::ops::RangeInclusive;

use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;

/// `object` as a number of this range; the errors begin with `what` it is.
pub fn number_within(
    what: &str,
    object: &Bound<'_, PyAny>,
    range: RangeInclusive<i128>,
) -> PyResult<i128> {
    match object.extract() {
        Ok(number) if range.contains(&number) => Ok(number),
        Err(error) if error.is_instance_of::<PyTypeError>(object.py()) => {
            let given = type_name(object);
            Err(PyTypeError::new_err(format!("{what} must be an int, not {given}")))
        }
        Err(error) if !error.is_instance_of::<PyOverflowError>(object.py()) => Err(error),
        _ => {
            let (least, most) = range.into_inner();
            let given = object.str()?;
            let message = format!("{what} {given} is out of range: {least} to {most}");
            Err(PyValueError::new_err(message))
        }
    }
}

/// The types of Rust's ints.
pub trait Bounded: TryFrom<i128> {
    const RANGE: RangeInclusive<i128>;
}

macro_rules! ints {
    ($($type:ty)*) => {
        $(impl Bounded for $type {
            const RANGE: RangeInclusive<i128> = <$type>::MIN as i128..=<$type>::MAX as i128;
        })*
    };
}

ints! { u8 u16 u32 usize i32 i64 }

/// `object` as a number of this type; the errors begin with `what` it is.
pub fn number<T: Bounded>(what: &str, object: &Bound<'_, PyAny>) -> PyResult<T> {
    let wide = number_within(what, object, T::RANGE)?;
    // It is in the type's range.
    T::try_from(wide).map_err(|_| PyOverflowError::new_err(wide))
}

/// The same for an argument that may be left out.
pub fn optional_number<T: Bounded>(
    what: &str,
    object: Option<&Bound<'_, PyAny>>,
) -> PyResult<Option<T>> {
    object.map(|object| number(what, object)).transpose()
}

/// A number that fits in `T`, as the type of a function's argument.
pub struct Int<T>(pub T);

impl<'a, 'py, T: Bounded> FromPyObject<'a, 'py> for Int<T> {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Int<T>> {
        number("the number", &object).map(Int)
    }
}

/// The name of an object's type, for messages.
pub fn type_name(object: &Bound<'_, PyAny>) -> String {
    object.get_type().name().map_or_else(|_| "that".to_owned(), |name| name.to_string())
}
