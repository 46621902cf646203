//! What becomes of an exception from a callback: `Loop.excepthook`.

use pyo3::exceptions::{PyAttributeError, PyBaseException, PyKeyboardInterrupt, PySystemExit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::call::{call, callable};
use crate::r#loop::Loop;
use crate::once::intern;

/// Whose callback raised an exception, and of which event.
pub type Source<'a, 'py> = Option<(&'a Bound<'py, PyAny>, &'a str)>;

impl Loop {
    /// An exception of a callback: of whose, and of which event, is said by `source`.
    ///
    /// KeyboardInterrupt and SystemExit stop the loop and leave `run`; others go to `excepthook`,
    /// and the loop goes on.
    pub fn handle_exception(slf: &Bound<'_, Loop>, error: PyErr, source: Source<'_, '_>) {
        let py = slf.py();
        if ends_the_program(py, &error) {
            let this = slf.get();
            // One that is closed has nothing to stop.
            if let Ok(core) = this.core() {
                let _ = core.stop();
            }
            this.stopped_by.set(Some(error.into_value(py).into_bound(py).into_any()));
            return;
        }
        match slf.as_any().getattr(intern!(py, "excepthook")) {
            Ok(hook) if !hook.is_none() => {
                let value = error.value(py).clone().into_any();
                let traceback = error
                    .traceback(py)
                    .map_or_else(|| py.None().into_bound(py), |traceback| traceback.into_any());
                let kind = error.get_type(py).into_any();
                if let Err(second) = call_hook(&hook, [&kind, &value, &traceback], source) {
                    if ends_the_program(py, &second) {
                        Loop::handle_exception(slf, second, source);
                    } else {
                        print(py, "Unhandled exception in excepthook\n", &second, "\n");
                        print_unhandled(py, &error, source);
                    }
                }
                return;
            }
            Ok(_) => {}
            Err(missing) if missing.is_instance_of::<PyAttributeError>(py) => {}
            Err(second) => print(py, "Exception while getting excepthook\n", &second, "\n"),
        }
        print_unhandled(py, &error, source);
    }
}

#[pymethods]
impl Loop {
    /// Called with (type, value, traceback) of an exception from a callback: at first a method
    /// that prints it, as None has it printed. One that has parameters of these names is given
    /// `handle`, the handle, request or channel whose callback it was, and `event`, a word for
    /// what the callback was told of; both None where there is none.
    #[getter]
    fn excepthook<'py>(slf: &Bound<'py, Loop>) -> PyResult<Bound<'py, PyAny>> {
        let this = slf.get();
        // One that is not initialised yet is nobody's.
        let held = this.core().ok().map(|_| this.hold()).transpose()?;
        let hook = this.excepthook.get(slf.py());
        drop(held);
        match hook {
            Some(hook) => Ok(hook),
            None => slf.as_any().getattr(intern!(slf.py(), "_print_exception")),
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
    #[pyo3(signature = (r#type, value, traceback, /, handle=None, event=None))]
    fn _print_exception(
        &self,
        r#type: &Bound<'_, PyAny>,
        value: &Bound<'_, PyBaseException>,
        traceback: &Bound<'_, PyAny>,
        handle: Option<&Bound<'_, PyAny>>,
        event: Option<&str>,
    ) -> PyResult<()> {
        let _ = r#type;
        if !traceback.is_none() {
            value.setattr(intern!(value.py(), "__traceback__"), traceback)?;
        }
        let error = PyErr::from_value(value.clone().into_any());
        print_unhandled(
            value.py(),
            &error,
            handle.map(|handle| (handle, event.unwrap_or("unknown"))),
        );
        Ok(())
    }
}

pub fn ends_the_program(py: Python<'_>, error: &PyErr) -> bool {
    error.is_instance_of::<PyKeyboardInterrupt>(py) || error.is_instance_of::<PySystemExit>(py)
}

/// Calls a hook, with whose callback it was and of which event if it has parameters for that.
fn call_hook<'py>(
    hook: &Bound<'py, PyAny>,
    raised: [&Bound<'py, PyAny>; 3],
    source: Source<'_, 'py>,
) -> PyResult<()> {
    let py = hook.py();
    let named = PyDict::new(py);
    // Where a signature cannot be had, as of some that are written in C, it has no such parameters.
    if let Ok(parameters) = parameters(hook) {
        let (handle, event) = source.unzip();
        if parameters.contains(intern!(py, "handle")).unwrap_or(false) {
            named.set_item(intern!(py, "handle"), handle)?;
        }
        if parameters.contains(intern!(py, "event")).unwrap_or(false) {
            named.set_item(intern!(py, "event"), event)?;
        }
    }
    if named.is_empty() {
        return call(hook, raised);
    }
    hook.call(PyTuple::new(py, raised)?, Some(&named)).map(drop)
}

/// The parameters of a callable, as `inspect` has them.
fn parameters<'py>(callable: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let inspect = callable.py().import(intern!(callable.py(), "inspect"))?;
    inspect.call_method1(intern!(callable.py(), "signature"), (callable,))?.getattr("parameters")
}

/// Prints the traceback, whose first line says whose callback it was: the program of 1.4's users may expect
/// that nothing comes before or after what it has always been.
fn print_unhandled(py: Python<'_>, error: &PyErr, source: Source<'_, '_>) {
    const WHAT: &str = "Unhandled exception in callback\n";
    let Some((handle, event)) = source else { return print(py, WHAT, error, "") };
    let name = handle.repr().map(|name| name.to_string());
    // A repr of a subclass may fail.
    let name = name.unwrap_or_else(|_| handle.get_type().to_string());
    let whose = format!("  In the callback of {name}, event: {event}\n");
    match formatted(py, error) {
        Ok(text) => write(py, &format!("{WHAT}{}", with_first_line(&text, &whose))),
        // Where the interpreter ends, nothing can be imported.
        Err(_) => print(py, WHAT, error, &whose),
    }
}

/// What Python would print of it.
fn formatted(py: Python<'_>, error: &PyErr) -> PyResult<String> {
    let format = py.import(intern!(py, "traceback"))?.getattr(intern!(py, "format_exception"))?;
    // Up to Python 3.11 the exception itself may not know its traceback.
    let raised = (error.get_type(py), error.value(py), error.traceback(py));
    let lines: Vec<String> = format.call1(raised)?.extract()?;
    Ok(lines.concat())
}

/// A traceback with one more line at the beginning: of the exception itself, where those that led to it are
/// printed before.
fn with_first_line(text: &str, line: &str) -> String {
    const HEAD: &str = "Traceback (most recent call last):\n";
    match text.rfind(&format!("\n{HEAD}")).map(|at| at + 1).or(text.starts_with(HEAD).then_some(0))
    {
        Some(at) => {
            let (before, after) = text.split_at(at + HEAD.len());
            format!("{before}{line}{after}")
        }
        // A group has a frame of its own around it.
        None if text.contains(HEAD) => format!("{text}{line}"),
        None => format!("{HEAD}{line}{text}"),
    }
}

/// Writes a traceback between two texts to `sys.stderr`, if there is one.
fn print(py: Python<'_>, before: &str, error: &PyErr, after: &str) {
    write(py, before);
    error.display(py);
    if !after.is_empty() {
        write(py, after);
    }
}

fn write(py: Python<'_>, text: &str) {
    // A stderr that cannot be written to has nowhere to say so.
    let _ = py.import("sys").and_then(|sys| sys.getattr("stderr")).and_then(|stderr| {
        if stderr.is_none() { Ok(stderr) } else { stderr.call_method1("write", (text,)) }
    });
}
