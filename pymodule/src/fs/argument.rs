//! Numbers on their way from Python: what does not fit is a ValueError that names it.

use pyo3::exceptions::{PyOverflowError, PyValueError};
use pyo3::prelude::*;
use pyuv_fs::{COPYFILE_EXCL, COPYFILE_FICLONE, COPYFILE_FICLONE_FORCE, MAX_LENGTH};

/// The integer `value`, unless it is outside `least..=most`.
fn within(value: Borrowed<'_, '_, PyAny>, what: &str, least: i64, most: i64) -> PyResult<i64> {
    match value.extract::<i64>() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        Err(error) if !error.is_instance_of::<PyOverflowError>(value.py()) => Err(error),
        _ => Err(PyValueError::new_err(format!(
            "{what} is {}, which is not between {least} and {most}",
            value.str()?
        ))),
    }
}

const COPY_FLAGS: i32 = COPYFILE_EXCL | COPYFILE_FICLONE | COPYFILE_FICLONE_FORCE;

/// One of the types below, for arguments that have a default: `help` shows that only where it is a literal.
pub trait Number: for<'a, 'py> FromPyObject<'a, 'py, Error = PyErr> {
    type Plain;

    fn plain(self) -> Self::Plain;
}

/// An argument as `N` has it, without its type.
pub fn plain<N: Number>(value: &Bound<'_, PyAny>) -> PyResult<N::Plain> {
    value.extract::<N>().map(N::plain)
}

macro_rules! integers {
    ($($(#[$doc:meta])* $name:ident($type:ty): $what:literal, $least:expr, $most:expr, |$number:ident| $convert:expr;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy)]
            pub struct $name(pub $type);

            impl Number for $name {
                type Plain = $type;

                fn plain(self) -> $type {
                    self.0
                }
            }

            impl<'a, 'py> FromPyObject<'a, 'py> for $name {
                type Error = PyErr;

                fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
                    let $number = within(value, $what, $least, $most)?;
                    Ok($name($convert))
                }
            }
        )*
    };
}

integers! {
    /// An fd. Negative ones are left to the operation, which answers `UV_EBADF`.
    Fd(i32): "the fd", i32::MIN.into(), i32::MAX.into(), |number| number as i32;
    /// Permissions.
    Mode(u32): "the mode", 0, i32::MAX.into(), |number| number as u32;
    /// Flags of `open`, `access` or `symlink`.
    Flags(i32): "the flags", i32::MIN.into(), i32::MAX.into(), |number| number as i32;
    /// A user's or a group's number; -1 leaves it as it is.
    Id(u32): "the id", -1, u32::MAX.into(), |number| number as u32;
    /// A length of a file.
    Size(u64): "the size", 0, i64::MAX, |number| number as u64;
    /// A place in a file.
    Place(u64): "the offset", 0, i64::MAX, |number| number as u64;
    /// A place in a file; -1 is where the file stands.
    Offset(Option<u64>): "the offset", -1, i64::MAX, |number| u64::try_from(number).ok();
    /// Flags of `copyfile`.
    CopyFlags(i32): "the flags", 0, COPY_FLAGS.into(), |number| number as i32;
    /// How many entries of a folder; more than memory holds are left to the operation.
    Count(usize): "the count", 1, i64::MAX, |number| usize::try_from(number).unwrap_or(usize::MAX);
    /// How many bytes one call is to move.
    Length(usize): "the length", 0, MAX_LENGTH as i64, |number| number as usize;
}

/// Seconds since 1970; infinity is now, NaN leaves the time as it is.
#[derive(Clone, Copy)]
pub struct Seconds(pub f64);

impl<'a, 'py> FromPyObject<'a, 'py> for Seconds {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let seconds: f64 = value.extract()?;
        if seconds.abs() < 9.0e18 || seconds.is_nan() || seconds == pyuv_fs::NOW {
            return Ok(Seconds(seconds));
        }
        Err(PyValueError::new_err(format!("the time {seconds} is out of range")))
    }
}
