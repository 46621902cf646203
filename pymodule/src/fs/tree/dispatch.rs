//! A job on a tree, at once or on the loop it was asked with.

use std::ops::ControlFlow;
use std::time::Duration;

use pyo3::exceptions::PySystemExit;
use pyo3::prelude::*;
use pyo3::types::PyList;
use pyuv_fs::tree::{Ended, Told, Tree, Work};

use crate::call::call;
use crate::error::{FSError, fs_error, in_call};
use crate::exit;
use crate::fs::path::PathArgument;
use crate::fs::request::About;
use crate::fs::tree::options::Options;
use crate::fs::tree::request::{Tell, TreeRequest};
use crate::fs::tree::results::{error_list, progress_result};
use crate::life::back::Back;
use crate::r#loop::Loop;

/// How often progress is told at most.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// How a job's Rust values become Python's.
pub trait Convert<W: Work>: Send + 'static {
    /// Whether this path, of an error, is told as bytes.
    fn path_as_bytes(&self, path: &[u8]) -> bool;

    fn batch(&self, py: Python<'_>, batch: W::Batch) -> PyResult<Py<PyAny>>;

    fn output(
        &self,
        py: Python<'_>,
        output: W::Output,
        errors: Bound<'_, PyList>,
    ) -> PyResult<Py<PyAny>>;
}

/// Does the job now, with the GIL released, and gives its result; with a callback, submits it and
/// gives the `TreeRequest`. `on_batch` gets what is found as it goes.
pub fn dispatch<'py, W: Work>(
    event_loop: &Bound<'py, Loop>,
    options: Options<'py>,
    on_batch: Option<Bound<'py, PyAny>>,
    about: About,
    tree: Tree<W>,
    convert: impl Convert<W> + Clone + Sync,
) -> PyResult<Bound<'py, PyAny>> {
    let mut tree = options.apply(tree);
    if options.progress.is_some() {
        tree = tree.progress_every(PROGRESS_EVERY);
    }
    let Some(callback) = options.callback.clone() else {
        return run(event_loop.py(), &options, on_batch, about, tree, convert);
    };
    let core = event_loop.get().core()?;
    let call = about.call;
    let request = TreeRequest::new(event_loop, about, callback, &options, on_batch)?;
    let back = Back::new(&request);
    let for_told = convert.clone();
    let told = move |told: Told<W::Batch>| {
        // SAFETY: the core runs this closure; the loop's table keeps the request until `end`.
        let Some(request) = (unsafe { back.object() }) else { return };
        let py = request.py();
        match told {
            Told::Progress(progress) => TreeRequest::tell(&request, Tell::Progress, || {
                progress_result(py, progress).map(Bound::unbind)
            }),
            Told::Batch(batch) => {
                TreeRequest::tell(&request, Tell::Batch, || for_told.batch(py, batch));
            }
        }
    };
    let done = move |ended: Ended<W::Output>| {
        // SAFETY: as above.
        let Some(request) = (unsafe { back.object() }) else { return };
        let py = request.py();
        let errors = error_list(py, &ended.errors, |path| convert.path_as_bytes(path));
        match (ended.result, errors) {
            (Ok(output), Ok(errors)) => {
                let result = convert.output(py, output, errors.clone());
                TreeRequest::end(&request, Ok(result), Some(errors));
            }
            (Ok(_), Err(error)) => TreeRequest::end(&request, Ok(Err(error)), None),
            (Err(error), errors) => TreeRequest::end(&request, Err(error), errors.ok()),
        }
    };
    let held = event_loop.get().hold()?;
    let submitted = tree.submit(core, told, done).map_err(in_call::<FSError>(call))?;
    TreeRequest::submitted(&request, event_loop, &held, submitted);
    Ok(request.into_any())
}

fn run<'py, W: Work>(
    py: Python<'py>,
    options: &Options<'py>,
    on_batch: Option<Bound<'py, PyAny>>,
    about: About,
    tree: Tree<W>,
    convert: impl Convert<W> + Sync,
) -> PyResult<Bound<'py, PyAny>> {
    let name = about.call;
    let progress = options.progress.clone().map(Bound::unbind);
    let on_batch = on_batch.map(Bound::unbind);
    let convert = &convert;
    let (raised, ended) = py.detach(move || {
        let raised = std::cell::RefCell::new(None);
        let attached = |call: &mut dyn FnMut(Python<'_>) -> PyResult<()>| {
            // None: the interpreter is being finalized.
            let outcome = exit::attach(&mut *call);
            match outcome.unwrap_or_else(|| Err(PySystemExit::new_err(()))) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    *raised.borrow_mut() = Some(error);
                    ControlFlow::Break(())
                }
            }
        };
        let told = |told: Told<W::Batch>| {
            let mut told = Some(told);
            attached(&mut |py| {
                let (callable, value) = match told.take() {
                    Some(Told::Progress(told)) => {
                        (&progress, progress_result(py, told).map(Bound::unbind))
                    }
                    Some(Told::Batch(batch)) => (&on_batch, convert.batch(py, batch)),
                    None => return Ok(()),
                };
                match callable {
                    Some(callable) => call(callable.bind(py), [value?.bind(py)]),
                    None => Ok(()),
                }
            })
        };
        let ended = tree.run_with(told, || attached(&mut |py| crate::signals::check(py)));
        // The callables go where the thread is attached.
        (raised.into_inner(), (ended, progress, on_batch))
    });
    let (ended, _progress, _on_batch) = ended;
    if let Some(error) = raised {
        return Err(error);
    }
    let errors = error_list(py, &ended.errors, |path| convert.path_as_bytes(path))?;
    let output = ended
        .result
        .map_err(|error| fs_error(py, error.in_call(name), blamed(py, about, &errors)))?;
    Ok(convert.output(py, output, errors)?.into_bound(py))
}

/// What stopped a job is what was told of last: something in the tree, or else what was given.
fn blamed(py: Python<'_>, about: About, errors: &Bound<'_, PyList>) -> About {
    let last = errors.iter().last().and_then(|failed| failed.get_item(0).ok());
    let given = about
        .path
        .as_ref()
        .and_then(|given| py.import("os").and_then(|os| os.call_method1("fspath", (given,))).ok());
    match (last, given) {
        (Some(last), Some(given)) if last.eq(&given).unwrap_or(false) => about,
        (Some(last), _) => About { path: Some(last.unbind()), ..About::default() },
        (None, _) => about,
    }
}

/// [`dispatch`] of a job that gives one result, by `output`, on the tree at `path`; `path2` is where it
/// puts something.
pub fn dispatch_on<'py, W: Work<Batch = ()>>(
    call: &'static str,
    event_loop: &Bound<'py, Loop>,
    options: Options<'py>,
    path: &PathArgument<'py>,
    path2: Option<&PathArgument<'py>>,
    tree: Tree<W>,
    output: impl Output<W>,
) -> PyResult<Bound<'py, PyAny>> {
    let given = |path: &PathArgument<'py>| path.given().clone().unbind();
    let about =
        About { call, path: Some(given(path)), path2: path2.map(given), ..About::default() };
    dispatch(event_loop, options, None, about, tree, OfTree { as_bytes: path.is_bytes(), output })
}

/// For jobs on one tree: names are bytes if its path was.
#[derive(Clone, Copy)]
struct OfTree<F> {
    as_bytes: bool,
    output: F,
}

/// Makes a job's result, with the list of its errors.
pub trait Output<W: Work>:
    Fn(Python<'_>, W::Output, Bound<'_, PyList>) -> PyResult<Py<PyAny>> + Copy + Send + Sync + 'static
{
}

impl<W: Work, F> Output<W> for F where
    F: Fn(Python<'_>, W::Output, Bound<'_, PyList>) -> PyResult<Py<PyAny>>
        + Copy
        + Send
        + Sync
        + 'static
{
}

impl<W, F> Convert<W> for OfTree<F>
where
    W: Work<Batch = ()>,
    F: Output<W>,
{
    fn path_as_bytes(&self, _path: &[u8]) -> bool {
        self.as_bytes
    }

    fn batch(&self, py: Python<'_>, _batch: ()) -> PyResult<Py<PyAny>> {
        Ok(py.None())
    }

    fn output(
        &self,
        py: Python<'_>,
        output: W::Output,
        errors: Bound<'_, PyList>,
    ) -> PyResult<Py<PyAny>> {
        (self.output)(py, output, errors)
    }
}
