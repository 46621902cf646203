//! `uv_fs_mkdtemp` and `uv_fs_mkstemp`

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;

use crate::fs::dispatch::dispatch;
use crate::fs::path::{PathArgument, name_to_py};
use crate::fs::request::About;
use crate::r#loop::Loop;

/// Makes a folder that only its owner may use, named as template with other characters for the
/// six X that it ends in (uv_fs_mkdtemp). Gives its path: bytes if template is bytes, otherwise
/// str.
#[pyfunction]
#[pyo3(signature = (r#loop, template, callback = None))]
pub fn mkdtemp<'py>(
    r#loop: &Bound<'py, Loop>,
    template: PathArgument<'py>,
    callback: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let operation = pyuv_fs::mkdtemp(template.as_c_str()?);
    let as_bytes = template.is_bytes();
    let about = || About {
        call: "mkdtemp",
        path: Some(template.given().clone().unbind()),
        ..About::default()
    };
    dispatch(r#loop, callback, about, operation, move |py, path| {
        Ok(name_to_py(py, &path, as_bytes)?.unbind())
    })
}

/// Makes a file that only its owner may use, named as mkdtemp names folders, and opens it
/// (uv_fs_mkstemp). Gives (fd, path), as tempfile.mkstemp does.
#[pyfunction]
#[pyo3(signature = (r#loop, template, callback = None))]
pub fn mkstemp<'py>(
    r#loop: &Bound<'py, Loop>,
    template: PathArgument<'py>,
    callback: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let operation = pyuv_fs::mkstemp(template.as_c_str()?);
    let as_bytes = template.is_bytes();
    let about = || About {
        call: "mkstemp",
        path: Some(template.given().clone().unbind()),
        ..About::default()
    };
    dispatch(r#loop, callback, about, operation, move |py, made| {
        let result = (made.fd.fd(), name_to_py(py, &made.path, as_bytes)?).into_py_any(py)?;
        made.fd.into_fd();
        Ok(result)
    })
}
