//! What a queue raises: `queue.Empty`, `queue.Full`, `queue.ShutDown`.

use pyo3::exceptions::{PyAttributeError, PyException};
use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::once::Once;

/// Made while the module is imported (`register`), before anybody can fork in between.
#[allow(clippy::disallowed_types)]
mod own {
    pyo3::create_exception!(
        pyuv.thread,
        ShutDown,
        super::PyException,
        "Raised by put and get of a queue that was shut down."
    );
}

struct Classes {
    empty: Py<PyType>,
    full: Py<PyType>,
    shut_down: Py<PyType>,
}

/// The standard library's classes; a ShutDown of our own where it has none, before Python 3.13.
fn classes(py: Python<'_>) -> PyResult<&Classes> {
    static CLASSES: Once<Classes> = Once::new();
    CLASSES.get_or_try_init(py, || {
        let module = py.import("queue")?;
        let class = |name| PyResult::Ok(module.getattr(name)?.cast_into::<PyType>()?.unbind());
        let shut_down = match class("ShutDown") {
            Err(error) if error.is_instance_of::<PyAttributeError>(py) => {
                py.get_type::<own::ShutDown>().unbind()
            }
            found => found?,
        };
        Ok(Classes { empty: class("Empty")?, full: class("Full")?, shut_down })
    })
}

fn raise(py: Python<'_>, choose: impl FnOnce(&Classes) -> &Py<PyType>) -> PyErr {
    match classes(py) {
        Ok(classes) => PyErr::from_type(choose(classes).bind(py).clone(), ()),
        Err(error) => error,
    }
}

/// `queue.Empty`.
pub fn empty(py: Python<'_>) -> PyErr {
    raise(py, |classes| &classes.empty)
}

/// `queue.Full`.
pub fn full(py: Python<'_>) -> PyErr {
    raise(py, |classes| &classes.full)
}

/// `queue.ShutDown`.
pub fn shut_down(py: Python<'_>) -> PyErr {
    raise(py, |classes| &classes.shut_down)
}

/// Adds the classes, under their own names.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let classes = classes(module.py())?;
    module.add("Empty", &classes.empty)?;
    module.add("Full", &classes.full)?;
    module.add("ShutDown", &classes.shut_down)
}
