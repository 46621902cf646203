//! How long a queue may wait: the arguments `block` and `timeout`, as `queue.Queue` has them.

use std::time::{Duration, Instant};

use pyo3::exceptions::{PyOverflowError, PyValueError};
use pyo3::prelude::*;
use pyuv::thread::How;

/// The longest timeout in seconds, as `threading.TIMEOUT_MAX`.
const LONGEST: f64 = i64::MAX as f64 / 1e9;

/// How long to wait.
#[derive(Clone, Copy)]
pub enum Limit {
    Now,
    Seconds(f64),
    Never,
}

impl Limit {
    /// `timeout` is looked at only if `block` says so and then if `applies` does: where there can
    /// be nothing to wait for, any value passes.
    #[inline]
    pub fn new(
        block: bool,
        timeout: Option<&Bound<'_, PyAny>>,
        applies: impl FnOnce() -> PyResult<bool>,
    ) -> PyResult<Limit> {
        match timeout {
            _ if !block => Ok(Limit::Now),
            Some(timeout) if applies()? => {
                let seconds = timeout.extract()?;
                if seconds < 0.0 {
                    return Err(PyValueError::new_err(format!(
                        "'timeout' must be a non-negative number, not {seconds}"
                    )));
                }
                Ok(Limit::Seconds(seconds))
            }
            _ => Ok(Limit::Never),
        }
    }

    /// What the first attempt is to do.
    #[inline]
    pub fn how(self) -> How {
        match self {
            Limit::Now => How::Once,
            Limit::Seconds(_) | Limit::Never => How::Wait,
        }
    }

    /// When to stop waiting. A time that no clock can hold is refused here, when it is known that
    /// there is something to wait for.
    pub fn deadline(self) -> PyResult<Option<Instant>> {
        match self {
            Limit::Now | Limit::Never => Ok(None),
            Limit::Seconds(seconds) if seconds.is_nan() => {
                Err(PyValueError::new_err("'timeout' must be a non-negative number, not nan"))
            }
            Limit::Seconds(seconds) if seconds > LONGEST => {
                Err(PyOverflowError::new_err(format!("timeout value is too large: {seconds}")))
            }
            Limit::Seconds(seconds) => {
                Ok(Instant::now().checked_add(Duration::from_secs_f64(seconds)))
            }
        }
    }
}
