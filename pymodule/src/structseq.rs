//! Named results: struct sequences, the kind of type that `os.stat_result` is.
//!
//! They are the one mechanism of this package for results with named fields. Against NamedTuple
//! classes defined in Python: pyuv 1.4 had them, filling one from Rust is a single allocation and
//! no call into Python (`fs.stat` makes one per file), and they are tuples all the same: they
//! compare, unpack, match by position and pickle.

use std::ffi::{CStr, c_int};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::c_api;
use crate::once::Once;

/// A struct sequence type with `N` fields, made when it is first used.
pub struct StructSeq<const N: usize> {
    name: &'static CStr,
    doc: &'static CStr,
    fields: [(&'static CStr, &'static CStr); N],
    made: Once<Py<PyType>>,
}

impl<const N: usize> StructSeq<N> {
    /// A type of this full name (`c"pyuv.util.uname_result"`), whose fields have names and docs.
    pub const fn new(
        name: &'static CStr,
        doc: &'static CStr,
        fields: [(&'static CStr, &'static CStr); N],
    ) -> StructSeq<N> {
        StructSeq { name, doc, fields, made: Once::new() }
    }

    /// The Python type.
    pub fn get<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, PyType>> {
        Ok(self.made.get_or_try_init(py, || self.make_type(py))?.bind(py))
    }

    /// One result with these values.
    pub fn make<'py>(
        &self,
        py: Python<'py>,
        values: [Bound<'py, PyAny>; N],
    ) -> PyResult<Bound<'py, PyAny>> {
        let made = self.get(py)?;
        // SAFETY: the type was made by PyStructSequence_NewType; New gives a new reference or
        // null with an exception set.
        let result = unsafe {
            Bound::from_owned_ptr_or_err(py, ffi::PyStructSequence_New(made.as_type_ptr()))?
        };
        for (index, value) in (0..).zip(values) {
            // SAFETY: the type has N fields and so many values are there; SetItem takes over the
            // reference, and nobody else has seen the new object yet.
            unsafe { c_api::PyStructSequence_SetItem(result.as_ptr(), index, value.into_ptr()) };
        }
        Ok(result)
    }

    /// Adds the type to `module` under the last part of its name.
    pub fn register(&self, module: &Bound<'_, PyModule>) -> PyResult<()> {
        let made = self.get(module.py())?;
        module.add(made.name()?, made)
    }

    fn make_type(&self, py: Python<'_>) -> PyResult<Py<PyType>> {
        let end = ffi::PyStructSequence_Field { name: std::ptr::null(), doc: std::ptr::null() };
        let mut fields: Vec<_> = self
            .fields
            .iter()
            .map(|(name, doc)| ffi::PyStructSequence_Field {
                name: name.as_ptr(),
                doc: doc.as_ptr(),
            })
            .chain([end])
            .collect();
        let mut description = ffi::PyStructSequence_Desc {
            name: self.name.as_ptr(),
            doc: self.doc.as_ptr(),
            fields: fields.as_mut_ptr(),
            n_in_sequence: N as c_int,
        };
        // SAFETY: CPython reads the description and the null-ended fields during the call only;
        // of the strings it may keep the pointers, and those are 'static. NewType gives a new
        // reference or null with an exception set.
        let made = unsafe {
            let made = c_api::PyStructSequence_NewType(&raw mut description);
            Bound::from_owned_ptr_or_err(py, made.cast())?
        };
        Ok(made.cast_into::<PyType>()?.unbind())
    }
}

/// `objects![py, a, b]`: the Python objects for these Rust values, as [`StructSeq::make`] takes them.
macro_rules! objects {
    ($py:expr, $($value:expr),+ $(,)?) => {
        [$(pyo3::IntoPyObjectExt::into_bound_py_any($value, $py)?),+]
    };
}

pub(crate) use objects;
