//! What becomes of an exception from a callback: `Loop.excepthook`.

use pyo3::exceptions::{PyAttributeError, PyBaseException, PyKeyboardInterrupt, PySystemExit};
use pyo3::prelude::*;

use crate::call::{call, callable};
use crate::r#loop::Loop;

impl Loop {
    /// KeyboardInterrupt and SystemExit stop the loop and leave `run`; others go to `excepthook`,
    /// and the loop goes on.
    pub fn handle_exception(slf: &Bound<'_, Loop>, error: PyErr) {
        let py = slf.py();
        if ends_the_program(py, &error) {
            let this = slf.get();
            // One that is closed has nothing to stop.
            if let Ok(core) = this.core() {
                core.stop_from_callback();
            }
            this.stopped_by.set(Some(error.into_value(py).into_bound(py).into_any()));
            return;
        }
        match slf.as_any().getattr(pyo3::intern!(py, "excepthook")) {
            Ok(hook) if !hook.is_none() => {
                let value = error.value(py).clone().into_any();
                let traceback = error
                    .traceback(py)
                    .map_or_else(|| py.None().into_bound(py), |traceback| traceback.into_any());
                let kind = error.get_type(py).into_any();
                if let Err(second) = call(&hook, [&kind, &value, &traceback]) {
                    if ends_the_program(py, &second) {
                        Loop::handle_exception(slf, second);
                    } else {
                        print(py, "Unhandled exception in excepthook\n", &second, "\n");
                        print_unhandled(py, &error);
                    }
                }
                return;
            }
            Ok(_) => {}
            Err(missing) if missing.is_instance_of::<PyAttributeError>(py) => {}
            Err(second) => print(py, "Exception while getting excepthook\n", &second, "\n"),
        }
        print_unhandled(py, &error);
    }
}

#[pymethods]
impl Loop {
    /// Called with (type, value, traceback) of an exception from a callback: at first a method
    /// that prints it, as None has it printed.
    #[getter]
    fn excepthook<'py>(slf: &Bound<'py, Loop>) -> PyResult<Bound<'py, PyAny>> {
        let this = slf.get();
        // One that is not initialised yet is nobody's.
        let held = this.core().ok().map(|_| this.hold()).transpose()?;
        let hook = this.excepthook.get(slf.py());
        drop(held);
        match hook {
            Some(hook) => Ok(hook),
            None => slf.as_any().getattr(pyo3::intern!(slf.py(), "_print_exception")),
        }
    }

    #[setter]
    fn set_excepthook(&self, py: Python<'_>, hook: Option<Bound<'_, PyAny>>) -> PyResult<()> {
        let hook = hook.map_or_else(|| Ok(py.None().into_bound(py)), callable)?;
        let held = self.core().ok().map(|_| self.hold()).transpose()?;
        let earlier = self.excepthook.replace(py, Some(hook));
        drop(held);
        drop(earlier);
        Ok(())
    }

    /// What `excepthook` is of a loop that was given none.
    #[pyo3(signature = (r#type, value, traceback, /))]
    fn _print_exception(
        &self,
        r#type: &Bound<'_, PyAny>,
        value: &Bound<'_, PyBaseException>,
        traceback: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let _ = r#type;
        if !traceback.is_none() {
            value.setattr(pyo3::intern!(value.py(), "__traceback__"), traceback)?;
        }
        print_unhandled(value.py(), &PyErr::from_value(value.clone().into_any()));
        Ok(())
    }
}

fn ends_the_program(py: Python<'_>, error: &PyErr) -> bool {
    error.is_instance_of::<PyKeyboardInterrupt>(py) || error.is_instance_of::<PySystemExit>(py)
}

fn print_unhandled(py: Python<'_>, error: &PyErr) {
    print(py, "Unhandled exception in callback\n", error, "");
}

/// Writes a traceback between two texts to `sys.stderr`, if there is one.
fn print(py: Python<'_>, before: &str, error: &PyErr, after: &str) {
    let write = |text: &str| {
        py.import("sys").and_then(|sys| sys.getattr("stderr")).and_then(|stderr| {
            if stderr.is_none() { Ok(stderr) } else { stderr.call_method1("write", (text,)) }
        })
    };
    // A stderr that cannot be written to has nowhere to say so.
    let _ = write(before);
    error.display(py);
    if !after.is_empty() {
        let _ = write(after);
    }
}
