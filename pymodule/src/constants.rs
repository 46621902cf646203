//! libuv's constants: those that stand in `pyuv` itself, and those of `pyuv.fs`.

use std::ffi::CStr;

use libuv_sys2 as uv;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

macro_rules! constants {
    ($(#[$doc:meta])* $list:ident: $($name:ident = $constant:ident,)*) => {
        $(#[$doc])*
        const $list: &[(&str, i64)] = &[$((stringify!($name), uv::$constant as i64),)*];
    };
}

constants! {
    /// What `pyuv` re-exports, by way of the tuple of names `constants`.
    CONSTANTS:
    UV_ASYNC = uv_handle_type_UV_ASYNC,
    UV_CHECK = uv_handle_type_UV_CHECK,
    UV_FS_EVENT = uv_handle_type_UV_FS_EVENT,
    UV_FS_POLL = uv_handle_type_UV_FS_POLL,
    UV_HANDLE = uv_handle_type_UV_HANDLE,
    UV_IDLE = uv_handle_type_UV_IDLE,
    UV_NAMED_PIPE = uv_handle_type_UV_NAMED_PIPE,
    UV_POLL = uv_handle_type_UV_POLL,
    UV_PREPARE = uv_handle_type_UV_PREPARE,
    UV_PROCESS = uv_handle_type_UV_PROCESS,
    UV_STREAM = uv_handle_type_UV_STREAM,
    UV_TCP = uv_handle_type_UV_TCP,
    UV_TIMER = uv_handle_type_UV_TIMER,
    UV_TTY = uv_handle_type_UV_TTY,
    UV_UDP = uv_handle_type_UV_UDP,
    UV_SIGNAL = uv_handle_type_UV_SIGNAL,
    UV_FILE = uv_handle_type_UV_FILE,
    UV_UNKNOWN_HANDLE = uv_handle_type_UV_UNKNOWN_HANDLE,
    UV_RUN_DEFAULT = uv_run_mode_UV_RUN_DEFAULT,
    UV_RUN_ONCE = uv_run_mode_UV_RUN_ONCE,
    UV_RUN_NOWAIT = uv_run_mode_UV_RUN_NOWAIT,
    UV_LOOP_BLOCK_SIGNAL = uv_loop_option_UV_LOOP_BLOCK_SIGNAL,
    UV_METRICS_IDLE_TIME = uv_loop_option_UV_METRICS_IDLE_TIME,
    UV_LOOP_USE_IO_URING_SQPOLL = uv_loop_option_UV_LOOP_USE_IO_URING_SQPOLL,
    UV_READABLE = uv_poll_event_UV_READABLE,
    UV_WRITABLE = uv_poll_event_UV_WRITABLE,
    UV_DISCONNECT = uv_poll_event_UV_DISCONNECT,
    UV_PRIORITIZED = uv_poll_event_UV_PRIORITIZED,
    UV_TCP_IPV6ONLY = uv_tcp_flags_UV_TCP_IPV6ONLY,
    UV_TCP_REUSEPORT = uv_tcp_flags_UV_TCP_REUSEPORT,
    UV_UDP_IPV6ONLY = uv_udp_flags_UV_UDP_IPV6ONLY,
    UV_UDP_PARTIAL = uv_udp_flags_UV_UDP_PARTIAL,
    UV_UDP_REUSEADDR = uv_udp_flags_UV_UDP_REUSEADDR,
    UV_UDP_MMSG_CHUNK = uv_udp_flags_UV_UDP_MMSG_CHUNK,
    UV_UDP_MMSG_FREE = uv_udp_flags_UV_UDP_MMSG_FREE,
    UV_UDP_LINUX_RECVERR = uv_udp_flags_UV_UDP_LINUX_RECVERR,
    UV_UDP_REUSEPORT = uv_udp_flags_UV_UDP_REUSEPORT,
    UV_UDP_RECVMMSG = uv_udp_flags_UV_UDP_RECVMMSG,
    UV_LEAVE_GROUP = uv_membership_UV_LEAVE_GROUP,
    UV_JOIN_GROUP = uv_membership_UV_JOIN_GROUP,
    UV_PIPE_NO_TRUNCATE = UV_PIPE_NO_TRUNCATE,
    UV_TTY_MODE_NORMAL = uv_tty_mode_t_UV_TTY_MODE_NORMAL,
    UV_TTY_MODE_RAW = uv_tty_mode_t_UV_TTY_MODE_RAW,
    UV_TTY_MODE_IO = uv_tty_mode_t_UV_TTY_MODE_IO,
    UV_TTY_MODE_RAW_VT = uv_tty_mode_t_UV_TTY_MODE_RAW_VT,
    UV_TTY_SUPPORTED = uv_tty_vtermstate_t_UV_TTY_SUPPORTED,
    UV_TTY_UNSUPPORTED = uv_tty_vtermstate_t_UV_TTY_UNSUPPORTED,
    UV_IGNORE = uv_stdio_flags_UV_IGNORE,
    UV_CREATE_PIPE = uv_stdio_flags_UV_CREATE_PIPE,
    UV_INHERIT_FD = uv_stdio_flags_UV_INHERIT_FD,
    UV_INHERIT_STREAM = uv_stdio_flags_UV_INHERIT_STREAM,
    UV_READABLE_PIPE = uv_stdio_flags_UV_READABLE_PIPE,
    UV_WRITABLE_PIPE = uv_stdio_flags_UV_WRITABLE_PIPE,
    UV_NONBLOCK_PIPE = uv_stdio_flags_UV_NONBLOCK_PIPE,
    UV_OVERLAPPED_PIPE = uv_stdio_flags_UV_OVERLAPPED_PIPE,
    UV_PROCESS_SETUID = uv_process_flags_UV_PROCESS_SETUID,
    UV_PROCESS_SETGID = uv_process_flags_UV_PROCESS_SETGID,
    UV_PROCESS_WINDOWS_VERBATIM_ARGUMENTS = uv_process_flags_UV_PROCESS_WINDOWS_VERBATIM_ARGUMENTS,
    UV_PROCESS_DETACHED = uv_process_flags_UV_PROCESS_DETACHED,
    UV_PROCESS_WINDOWS_HIDE = uv_process_flags_UV_PROCESS_WINDOWS_HIDE,
    UV_PROCESS_WINDOWS_HIDE_CONSOLE = uv_process_flags_UV_PROCESS_WINDOWS_HIDE_CONSOLE,
    UV_PROCESS_WINDOWS_HIDE_GUI = uv_process_flags_UV_PROCESS_WINDOWS_HIDE_GUI,
    UV_PROCESS_WINDOWS_FILE_PATH_EXACT_NAME = uv_process_flags_UV_PROCESS_WINDOWS_FILE_PATH_EXACT_NAME,
    UV_CLOCK_MONOTONIC = uv_clock_id_UV_CLOCK_MONOTONIC,
    UV_CLOCK_REALTIME = uv_clock_id_UV_CLOCK_REALTIME,
    UV_PRIORITY_LOW = UV_PRIORITY_LOW,
    UV_PRIORITY_BELOW_NORMAL = UV_PRIORITY_BELOW_NORMAL,
    UV_PRIORITY_NORMAL = UV_PRIORITY_NORMAL,
    UV_PRIORITY_ABOVE_NORMAL = UV_PRIORITY_ABOVE_NORMAL,
    UV_PRIORITY_HIGH = UV_PRIORITY_HIGH,
    UV_PRIORITY_HIGHEST = UV_PRIORITY_HIGHEST,
    UV_THREAD_PRIORITY_HIGHEST = UV_THREAD_PRIORITY_HIGHEST,
    UV_THREAD_PRIORITY_ABOVE_NORMAL = UV_THREAD_PRIORITY_ABOVE_NORMAL,
    UV_THREAD_PRIORITY_NORMAL = UV_THREAD_PRIORITY_NORMAL,
    UV_THREAD_PRIORITY_BELOW_NORMAL = UV_THREAD_PRIORITY_BELOW_NORMAL,
    UV_THREAD_PRIORITY_LOWEST = UV_THREAD_PRIORITY_LOWEST,
}

constants! {
    /// What `pyuv.fs` re-exports, by way of the tuple of names `fs_constants`.
    FS_CONSTANTS:
    UV_RENAME = uv_fs_event_UV_RENAME,
    UV_CHANGE = uv_fs_event_UV_CHANGE,
    UV_FS_EVENT_WATCH_ENTRY = uv_fs_event_flags_UV_FS_EVENT_WATCH_ENTRY,
    UV_FS_EVENT_STAT = uv_fs_event_flags_UV_FS_EVENT_STAT,
    UV_FS_EVENT_RECURSIVE = uv_fs_event_flags_UV_FS_EVENT_RECURSIVE,
    UV_DIRENT_UNKNOWN = uv_dirent_type_t_UV_DIRENT_UNKNOWN,
    UV_DIRENT_FILE = uv_dirent_type_t_UV_DIRENT_FILE,
    UV_DIRENT_DIR = uv_dirent_type_t_UV_DIRENT_DIR,
    UV_DIRENT_LINK = uv_dirent_type_t_UV_DIRENT_LINK,
    UV_DIRENT_FIFO = uv_dirent_type_t_UV_DIRENT_FIFO,
    UV_DIRENT_SOCKET = uv_dirent_type_t_UV_DIRENT_SOCKET,
    UV_DIRENT_CHAR = uv_dirent_type_t_UV_DIRENT_CHAR,
    UV_DIRENT_BLOCK = uv_dirent_type_t_UV_DIRENT_BLOCK,
    UV_FS_SYMLINK_DIR = UV_FS_SYMLINK_DIR,
    UV_FS_SYMLINK_JUNCTION = UV_FS_SYMLINK_JUNCTION,
    UV_FS_COPYFILE_EXCL = UV_FS_COPYFILE_EXCL,
    UV_FS_COPYFILE_FICLONE = UV_FS_COPYFILE_FICLONE,
    UV_FS_COPYFILE_FICLONE_FORCE = UV_FS_COPYFILE_FICLONE_FORCE,
    UV_FS_O_APPEND = UV_FS_O_APPEND,
    UV_FS_O_CREAT = UV_FS_O_CREAT,
    UV_FS_O_DIRECT = UV_FS_O_DIRECT,
    UV_FS_O_DIRECTORY = UV_FS_O_DIRECTORY,
    UV_FS_O_DSYNC = UV_FS_O_DSYNC,
    UV_FS_O_EXCL = UV_FS_O_EXCL,
    UV_FS_O_EXLOCK = UV_FS_O_EXLOCK,
    UV_FS_O_FILEMAP = UV_FS_O_FILEMAP,
    UV_FS_O_NOATIME = UV_FS_O_NOATIME,
    UV_FS_O_NOCTTY = UV_FS_O_NOCTTY,
    UV_FS_O_NOFOLLOW = UV_FS_O_NOFOLLOW,
    UV_FS_O_NONBLOCK = UV_FS_O_NONBLOCK,
    UV_FS_O_RANDOM = UV_FS_O_RANDOM,
    UV_FS_O_RDONLY = UV_FS_O_RDONLY,
    UV_FS_O_RDWR = UV_FS_O_RDWR,
    UV_FS_O_SEQUENTIAL = UV_FS_O_SEQUENTIAL,
    UV_FS_O_SHORT_LIVED = UV_FS_O_SHORT_LIVED,
    UV_FS_O_SYMLINK = UV_FS_O_SYMLINK,
    UV_FS_O_SYNC = UV_FS_O_SYNC,
    UV_FS_O_TEMPORARY = UV_FS_O_TEMPORARY,
    UV_FS_O_TRUNC = UV_FS_O_TRUNC,
    UV_FS_O_WRONLY = UV_FS_O_WRONLY,
}

/// Adds every constant, the two tuples of their names, and the libraries' versions.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    for (list, constants) in [("constants", CONSTANTS), ("fs_constants", FS_CONSTANTS)] {
        for (name, value) in constants {
            module.add(*name, value)?;
        }
        let names = constants.iter().map(|(name, _)| name);
        module.add(list, PyTuple::new(module.py(), names)?)?;
    }
    // SAFETY: libuv returns a string constant.
    let version = unsafe { CStr::from_ptr(uv::uv_version_string()) };
    module.add("LIBUV_VERSION", version.to_string_lossy())?;
    module.add("ARES_VERSION", pyuv_dns::version())
}
