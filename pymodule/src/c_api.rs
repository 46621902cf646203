//! Functions of Python's C API that pyo3-ffi leaves out, everywhere or on PyPy.

use std::ffi::c_int;

use pyo3::ffi;

unsafe extern "C" {
    /// Cuts or grows `bytes` that nobody else has: takes them over and gives back them, or others,
    /// or null with an exception.
    #[cfg_attr(PyPy, link_name = "_PyPyBytes_Resize")]
    pub fn _PyBytes_Resize(bytes: *mut *mut ffi::PyObject, length: ffi::Py_ssize_t) -> c_int;

    /// A new struct sequence type, or null with an exception.
    #[cfg_attr(PyPy, link_name = "PyPyStructSequence_NewType")]
    pub fn PyStructSequence_NewType(
        description: *mut ffi::PyStructSequence_Desc,
    ) -> *mut ffi::PyTypeObject;

    /// Fills a field of a new struct sequence, and takes over the reference to the value.
    #[cfg_attr(PyPy, link_name = "PyPyStructSequence_SetItem")]
    pub fn PyStructSequence_SetItem(
        sequence: *mut ffi::PyObject,
        index: ffi::Py_ssize_t,
        value: *mut ffi::PyObject,
    );
}
