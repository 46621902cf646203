//! Trees in one call.

use pyo3::prelude::*;

mod copytree;
mod dispatch;
mod du;
mod options;
mod read_many;
mod request;
mod results;
mod rmtree;
mod walk;

/// Adds the functions, and the types of what they give.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<request::TreeRequest>()?;
    results::register(module)?;
    module.add_function(wrap_pyfunction!(copytree::copytree, module)?)?;
    module.add_function(wrap_pyfunction!(du::du, module)?)?;
    module.add_function(wrap_pyfunction!(read_many::read_many, module)?)?;
    module.add_function(wrap_pyfunction!(rmtree::rmtree, module)?)?;
    module.add_function(wrap_pyfunction!(walk::walk, module)?)
}
