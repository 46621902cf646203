//! Methods that are called most, on a short way in.
//!
//! PyO3 sorts out the arguments of a method and checks what it is called on each time. A raw method
//! is given what CPython's vectorcall has, and looks at no more than it needs. It is put on its class
//! as an ordinary method descriptor, which CPython's interpreter calls directly where the class is
//! the very one that defines it.

use std::ffi::{CStr, CString};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::{ptr, slice};

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyType};

/// What a raw method is called with.
#[derive(Clone, Copy)]
pub struct Arguments<'a, 'py> {
    /// Those by position, and those by name behind them.
    all: &'a [*mut ffi::PyObject],
    count: usize,
    /// The tuple of names, or null.
    names: *mut ffi::PyObject,
    py: Python<'py>,
}

impl<'a, 'py> Arguments<'a, 'py> {
    /// How many there are by position.
    #[inline]
    pub fn count(&self) -> usize {
        self.count
    }

    /// The tuple of the names of the others, or null.
    #[inline]
    pub fn names(&self) -> *mut ffi::PyObject {
        self.names
    }

    /// The argument at `index`; those by name stand behind those by position.
    ///
    /// # Panics
    /// If there are not so many.
    #[inline]
    pub fn at(&self, index: usize) -> Borrowed<'a, 'py, PyAny> {
        // SAFETY: the caller of the method keeps its arguments until it returns.
        unsafe { Borrowed::from_ptr(self.py, self.all[index]) }
    }

    /// Those by position from `start` on, as a tuple.
    #[cfg_attr(PyPy, expect(dead_code, reason = "for pyuv.asyncio"))]
    pub fn tuple_from(&self, start: usize) -> PyResult<Bound<'py, PyTuple>> {
        let rest = self.all.get(start..self.count).unwrap_or_default();
        // SAFETY: the tuple is filled before anybody sees it.
        unsafe {
            let tuple = ffi::PyTuple_New(rest.len() as ffi::Py_ssize_t);
            let tuple = Bound::from_owned_ptr_or_err(self.py, tuple)?;
            for (index, argument) in rest.iter().enumerate() {
                let argument = ffi::Py_NewRef(*argument);
                ffi::PyTuple_SetItem(tuple.as_ptr(), index as ffi::Py_ssize_t, argument);
            }
            Ok(tuple.cast_into_unchecked())
        }
    }

    /// The argument called `name`, the only one that may be given by name. TypeError for another.
    #[cfg_attr(PyPy, expect(dead_code, reason = "for pyuv.asyncio"))]
    pub fn named(&self, name: &str) -> PyResult<Option<Borrowed<'a, 'py, PyAny>>> {
        if self.names.is_null() {
            return Ok(None);
        }
        let mut found = None;
        // SAFETY: CPython gives a tuple of strings.
        let names = unsafe { Borrowed::from_ptr(self.py, self.names).cast_unchecked::<PyTuple>() };
        for (index, given) in names.iter().enumerate() {
            if given.extract::<&str>().ok() != Some(name) {
                return Err(PyTypeError::new_err(format!(
                    "unexpected keyword argument {}",
                    given.repr()?
                )));
            }
            found = Some(self.at(self.count + index));
        }
        Ok(found)
    }

    /// Fails with TypeError unless there are so many by position, and none by name.
    #[cfg_attr(PyPy, expect(dead_code, reason = "for pyuv.asyncio"))]
    pub fn expect(&self, count: usize) -> PyResult<()> {
        if self.count == count && self.names.is_null() {
            return Ok(());
        }
        Err(PyTypeError::new_err(format!("{count} positional arguments expected")))
    }

    /// Calls another callable with `slf` and the same arguments.
    pub fn pass_on(
        &self,
        slf: &Bound<'py, PyAny>,
        callable: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut stack = Vec::with_capacity(1 + self.all.len());
        stack.push(slf.as_ptr());
        stack.extend_from_slice(self.all);
        // SAFETY: the stack has `slf` and as many arguments as there are, those with names last.
        unsafe {
            let result = ffi::PyObject_Vectorcall(
                callable.as_ptr(),
                stack.as_ptr(),
                1 + self.count,
                self.names,
            );
            Bound::from_owned_ptr_or_err(self.py, result)
        }
    }
}

/// A method with such a way in.
pub trait RawMethod {
    const NAME: &'static CStr;

    /// Calls it on an instance of the class that it was put on, or of a subclass.
    fn call<'py>(slf: &Bound<'py, PyAny>, arguments: Arguments<'_, 'py>) -> PyResult<Py<PyAny>>;
}

/// Puts `M` on a class, with this signature and documentation.
pub fn install<M: RawMethod>(
    class: &Bound<'_, PyType>,
    signature: &str,
    doc: &str,
) -> PyResult<()> {
    let py = class.py();
    let name = M::NAME.to_string_lossy();
    // As `PyMethodDef` wants it: the signature first.
    let doc = CString::new(format!("{name}{signature}\n--\n\n{doc}"))?;
    // A class looks at its methods' definitions as long as it lives, and these live for ever.
    let definition = Box::leak(Box::new(ffi::PyMethodDef {
        ml_name: M::NAME.as_ptr(),
        ml_meth: ffi::PyMethodDefPointer { PyCFunctionFastWithKeywords: entry::<M> },
        ml_flags: ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
        ml_doc: doc.into_raw(),
    }));
    // SAFETY: the definition stays, and `entry` is a function of the kind that its flags name.
    let method = unsafe {
        let method = ffi::PyDescr_NewMethod(class.as_type_ptr(), definition);
        Bound::from_owned_ptr_or_err(py, method)?
    };
    class.setattr(&*name, method)
}

/// `METH_FASTCALL | METH_KEYWORDS`.
unsafe extern "C" fn entry<M: RawMethod>(
    slf: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: CPython calls methods attached, with as many arguments as it says, and on instances
    // of the class that the descriptor was made for alone.
    unsafe {
        let py = Python::assume_attached();
        let count = count as usize;
        let named = if names.is_null() { 0 } else { ffi::PyTuple_Size(names) as usize };
        let all = match count + named {
            0 => &[],
            length => slice::from_raw_parts(arguments, length),
        };
        let slf = Borrowed::from_ptr(py, slf);
        let arguments = Arguments { all, count, names, py };
        // A panic must not cross C.
        let outcome = catch_unwind(AssertUnwindSafe(|| M::call(&slf, arguments)));
        let panicked = |_| {
            let name = M::NAME.to_string_lossy();
            Err(PyRuntimeError::new_err(format!("pyuv panicked in {name}")))
        };
        match outcome.unwrap_or_else(panicked) {
            Ok(result) => result.into_ptr(),
            Err(error) => {
                error.restore(py);
                ptr::null_mut()
            }
        }
    }
}
