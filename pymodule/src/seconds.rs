//! Times as Python gives them: seconds, in a float.

use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Seconds as a duration, or a ValueError that names the value: negative, not a number, or more
/// than libuv's clock can hold.
pub fn duration(name: &str, seconds: f64) -> PyResult<Duration> {
    const LONGEST: f64 = 1e12;
    if (0.0..=LONGEST).contains(&seconds) {
        return Ok(Duration::from_secs_f64(seconds));
    }
    Err(PyValueError::new_err(format!(
        "{name} must be between 0 and {LONGEST:e} seconds, not {seconds}"
    )))
}
