//! The table of functions that differ only in their arguments and result.

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyuv_fs::{Opened, Stat, StatFs};

use crate::fs::argument::{CopyFlags, Fd, Flags, Id, Length, Mode, Number, Place, Size, plain};
use crate::fs::dispatch::dispatch;
use crate::fs::path::{PathArgument, name_to_py};
use crate::fs::request::About;
use crate::fs::stat::StatResult;
use crate::fs::statfs::statfs_result;
use crate::r#loop::Loop;

/// Makes the Python object of a result; names are bytes if the path was.
trait ToPython {
    fn to_python(self, py: Python<'_>, as_bytes: bool) -> PyResult<Py<PyAny>>;
}

impl ToPython for () {
    fn to_python(self, py: Python<'_>, _as_bytes: bool) -> PyResult<Py<PyAny>> {
        Ok(py.None())
    }
}

impl ToPython for Opened {
    fn to_python(self, py: Python<'_>, _as_bytes: bool) -> PyResult<Py<PyAny>> {
        let fd = self.fd().into_py_any(py)?;
        self.into_fd();
        Ok(fd)
    }
}

impl ToPython for usize {
    fn to_python(self, py: Python<'_>, _as_bytes: bool) -> PyResult<Py<PyAny>> {
        self.into_py_any(py)
    }
}

impl ToPython for Stat {
    fn to_python(self, py: Python<'_>, _as_bytes: bool) -> PyResult<Py<PyAny>> {
        StatResult::from(self).into_py_any(py)
    }
}

impl ToPython for StatFs {
    fn to_python(self, py: Python<'_>, _as_bytes: bool) -> PyResult<Py<PyAny>> {
        Ok(statfs_result(py, self)?.unbind())
    }
}

impl ToPython for Vec<u8> {
    fn to_python(self, py: Python<'_>, as_bytes: bool) -> PyResult<Py<PyAny>> {
        Ok(name_to_py(py, &self, as_bytes)?.unbind())
    }
}

/// One row per function:
///
/// ```text
/// /// What it does.
/// name(target, argument: Type [= default], ...);
/// ```
///
/// The target is `path`, `path -> new_path` or `fd`, the types are those of `argument.rs`. A row
/// becomes the function `name(loop, target, argument, ..., callback=None)`, and its `path` or
/// `fd` is what errors and the `FSRequest` tell of.
macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident($target:ident $(-> $second:ident)? $(, $argument:ident: $type:ident $(= $default:tt)?)*);)*) => {
        $(
            functions! { @function $target $(-> $second)? [$(#[$doc])*] $name [$($argument: $type $(= $default)?,)*] }
        )*

        /// Adds every function of the table.
        pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
            $(module.add_function(wrap_pyfunction!($name, module)?)?;)*
            Ok(())
        }
    };
    (@function path [$($doc:tt)*] $name:ident [$($argument:ident: $type:ident $(= $default:tt)?,)*]) => {
        $($doc)*
        #[pyfunction]
        #[pyo3(signature = (r#loop, path, $($argument $(= $default)?,)* callback = None))]
        fn $name<'py>(
            r#loop: &Bound<'py, Loop>,
            path: PathArgument<'py>,
            $(#[pyo3(from_py_with = plain::<$type>)] $argument: <$type as Number>::Plain,)*
            callback: Option<Bound<'py, PyAny>>,
        ) -> PyResult<Bound<'py, PyAny>> {
            let operation = pyuv_fs::$name(path.as_c_str()?, $($argument),*);
            let about = || About { call: stringify!($name), path: Some(path.given().clone().unbind()), ..About::default() };
            let as_bytes = path.is_bytes();
            dispatch(r#loop, callback, about, operation, move |py, output| output.to_python(py, as_bytes))
        }
    };
    (@function path -> new_path [$($doc:tt)*] $name:ident [$($argument:ident: $type:ident $(= $default:tt)?,)*]) => {
        $($doc)*
        #[pyfunction]
        #[pyo3(signature = (r#loop, path, new_path, $($argument $(= $default)?,)* callback = None))]
        fn $name<'py>(
            r#loop: &Bound<'py, Loop>,
            path: PathArgument<'py>,
            new_path: PathArgument<'py>,
            $(#[pyo3(from_py_with = plain::<$type>)] $argument: <$type as Number>::Plain,)*
            callback: Option<Bound<'py, PyAny>>,
        ) -> PyResult<Bound<'py, PyAny>> {
            let operation = pyuv_fs::$name(path.as_c_str()?, new_path.as_c_str()?, $($argument),*);
            let about = || About {
                call: stringify!($name),
                path: Some(path.given().clone().unbind()),
                path2: Some(new_path.given().clone().unbind()),
                ..About::default()
            };
            dispatch(r#loop, callback, about, operation, |py, output| output.to_python(py, false))
        }
    };
    (@function fd [$($doc:tt)*] $name:ident [$($argument:ident: $type:ident $(= $default:tt)?,)*]) => {
        functions! { @function fd_named(fd) [$($doc)*] $name [$($argument: $type $(= $default)?,)*] }
    };
    (@function out_fd [$($doc:tt)*] $name:ident [$($argument:ident: $type:ident $(= $default:tt)?,)*]) => {
        functions! { @function fd_named(out_fd) [$($doc)*] $name [$($argument: $type $(= $default)?,)*] }
    };
    (@function fd_named($fd:ident) [$($doc:tt)*] $name:ident [$($argument:ident: $type:ident $(= $default:tt)?,)*]) => {
        $($doc)*
        #[pyfunction]
        #[pyo3(signature = (r#loop, $fd, $($argument $(= $default)?,)* callback = None))]
        fn $name<'py>(
            r#loop: &Bound<'py, Loop>,
            $fd: Fd,
            $(#[pyo3(from_py_with = plain::<$type>)] $argument: <$type as Number>::Plain,)*
            callback: Option<Bound<'py, PyAny>>,
        ) -> PyResult<Bound<'py, PyAny>> {
            let operation = pyuv_fs::$name($fd.0, $($argument),*);
            let about = || About { call: stringify!($name), fd: Some($fd.0), ..About::default() };
            dispatch(r#loop, callback, about, operation, |py, output| output.to_python(py, false))
        }
    };
}

functions! {
    /// What the system knows of the file that path leads to (uv_fs_stat), as a stat_result.
    stat(path);
    /// stat, of the link itself where path is a symbolic link (uv_fs_lstat).
    lstat(path);
    /// stat of an open file (uv_fs_fstat).
    fstat(fd);
    /// What the system knows of the filesystem that path is on (uv_fs_statfs), as a statfs_result.
    statfs(path);
    /// Removes a name of a file (uv_fs_unlink).
    unlink(path);
    /// Makes a folder, its permissions mode less the umask (uv_fs_mkdir).
    mkdir(path, mode: Mode = 0o777);
    /// Removes an empty folder (uv_fs_rmdir).
    rmdir(path);
    /// Gives a file another name, in place of what has that name (uv_fs_rename).
    rename(path -> new_path);
    /// Sets permissions (uv_fs_chmod).
    chmod(path, mode: Mode);
    /// Sets permissions of an open file (uv_fs_fchmod).
    fchmod(fd, mode: Mode);
    /// Copies a file's content and permissions, over what has the new name, as uv_fs_copyfile does,
    /// which would not end with a file that is shorter than it says. The flags:
    /// UV_FS_COPYFILE_EXCL refuses to overwrite, UV_FS_COPYFILE_FICLONE shares the blocks where the
    /// filesystem can, UV_FS_COPYFILE_FICLONE_FORCE shares them or fails. A copy that fails is
    /// removed again.
    copyfile(path -> new_path, flags: CopyFlags = 0);
    /// Gives a file a further name (uv_fs_link).
    link(path -> new_path);
    /// Makes new_path a symbolic link that says path (uv_fs_symlink). The flags, UV_FS_SYMLINK_DIR
    /// and UV_FS_SYMLINK_JUNCTION, are for Windows.
    symlink(path -> new_path, flags: Flags = 0);
    /// What a symbolic link says (uv_fs_readlink): bytes if path is bytes, otherwise str.
    readlink(path);
    /// The absolute path without links or dots (uv_fs_realpath): bytes if path is bytes,
    /// otherwise str.
    realpath(path);
    /// Sets owner and group (uv_fs_chown); -1 leaves one as it is.
    chown(path, uid: Id, gid: Id);
    /// Sets owner and group of an open file (uv_fs_fchown).
    fchown(fd, uid: Id, gid: Id);
    /// Sets owner and group, of the link itself where path is a symbolic link (uv_fs_lchown).
    lchown(path, uid: Id, gid: Id);
    /// Opens a file and gives its fd (uv_fs_open). The flags are those of os (os.O_RDONLY); a file
    /// that os.O_CREAT makes gets the permissions mode less the umask. The fd is not inherited by
    /// programs that are started.
    open(path, flags: Flags, mode: Mode = 0o666);
    /// Whether a file is there (flags os.F_OK) and may be used as flags say (uv_fs_access): gives
    /// None, or the error that says why not.
    access(path, flags: Flags);
    /// Has a file's content and attributes reach the disk (uv_fs_fsync).
    fsync(fd);
    /// Has a file's content reach the disk (uv_fs_fdatasync).
    fdatasync(fd);
    /// Cuts a file, or fills it up with zeros, to offset bytes (uv_fs_ftruncate).
    ftruncate(fd, offset: Size);
    /// Copies at most length bytes from in_fd at in_offset to where out_fd stands
    /// (uv_fs_sendfile). Gives how many it were. That nobody closes the fds meanwhile is the
    /// caller's to see to; Stream.sendfile sends files over streams.
    sendfile(out_fd, in_fd: Fd, in_offset: Place, length: Length);
}
