//! `pyuv.Process`.

use std::ffi::OsString;

use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};
use pyo3::types::{PyBytes, PyDict, PyMapping, PySequence, PyString, PyTuple, PyType};
use pyuv::{Exit, ProcessFlags, ProcessOptions};

use crate::call::{call, optional_callable};
use crate::error::{ProcessError, in_call, with_filename};
use crate::handle::Handle;
use crate::life::slot::PySlot;
use crate::r#loop::Loop;
use crate::once::intern;
use crate::stdio::StdIO;
use crate::util::argument::{AnyPath, Int};
use crate::util::env::locked;

const SETUID: u32 = libuv_sys2::uv_process_flags_UV_PROCESS_SETUID as _;
const SETGID: u32 = libuv_sys2::uv_process_flags_UV_PROCESS_SETGID as _;

/// A child process (`uv_process_t`), made by `Process.spawn`. Active until its end.
#[pyclass(module = "pyuv", extends = Handle, subclass, frozen)]
#[derive(Default)]
pub struct Process {
    /// What it was given as `stdio`: the streams in there live as long as this object.
    stdio: PySlot,
}

#[pymethods]
impl Process {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs), text_signature = "(loop=None)")]
    fn new(
        _args: &Bound<'_, PyTuple>,
        _kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyClassInitializer<Process> {
        PyClassInitializer::from(Handle::default()).add_subclass(Process::default())
    }

    /// Nothing to be used: `Process.spawn` makes processes.
    #[pyo3(signature = (r#loop=None))]
    fn __init__(_slf: &Bound<'_, Self>, r#loop: Option<&Bound<'_, Loop>>) {
        let _ = r#loop;
    }

    /// Starts a program (`uv_spawn`) and returns the Process, of the class that this was called
    /// on. `exit_callback(process, exit_status, term_signal)` is called when it has ended.
    ///
    /// `args` is the list of its arguments, of which the first is its name, or that name alone.
    /// `executable` is the file, by default that name; without a slash it is looked for in the
    /// folders of the child's PATH. Both, `cwd` and what is in the mapping `env` may be str, bytes
    /// or path-like. `env` replaces the environment. `uid` and `gid` are set if given. `stdio` is
    /// a sequence of StdIO for its fds, from 0 on; standard ones that are not listed are /dev/null.
    ///
    /// Raises ProcessError, naming what stood in the way: UV_ENOENT for an executable or `cwd`
    /// that is not there, UV_EACCES for what cannot be executed, UV_EPERM for a user that this
    /// process may not become, UV_E2BIG for too long arguments, UV_EBADF for an fd or a
    /// stream that is closed, UV_EBUSY for a Pipe that is in use, UV_EAGAIN and UV_EMFILE for want of processes and fds.
    #[classmethod]
    #[pyo3(
        signature = (
            r#loop, args, executable=None, env=None, cwd=None, uid=None, gid=None, flags=Int(0),
            stdio=None, exit_callback=None
        ),
        text_signature = "(loop, args, executable=None, env=None, cwd=None, uid=None, gid=None, \
            flags=0, stdio=None, exit_callback=None)"
    )]
    #[expect(clippy::too_many_arguments, reason = "they are pyuv 1.4's")]
    fn spawn<'py>(
        cls: &Bound<'py, PyType>,
        r#loop: &Bound<'py, Loop>,
        args: &Bound<'py, PyAny>,
        executable: Option<&Bound<'py, PyAny>>,
        env: Option<&Bound<'py, PyAny>>,
        cwd: Option<&Bound<'py, PyAny>>,
        uid: Option<Int<i64>>,
        gid: Option<Int<i64>>,
        flags: Int<u32>,
        stdio: Option<&Bound<'py, PyAny>>,
        exit_callback: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = cls.py();
        let callback = optional_callable(exit_callback)?;
        let given_args = args;
        let args = arguments(args)?;
        let program = executable.cloned().map_or_else(|| first(given_args), Ok)?;
        let executable = executable.map(|path| string(path, "executable")).transpose()?;
        let mut options = ProcessOptions::new(executable.as_ref().unwrap_or(&args[0]))
            .arg0(&args[0])
            .args(&args[1..])
            .flags(process_flags(flags.0, uid.is_some(), gid.is_some())?);
        if let Some(env) = env {
            options = options.env(variables(env)?);
        }
        if let Some(cwd) = cwd {
            options = options.cwd(string(cwd, "cwd")?);
        }
        if let Some(uid) = uid {
            options = options.uid(id(uid.0, "uid")?);
        }
        if let Some(gid) = gid {
            options = options.gid(id(gid.0, "gid")?);
        }
        let stdio = stdio.map(containers).transpose()?.unwrap_or_default();
        let process = cls.call_method1(intern!(py, "__new__"), (cls,))?;
        let process = process.cast_into::<Process>()?;
        let base = process.as_super();
        let held = r#loop.get().hold()?;
        Handle::init(base, r#loop, |core| {
            StdIO::with_core(&stdio, |stdio| {
                let options = options.stdio(stdio);
                locked(py, || pyuv::Process::spawn(core, &options, on_exit)).map_err(|error| {
                    let blamed = cwd.filter(|_| pyuv::Process::blames_folder(&error));
                    let error = in_call::<ProcessError>("spawn")(error);
                    with_filename(error, blamed.unwrap_or(&program))
                })
            })
        })?;
        process.get().stdio.set(Some(PyTuple::new(py, stdio)?.into_any()));
        Handle::started(base, held, callback.unwrap_or_else(|| py.None().into_bound(py)));
        Ok(process.into_any())
    }

    /// Marks the fds that this process inherited, from 0 on, as not to be inherited by its
    /// children (`uv_disable_stdio_inheritance`).
    #[classmethod]
    fn disable_stdio_inheritance(_cls: &Bound<'_, PyType>) {
        pyuv::disable_stdio_inheritance();
    }

    /// Sends the process a signal (`uv_process_kill`); 0 only asks whether it is there.
    ///
    /// Raises ProcessError with UV_ESRCH once its end was seen, UV_EINVAL for a number that is no
    /// signal.
    fn kill(slf: &Bound<'_, Self>, signal: i32) -> PyResult<()> {
        Process::core(slf)?.kill(signal).map_err(in_call::<ProcessError>("kill"))
    }

    /// Closes the handle (`uv_close`); `callback(process)` is called in a later iteration. A
    /// process that runs goes on, and `exit_callback` is not called any more.
    #[pyo3(signature = (callback=None))]
    fn close(slf: &Bound<'_, Self>, callback: Option<Bound<'_, PyAny>>) -> PyResult<()> {
        Process::core(slf)?;
        Handle::close(slf.as_super(), callback)
    }

    /// The process's number, or None for a Process that `spawn` did not make.
    #[getter]
    fn pid(slf: &Bound<'_, Self>) -> Option<i32> {
        Process::core(slf).ok().map(pyuv::Process::pid)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.stdio.visit(&visit)
    }

    fn __clear__(&self, py: Python<'_>) {
        self.stdio.clear(py);
    }
}

impl Process {
    fn core<'a>(slf: &'a Bound<'_, Process>) -> PyResult<&'a pyuv::Process> {
        let base = slf.as_super().get();
        base.core_as().map_err(|_| PyRuntimeError::new_err("it was not made by Process.spawn"))
    }
}

fn on_exit(process: &pyuv::Process, exit: Exit) {
    Handle::dispatch(process, "exit", |slf, callback| {
        Handle::stopped_by_itself(slf);
        if callback.is_none() {
            return Ok(());
        }
        let (Ok(status), Ok(signal)) =
            (exit.status.into_pyobject(slf.py()), exit.term_signal.into_pyobject(slf.py()));
        call(&callback, [slf.as_any(), status.as_any(), signal.as_any()])
    });
}

/// A string for the system: str, bytes or path-like, without a NUL.
fn string(object: &Bound<'_, PyAny>, what: &str) -> PyResult<OsString> {
    let string = object.extract::<AnyPath>()?.0.into_os_string();
    if string.as_encoded_bytes().contains(&0) {
        return Err(PyValueError::new_err(format!("embedded NUL in {what}: {}", object.repr()?)));
    }
    Ok(string)
}

/// What `arguments` took the name from.
fn first<'py>(args: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    match args.cast::<PySequence>() {
        Ok(list) if !args.is_instance_of::<PyString>() && !args.is_instance_of::<PyBytes>() => {
            list.get_item(0)
        }
        _ => Ok(args.clone()),
    }
}

/// The arguments: a sequence, or the first alone.
fn arguments(args: &Bound<'_, PyAny>) -> PyResult<Vec<OsString>> {
    if args.is_instance_of::<PyString>()
        || args.is_instance_of::<PyBytes>()
        || args.hasattr(intern!(args.py(), "__fspath__"))?
    {
        return Ok(vec![string(args, "args")?]);
    }
    let args = args.try_iter()?.map(|arg| string(&arg?, "args")).collect::<PyResult<Vec<_>>>()?;
    if args.is_empty() {
        return Err(PyValueError::new_err("args must contain at least one element"));
    }
    Ok(args)
}

fn variables(env: &Bound<'_, PyAny>) -> PyResult<Vec<(OsString, OsString)>> {
    let env = env.cast::<PyMapping>().map_err(|_| {
        PyTypeError::new_err(format!("env must be a mapping, not {}", env.get_type()))
    })?;
    let mut variables = Vec::new();
    for item in env.items()? {
        let (name, value) = item.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>()?;
        let name_string = string(&name, "env")?;
        if name_string.is_empty() || name_string.as_encoded_bytes().contains(&b'=') {
            let what = format!("no environment variable can be called {}", name.repr()?);
            return Err(PyValueError::new_err(what));
        }
        variables.push((name_string, string(&value, "env")?));
    }
    Ok(variables)
}

fn containers<'py>(stdio: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, StdIO>>> {
    let container = |object: PyResult<Bound<'py, PyAny>>| Ok(object?.cast_into::<StdIO>()?);
    stdio.try_iter()?.map(container).collect()
}

/// A uid or gid; a negative one wraps around, as it does in C.
fn id(id: i64, what: &str) -> PyResult<u32> {
    match (u32::try_from(id), i32::try_from(id)) {
        (Ok(id), _) => Ok(id),
        (_, Ok(id)) => Ok(id.cast_unsigned()),
        _ => Err(PyValueError::new_err(format!("{what} {id} is out of range"))),
    }
}

fn process_flags(flags: u32, uid: bool, gid: bool) -> PyResult<ProcessFlags> {
    for (flag, name, given) in [(SETUID, "UID", uid), (SETGID, "GID", gid)] {
        if flags & flag != 0 && !given {
            let what = format!("UV_PROCESS_SET{name} without a {}", name.to_lowercase());
            return Err(PyValueError::new_err(what));
        }
    }
    ProcessFlags::from_bits(flags & !(SETUID | SETGID))
        .ok_or_else(|| PyValueError::new_err(format!("unknown flags: {flags:#x}")))
}
