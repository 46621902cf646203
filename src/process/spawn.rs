//! `uv_spawn`, and what has to be seen to around it.

use std::ffi::{CString, OsStr, OsString};
use std::os::raw::c_char;
use std::path::Path;
use std::{mem, ptr};

use libuv_sys2 as uv;

use super::containers::Containers;
use super::{Process, ProcessOptions, State, sigchld};
use crate::error::{Code, Error, Result};
use crate::handle::Handle;
use crate::r#loop::{Entered, Loop};
use crate::util::text::to_c;

const SETUID: u32 = uv::uv_process_flags_UV_PROCESS_SETUID as _;
const SETGID: u32 = uv::uv_process_flags_UV_PROCESS_SETGID as _;

pub(super) fn spawn(
    event_loop: &Loop,
    entered: &Entered<'_>,
    options: &ProcessOptions<'_>,
    on_exit: unsafe extern "C" fn(*mut uv::uv_process_t, i64, i32),
) -> Result<Process> {
    if options.executable.is_empty() {
        return Err(Error::new(Code::ENOENT, "the executable's name is empty"));
    }
    let file = to_c(&options.executable, "the executable")?;
    let args = options.args.iter().map(|arg| to_c(arg, "an argument"));
    let args = args.collect::<Result<Vec<CString>>>()?;
    let env = options.env.as_ref().map(|env| variables(env)).transpose()?;
    let cwd = options.cwd.as_deref().map(|cwd| to_c(cwd, "the working directory")).transpose()?;
    let mut arg_pointers = pointers(&args);
    let mut env_pointers = env.as_deref().map(pointers);

    let mut containers = Containers::new(&options.stdio)?;
    #[cfg(unix)]
    // SAFETY: the loop is open and ours.
    let _occupied = crate::places::occupy(unsafe { uv::uv_backend_fd(entered.uv()) })?;

    // SAFETY: all zero is a valid value of a C struct of integers and pointers.
    let mut raw = unsafe { mem::zeroed::<uv::uv_process_options_t>() };
    raw.exit_cb = Some(on_exit);
    raw.file = file.as_ptr();
    raw.args = arg_pointers.as_mut_ptr();
    raw.env = env_pointers.as_mut().map_or(ptr::null_mut(), |env| env.as_mut_ptr());
    raw.cwd = cwd.as_ref().map_or(ptr::null(), |cwd| cwd.as_ptr());
    raw.flags = options.flags.bits();
    raw.stdio = containers.as_mut_ptr();
    raw.stdio_count = containers.len()?;
    if let Some(uid) = options.uid {
        raw.uid = uid as _;
        raw.flags |= SETUID;
    }
    if let Some(gid) = options.gid {
        raw.gid = gid as _;
        raw.flags |= SETGID;
    }

    let mut status = 0;
    let process = sigchld::watching(entered, || {
        Handle::create::<Process>(event_loop, State::default(), "", |event_loop, handle| {
            // SAFETY: the loop is open and ours, the handle's memory its own; the options point to
            // NUL-terminated strings, null-terminated arrays of them and containers of the length
            // said, with no flags but those of libuv, and all outlive the call.
            status = unsafe { uv::uv_spawn(event_loop, handle, &raw const raw) };
            // What it does last is to open the streams; that these can be opened was seen to.
            // SAFETY: uv_spawn has initialised the handle, whatever it returned.
            if status < 0 && !unsafe { is_on_loop(handle) } { status } else { 0 }
        })
    });
    // A handle that uv_spawn failed with later on is closed by being dropped here, like any other.
    let code = if status < 0 { Code(status) } else { return process };
    Err(Error::new(code, blame(options, code)))
}

/// Whether the handle of a spawn that failed has to be closed.
///
/// # Safety
/// `handle` was initialised just now.
unsafe fn is_on_loop(handle: *mut uv::uv_process_t) -> bool {
    #[cfg(unix)]
    // SAFETY: the caller says so.
    return unsafe { crate::internals::handle_queue::has(handle) };
    #[cfg(not(unix))]
    {
        let _ = handle;
        true
    }
}

fn variables(env: &[(OsString, OsString)]) -> Result<Vec<CString>> {
    env.iter()
        .map(|(name, value)| {
            if name.is_empty() || name.as_encoded_bytes().contains(&b'=') {
                let what = format!("no environment variable can be called {name:?}");
                return Err(Error::new(Code::EINVAL, what));
            }
            let mut variable = name.clone();
            variable.push("=");
            variable.push(value);
            to_c(&variable, "an environment variable")
        })
        .collect()
}

/// The null-terminated array that C takes.
fn pointers(strings: &[CString]) -> Vec<*mut c_char> {
    let pointers = strings.iter().map(|string| string.as_ptr().cast_mut());
    pointers.chain([ptr::null_mut()]).collect()
}

const FOLDER: &str = "working directory ";

/// Whether it is the working directory that an error of a spawn's is about.
pub(super) fn blames_folder(error: &Error) -> bool {
    matches!(error, Error::Uv(failure) if failure.what.starts_with(FOLDER))
}

/// What a failure was about, as far as it can be told: libuv says a code alone.
fn blame(options: &ProcessOptions<'_>, code: Code) -> String {
    let executable = options.executable.to_string_lossy();
    match (code, options.cwd.as_deref()) {
        (
            Code::ENOENT | Code::ENOTDIR | Code::EACCES | Code::ELOOP | Code::ENAMETOOLONG,
            Some(cwd),
        ) if !is_folder(cwd) => {
            format!("{FOLDER}{}", cwd.to_string_lossy())
        }
        (Code::ENOENT, cwd) if is_there(cwd, &options.executable) => {
            // The child gets it for the streams that it is to have none of.
            if cfg!(windows) || Path::new("/dev/null").exists() {
                format!("the interpreter of {executable}")
            } else {
                format!("/dev/null, for {executable}")
            }
        }
        (Code::E2BIG, _) => format!("arguments and environment of {executable}"),
        (Code::EPERM | Code::EINVAL, _) if options.uid.is_some() || options.gid.is_some() => {
            let id =
                |id: Option<u32>| id.map_or_else(|| "as before".to_owned(), |id| id.to_string());
            format!("{executable} (uid {}, gid {})", id(options.uid), id(options.gid))
        }
        _ => executable.into_owned(),
    }
}

/// Whether an executable that is not looked for in `PATH` is there.
fn is_there(cwd: Option<&OsStr>, executable: &OsStr) -> bool {
    executable.as_encoded_bytes().contains(&b'/')
        && Path::new(cwd.unwrap_or_default()).join(executable).is_file()
}

fn is_folder(path: &OsStr) -> bool {
    Path::new(path).is_dir()
}
