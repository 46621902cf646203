"""The interface of pyuv 1.4.0: what has to be here, by its names.

A signature has its optional parameters in brackets. Parameters that 1.4.0's manual describes by their
parts, an address say, have a name of ours. Where that manual and the code differ the code counts: `mkdir`
takes a mode, `fchown` a uid and a gid, `scandir` no flags.
"""

# The bases of each class, nearest first, and what it has of its own: attributes, and methods with signatures.
CLASSES = {
    "pyuv.Async": ("Handle", "(loop, callback)", "send()"),
    "pyuv.Check": ("Handle", "(loop)", "start(callback)", "stop()"),
    "pyuv.Handle": ("", None, "active", "close([callback])", "closed", "loop", "ref"),
    "pyuv.Idle": ("Handle", "(loop)", "start(callback)", "stop()"),
    "pyuv.Loop": (
        "",
        "()",
        "alive",
        "default",
        "default_loop()",
        "excepthook",
        "fileno()",
        "get_timeout()",
        "handles",
        "now()",
        "queue_work(work_callback, [done_callback])",
        "run([mode])",
        "stop()",
        "update_time()",
    ),
    "pyuv.Pipe": (
        "Stream Handle",
        "(loop, [ipc])",
        "accept(client)",
        "bind(name)",
        "connect(name, callback)",
        "fileno()",
        "getpeername()",
        "getsockname()",
        "ipc",
        "listen(callback, [backlog])",
        "open(fd)",
        "pending_handle_type()",
        "pending_instances(count)",
        "receive_buffer_size",
        "send_buffer_size",
        "shutdown([callback])",
        "start_read(callback)",
        "stop_read()",
        "try_write(data)",
        "write(data, [callback, handle])",
    ),
    "pyuv.Poll": ("Handle", "(loop, fd)", "fileno()", "start(events, callback)", "stop()"),
    "pyuv.Prepare": ("Handle", "(loop)", "start(callback)", "stop()"),
    "pyuv.Process": (
        "Handle",
        None,
        "close([callback])",
        "disable_stdio_inheritance()",
        "kill(signal)",
        "pid",
        "spawn(loop, args, [executable, env, cwd, uid, gid, flags, stdio, exit_callback])",
    ),
    "pyuv.Signal": ("Handle", "(loop)", "start(callback, signum)", "stop()"),
    "pyuv.StdIO": ("", "([stream, fd, flags])", "fd", "flags", "stream"),
    "pyuv.Stream": (
        "Handle",
        None,
        "fileno()",
        "readable",
        "set_blocking(blocking)",
        "shutdown([callback])",
        "start_read(callback)",
        "stop_read()",
        "try_write(data)",
        "writable",
        "write(data, [callback])",
        "write_queue_size",
    ),
    "pyuv.TCP": (
        "Stream Handle",
        "(loop, [family])",
        "accept(client)",
        "bind(address, [flags])",
        "connect(address, callback)",
        "family",
        "fileno()",
        "getpeername()",
        "getsockname()",
        "keepalive(enable, delay)",
        "listen(callback, [backlog])",
        "nodelay(enable)",
        "open(fd)",
        "receive_buffer_size",
        "send_buffer_size",
        "shutdown([callback])",
        "simultaneous_accepts(enable)",
        "start_read(callback)",
        "stop_read()",
        "try_write(data)",
        "write(data, [callback])",
    ),
    "pyuv.TTY": (
        "Stream Handle",
        "(loop, fd, readable)",
        "fileno()",
        "get_winsize()",
        "reset_mode()",
        "set_mode(mode)",
        "shutdown([callback])",
        "start_read(callback)",
        "stop_read()",
        "try_write(data)",
        "write(data, [callback])",
    ),
    "pyuv.Timer": (
        "Handle",
        "(loop)",
        "again()",
        "repeat",
        "start(callback, timeout, repeat)",
        "stop()",
    ),
    "pyuv.UDP": (
        "Handle",
        "(loop, [family])",
        "bind(address, [flags])",
        "family",
        "fileno()",
        "getsockname()",
        "open(fd)",
        "receive_buffer_size",
        "send(address, data, [callback])",
        "send_buffer_size",
        "send_queue_size",
        "set_broadcast(enable)",
        "set_membership(multicast_address, membership, [interface])",
        "set_multicast_interface([interface])",
        "set_multicast_loop(enable)",
        "set_multicast_ttl(ttl)",
        "set_ttl(ttl)",
        "start_recv(callback)",
        "stop_recv()",
        "try_send(address, data)",
    ),
    "pyuv.fs.FSEvent": ("Handle", "(loop)", "path", "start(path, flags, callback)", "stop()"),
    "pyuv.fs.FSPoll": ("Handle", "(loop)", "path", "start(path, interval, callback)", "stop()"),
    "pyuv.fs.FSRequest": ("", None, "cancel()", "error", "path", "result"),
    "pyuv.thread.Barrier": ("", "(count)", "wait()"),
    "pyuv.thread.Condition": ("", "(lock)", "broadcast()", "signal()", "timedwait(timeout)", "wait()"),
    "pyuv.thread.Mutex": ("", "()", "lock()", "trylock()", "unlock()"),
    "pyuv.thread.RWLock": (
        "",
        "()",
        "rdlock()",
        "rdunlock()",
        "tryrdlock()",
        "trywrlock()",
        "wrlock()",
        "wrunlock()",
    ),
    "pyuv.thread.Semaphore": ("", "([count])", "post()", "trywait()", "wait()"),
    "pyuv.util.SignalChecker": ("Handle", "(loop, fd)", "start()", "stop()"),
}

FUNCTIONS = {
    "pyuv.dns": (
        "getaddrinfo(loop, host, [port, family, socktype, proto, flags, callback])",
        "getnameinfo(loop, address, [flags, callback])",
    ),
    "pyuv.errno": ("strerror(errorno)",),
    "pyuv.fs": (
        "access(loop, path, flags, [callback])",
        "chmod(loop, path, mode, [callback])",
        "chown(loop, path, uid, gid, [callback])",
        "close(loop, fd, [callback])",
        "fchmod(loop, fd, mode, [callback])",
        "fchown(loop, fd, uid, gid, [callback])",
        "fdatasync(loop, fd, [callback])",
        "fstat(loop, fd, [callback])",
        "fsync(loop, fd, [callback])",
        "ftruncate(loop, fd, offset, [callback])",
        "futime(loop, fd, atime, mtime, [callback])",
        "link(loop, path, new_path, [callback])",
        "lstat(loop, path, [callback])",
        "mkdir(loop, path, mode, [callback])",
        "open(loop, path, flags, mode, [callback])",
        "read(loop, fd, length, offset, [callback])",
        "readlink(loop, path, [callback])",
        "realpath(loop, path, [callback])",
        "rename(loop, path, new_path, [callback])",
        "rmdir(loop, path, [callback])",
        "scandir(loop, path, [callback])",
        "sendfile(loop, out_fd, in_fd, in_offset, length, [callback])",
        "stat(loop, path, [callback])",
        "stat_float_times([newvalue])",
        "symlink(loop, path, new_path, flags, [callback])",
        "unlink(loop, path, [callback])",
        "utime(loop, path, atime, mtime, [callback])",
        "write(loop, fd, write_data, offset, [callback])",
    ),
    "pyuv.util": (
        "cpu_info()",
        "get_free_memory()",
        "get_total_memory()",
        "getaddrinfo(loop, host, [port, family, socktype, proto, flags, callback])",
        "getnameinfo(loop, address, [flags, callback])",
        "getrusage()",
        "guess_handle_type(fd)",
        "hrtime()",
        "interface_addresses()",
        "loadavg()",
        "resident_set_memory()",
        "resident_set_size()",
        "uptime()",
    ),
}

EXCEPTIONS = {
    "AsyncError": "HandleError UVError Exception",
    "CheckError": "HandleError UVError Exception",
    "FSError": "UVError Exception",
    "FSEventError": "HandleError UVError Exception",
    "FSPollError": "HandleError UVError Exception",
    "HandleClosedError": "HandleError UVError Exception",
    "HandleError": "UVError Exception",
    "IdleError": "HandleError UVError Exception",
    "PipeError": "StreamError HandleError UVError Exception",
    "PollError": "HandleError UVError Exception",
    "PrepareError": "HandleError UVError Exception",
    "ProcessError": "HandleError UVError Exception",
    "SignalError": "HandleError UVError Exception",
    "StreamError": "HandleError UVError Exception",
    "TCPError": "StreamError HandleError UVError Exception",
    "TTYError": "StreamError HandleError UVError Exception",
    "ThreadError": "UVError Exception",
    "TimerError": "HandleError UVError Exception",
    "UDPError": "HandleError UVError Exception",
    "UVError": "Exception",
}

CONSTANTS = {
    "pyuv": """
        UV_ASYNC UV_CHECK UV_CREATE_PIPE UV_DISCONNECT UV_FS_EVENT UV_FS_POLL UV_HANDLE UV_IDLE
        UV_IGNORE UV_INHERIT_FD UV_INHERIT_STREAM UV_JOIN_GROUP UV_LEAVE_GROUP UV_NAMED_PIPE UV_POLL
        UV_PREPARE UV_PROCESS UV_PROCESS_DETACHED UV_PROCESS_SETGID UV_PROCESS_SETUID
        UV_PROCESS_WINDOWS_HIDE UV_PROCESS_WINDOWS_VERBATIM_ARGUMENTS UV_READABLE UV_READABLE_PIPE
        UV_RUN_DEFAULT UV_RUN_NOWAIT UV_RUN_ONCE UV_SIGNAL UV_STREAM UV_TCP UV_TCP_IPV6ONLY UV_TIMER
        UV_TTY UV_UDP UV_UDP_IPV6ONLY UV_UDP_PARTIAL UV_UDP_REUSEADDR UV_UNKNOWN_HANDLE UV_WRITABLE
        UV_WRITABLE_PIPE
    """,
    "pyuv.fs": """
        UV_CHANGE UV_DIRENT_BLOCK UV_DIRENT_CHAR UV_DIRENT_DIR UV_DIRENT_FIFO UV_DIRENT_FILE
        UV_DIRENT_LINK UV_DIRENT_SOCKET UV_DIRENT_UNKNOWN UV_FS_EVENT_STAT UV_FS_EVENT_WATCH_ENTRY
        UV_FS_SYMLINK_DIR UV_FS_SYMLINK_JUNCTION UV_RENAME
    """,
    "pyuv.errno": """
        UV_E2BIG UV_EACCES UV_EADDRINUSE UV_EADDRNOTAVAIL UV_EAFNOSUPPORT UV_EAGAIN UV_EAI_ADDRFAMILY
        UV_EAI_AGAIN UV_EAI_BADFLAGS UV_EAI_BADHINTS UV_EAI_CANCELED UV_EAI_FAIL UV_EAI_FAMILY
        UV_EAI_MEMORY UV_EAI_NODATA UV_EAI_NONAME UV_EAI_OVERFLOW UV_EAI_PROTOCOL UV_EAI_SERVICE
        UV_EAI_SOCKTYPE UV_EALREADY UV_EBADF UV_EBUSY UV_ECANCELED UV_ECHARSET UV_ECONNABORTED
        UV_ECONNREFUSED UV_ECONNRESET UV_EDESTADDRREQ UV_EEXIST UV_EFAULT UV_EFBIG UV_EHOSTDOWN
        UV_EHOSTUNREACH UV_EINTR UV_EINVAL UV_EIO UV_EISCONN UV_EISDIR UV_ELOOP UV_EMFILE UV_EMLINK
        UV_EMSGSIZE UV_ENAMETOOLONG UV_ENETDOWN UV_ENETUNREACH UV_ENFILE UV_ENOBUFS UV_ENODEV UV_ENOENT
        UV_ENOMEM UV_ENONET UV_ENOPROTOOPT UV_ENOSPC UV_ENOSYS UV_ENOTCONN UV_ENOTDIR UV_ENOTEMPTY
        UV_ENOTSOCK UV_ENOTSUP UV_ENXIO UV_EOF UV_EPERM UV_EPIPE UV_EPROTO UV_EPROTONOSUPPORT
        UV_EPROTOTYPE UV_ERANGE UV_EROFS UV_ESHUTDOWN UV_ESPIPE UV_ESRCH UV_ETIMEDOUT UV_ETXTBSY
        UV_EXDEV UV_UNKNOWN
    """,
}

STAT_FIELDS = """
        st_atime st_birthtime st_blksize st_blocks st_ctime st_dev st_flags st_gen st_gid st_ino st_mode
        st_mtime st_nlink st_rdev st_size st_uid
    """
