"""The machine, the process, its environment and the clocks: libuv's miscellaneous functions.

None of them needs a loop. What libuv refuses raises :class:`pyuv.error.UVError` with
``(code, message)``, a wrong type TypeError, a wrong value ValueError. Results with several parts are
struct sequences: tuples whose fields have names, as `os.stat_result` is one.
"""

from collections.abc import Iterable
from typing import Any, Final, TypeVar, final, overload

from _typeshed import FileDescriptorLike, StrOrBytesPath, structseq

from . import Handle, Loop
from .dns import getaddrinfo as getaddrinfo
from .dns import getnameinfo as getnameinfo

_T = TypeVar("_T")

class SignalChecker(Handle):
    """Runs Python's signal handlers when the wakeup fd says that a signal has come.

    For programs that call `signal.set_wakeup_fd` themselves and give the other end of that
    socket here, whose bytes are read and dropped. `Loop.run` on the main thread needs none:
    it watches for signals by itself.
    """

    def __init__(self, loop: Loop, fd: FileDescriptorLike) -> None:
        """`fd` is the readable end, a number or an object with `fileno()`. Raises SignalError with
        UV_EBADF, UV_EPERM or UV_EEXIST as `Poll` does.
        """

    def start(self) -> None:
        """Watches the descriptor (`uv_poll_start`)."""

    def stop(self) -> None:
        """Watches it no more (`uv_poll_stop`)."""

@final
class cpu_info_times_result(structseq[int], tuple[int, int, int, int, int]):  # noqa: N801
    """Milliseconds that a processor spent in each state since the machine started."""

    __match_args__: Final = ("sys", "user", "idle", "irq", "nice")
    @property
    def sys(self) -> int:
        """In the kernel."""

    @property
    def user(self) -> int:
        """In user mode."""

    @property
    def idle(self) -> int:
        """Idle."""

    @property
    def irq(self) -> int:
        """Serving interrupts."""

    @property
    def nice(self) -> int:
        """In user mode at low priority."""

@final
class cpu_info_result(structseq[Any], tuple[str, int, cpu_info_times_result]):  # noqa: N801
    """One logical processor."""

    __match_args__: Final = ("model", "speed", "times")
    @property
    def model(self) -> str:
        """The model's name, or ``"unknown"``."""

    @property
    def speed(self) -> int:
        """The clock in MHz; 0 when unknown."""

    @property
    def times(self) -> cpu_info_times_result:
        """What it spent its time on."""

@final
class interface_addresses_result(structseq[Any], tuple[str, bool, str, str, str]):  # noqa: N801
    """One address of a network interface."""

    __match_args__: Final = ("name", "is_internal", "address", "netmask", "mac")
    @property
    def name(self) -> str:
        """The interface's name."""

    @property
    def is_internal(self) -> bool:
        """Whether it is a loopback interface."""

    @property
    def address(self) -> str:
        """The IPv4 or IPv6 address."""

    @property
    def netmask(self) -> str:
        """The network's mask, written as an address."""

    @property
    def mac(self) -> str:
        """The hardware address, as ``00:00:00:00:00:00``."""

@final
class rusage_result(  # noqa: N801
    structseq[float],
    tuple[
        float,
        float,
        int,
        int,
        int,
        int,
        int,
        int,
        int,
        int,
        int,
        int,
        int,
        int,
        int,
        int,
    ],
):
    """Resources used; what the system does not count is 0."""

    __match_args__: Final = (
        "ru_utime",
        "ru_stime",
        "ru_maxrss",
        "ru_ixrss",
        "ru_idrss",
        "ru_isrss",
        "ru_minflt",
        "ru_majflt",
        "ru_nswap",
        "ru_inblock",
        "ru_oublock",
        "ru_msgsnd",
        "ru_msgrcv",
        "ru_nsignals",
        "ru_nvcsw",
        "ru_nivcsw",
    )
    @property
    def ru_utime(self) -> float:
        """Seconds of processor time in user mode."""

    @property
    def ru_stime(self) -> float:
        """Seconds of processor time in the kernel."""

    @property
    def ru_maxrss(self) -> int:
        """The largest resident set so far, in KiB."""

    @property
    def ru_ixrss(self) -> int:
        """Integral shared memory size."""

    @property
    def ru_idrss(self) -> int:
        """Integral unshared data size."""

    @property
    def ru_isrss(self) -> int:
        """Integral unshared stack size."""

    @property
    def ru_minflt(self) -> int:
        """Page faults served without I/O."""

    @property
    def ru_majflt(self) -> int:
        """Page faults that needed I/O."""

    @property
    def ru_nswap(self) -> int:
        """Times swapped out."""

    @property
    def ru_inblock(self) -> int:
        """Blocks read."""

    @property
    def ru_oublock(self) -> int:
        """Blocks written."""

    @property
    def ru_msgsnd(self) -> int:
        """Messages sent."""

    @property
    def ru_msgrcv(self) -> int:
        """Messages received."""

    @property
    def ru_nsignals(self) -> int:
        """Signals received."""

    @property
    def ru_nvcsw(self) -> int:
        """Context switches because it waited."""

    @property
    def ru_nivcsw(self) -> int:
        """Context switches because its time was up."""

@final
class uname_result(structseq[str], tuple[str, str, str, str]):  # noqa: N801
    """The operating system's name and version."""

    __match_args__: Final = ("sysname", "release", "version", "machine")
    @property
    def sysname(self) -> str:
        """The operating system: ``"Linux"``."""

    @property
    def release(self) -> str:
        """Its release."""

    @property
    def version(self) -> str:
        """Its version, as its builders wrote it."""

    @property
    def machine(self) -> str:
        """The hardware: ``"x86_64"``."""

@final
class passwd_result(structseq[Any], tuple[str, int, int, str, str]):  # noqa: N801
    """One user of the user database."""

    __match_args__: Final = ("username", "uid", "gid", "shell", "homedir")
    @property
    def username(self) -> str:
        """The login name."""

    @property
    def uid(self) -> int:
        """The user's number."""

    @property
    def gid(self) -> int:
        """The number of the user's primary group."""

    @property
    def shell(self) -> str:
        """The login shell; empty on Windows."""

    @property
    def homedir(self) -> str:
        """The home directory."""

@final
class group_result(structseq[Any], tuple[str, int, tuple[str, ...]]):  # noqa: N801
    """One group of the group database."""

    __match_args__: Final = ("groupname", "gid", "members")
    @property
    def groupname(self) -> str:
        """The group's name."""

    @property
    def gid(self) -> int:
        """The group's number."""

    @property
    def members(self) -> tuple[str, ...]:
        """The names of its listed members; those whose primary group it is are not among them."""

@final
class timespec_result(structseq[int], tuple[int, int]):  # noqa: N801
    """A time in seconds and nanoseconds."""

    __match_args__: Final = ("tv_sec", "tv_nsec")
    @property
    def tv_sec(self) -> int:
        """Whole seconds."""

    @property
    def tv_nsec(self) -> int:
        """Nanoseconds beyond them."""

@final
class timeval_result(structseq[int], tuple[int, int]):  # noqa: N801
    """A time in seconds and microseconds."""

    __match_args__: Final = ("tv_sec", "tv_usec")
    @property
    def tv_sec(self) -> int:
        """Whole seconds."""

    @property
    def tv_usec(self) -> int:
        """Microseconds beyond them."""

def hrtime() -> int:
    """Nanoseconds since an arbitrary moment, never set back. `uv_hrtime`"""

def clock_gettime(clock_id: int) -> timespec_result:
    """The time on a clock: `pyuv.UV_CLOCK_MONOTONIC` or `pyuv.UV_CLOCK_REALTIME`.

    Raises ValueError for any other number, UVError when the system refuses. `uv_clock_gettime`
    """

def gettimeofday() -> timeval_result:
    """The time since the Epoch.

    Raises UVError. `uv_gettimeofday`
    """

def uptime() -> float:
    """Seconds since the machine started.

    Raises UVError. `uv_uptime`
    """

def loadavg() -> tuple[float, float, float]:
    """How many tasks wanted to run, on average over the last 1, 5 and 15 minutes.

    Zeros on Windows. `uv_loadavg`
    """

def get_free_memory() -> int:
    """Memory that programs could still get, in bytes; 0 when unknown.

    On Linux ``MemAvailable``, which counts what the kernel would take back from its caches.
    `uv_get_free_memory`
    """

def get_total_memory() -> int:
    """The machine's physical memory, in bytes; 0 when unknown. `uv_get_total_memory`"""

def get_constrained_memory() -> int:
    """The limit that the system puts on this process, in bytes.

    0: no mechanism for it, or unknown. ``2**64 - 1``: a mechanism with no limit set. It can be
    larger than `get_total_memory()`. `uv_get_constrained_memory`
    """

def get_available_memory() -> int:
    """Memory that this process could still get, its limits counted, in bytes.

    `uv_get_available_memory`
    """

def resident_set_memory() -> int:
    """This process's resident set, in bytes.

    Raises UVError. `uv_resident_set_memory`
    """

def cpu_info() -> list[cpu_info_result]:
    """Every logical processor of the machine.

    Raises UVError where the system's own files cannot be read. `uv_cpu_info`
    """

def available_parallelism() -> int:
    """How many threads can usefully run at once: at least 1.

    Affinity and the limits of a container are counted. `uv_available_parallelism`
    """

def cpumask_size() -> int:
    """How many processors a mask can name: their numbers are ``range(cpumask_size())``.

    Raises UVError (``UV_ENOTSUP``) where the system has no thread affinity (macOS).
    `uv_cpumask_size`
    """

def thread_getaffinity() -> set[int]:
    """The processors that the calling thread may run on.

    Raises UVError. `uv_thread_getaffinity`
    """

def thread_setaffinity(cpus: Iterable[int]) -> set[int]:
    """Let the calling thread run on these processors only; returns those it could use before.

    Raises ValueError for a number that no mask can hold and for a set with no existing processor,
    UVError when the system refuses. `uv_thread_setaffinity`
    """

def getcpu() -> int:
    """The number of the processor that the calling thread is running on: it can move at any moment.

    Raises UVError. `uv_thread_getcpu`
    """

def interface_addresses() -> list[interface_addresses_result]:
    """Every IPv4 and IPv6 address of every interface that is up.

    An interface with several addresses has several entries. Raises UVError.
    `uv_interface_addresses`
    """

def if_indextoname(index: int) -> str:
    """The name of the network interface with this number.

    Raises UVError (``UV_ENXIO``) when there is none, ValueError for an int that is no such number.
    `uv_if_indextoname`
    """

def if_indextoiid(index: int) -> str:
    """What follows the ``%`` in a scoped IPv6 address on the network interface with this number.

    Its name; on Windows its number. Raises UVError (``UV_ENXIO``) when there is none, ValueError
    for an int that is no such number. `uv_if_indextoiid`
    """

def getrusage() -> rusage_result:
    """What this process has used.

    Raises UVError. `uv_getrusage`
    """

def getrusage_thread() -> rusage_result:
    """What the calling thread has used.

    Raises UVError, ``UV_ENOTSUP`` where the system does not count by thread. `uv_getrusage_thread`
    """

def guess_handle_type(fd: int) -> int:
    """The type of handle that fits a file descriptor, one of the ``UV_*`` constants of `pyuv`.

    ``UV_TTY``, ``UV_FILE``, ``UV_NAMED_PIPE``, ``UV_TCP`` or ``UV_UDP``; ``UV_UNKNOWN_HANDLE`` for every
    other file and for a number that is no open file descriptor. Raises ValueError for an int too
    large to be one. `uv_guess_handle`
    """

def hostname() -> str:
    """The machine's name on its network.

    Raises UVError. `uv_os_gethostname`
    """

def os_uname() -> uname_result:
    """The operating system's name, release and version, and the hardware's name.

    Raises UVError. `uv_os_uname`
    """

def get_passwd(uid: int | None = None) -> passwd_result:
    """The user with this number, or the effective user of this process.

    Raises UVError (``UV_ENOENT``) when there is no such user, ValueError for an int that is no uid.
    `uv_os_get_passwd2`, `uv_os_get_passwd`
    """

def get_group(gid: int) -> group_result:
    """The group with this number.

    Raises UVError (``UV_ENOENT``) when there is no such group, ValueError for an int that is no gid.
    `uv_os_get_group`
    """

def thread_getname() -> str:
    """The name that the system has for the calling thread.

    Raises UVError. `uv_thread_getname`
    """

def thread_setname(name: str) -> None:
    """Name the calling thread, for top, gdb and their like; a long name is cut, on Linux to 15 bytes.

    Raises ValueError for a name with a NUL, UVError. `uv_thread_setname`
    """

def thread_getpriority() -> int:
    """The priority of the calling thread as the system counts: on Linux usually its nice value.

    Raises UVError. `uv_thread_getpriority`
    """

def thread_setpriority(priority: int) -> None:
    """Give the calling thread one of five priorities, from -2, the lowest, to 2.

    ``pyuv.UV_THREAD_PRIORITY_LOWEST`` and its kin name them. Raises ValueError for another number,
    UVError without the right to do it. `uv_thread_setpriority`
    """

def getpriority(pid: int = 0) -> int:
    """The priority of a process, 0 being the calling one: from -20, served first, to 19.

    Raises UVError (``UV_ESRCH``) when there is no such process. `uv_os_getpriority`
    """

def setpriority(pid: int, priority: int) -> None:
    """Set the priority of a process, 0 being the calling one.

    ``pyuv.UV_PRIORITY_LOW`` and its kin name usual values. Raises ValueError for a priority outside
    of -20 to 19, UVError when there is no such process or not the right to do it.
    `uv_os_setpriority`
    """

@overload
def getenv(name: str, default: None = None) -> str | None: ...
@overload
def getenv(name: str, default: _T) -> str | _T:
    """The value of an environment variable, or `default` when it is not set.

    It reads the process's environment, not the copy in `os.environ`. Raises ValueError for a name
    that is empty or holds ``=`` or NUL. `uv_os_getenv`
    """

def setenv(name: str, value: str) -> None:
    """Set an environment variable, for this process and the ones it starts.

    `os.environ`, a copy made when Python started, does not follow. As with `os.putenv`, no thread of
    C code may be reading the environment meanwhile. Raises ValueError for a name that is empty or
    holds ``=``, and for a NUL in either. `uv_os_setenv`
    """

def unsetenv(name: str) -> None:
    """Remove an environment variable; one that is not set is no error.

    What `setenv` says about `os.environ` and threads holds here too. Raises ValueError for a name that
    is empty or holds ``=`` or NUL. `uv_os_unsetenv`
    """

def environ() -> dict[str, str]:
    """The process's environment as a new dict.

    Raises UVError. `uv_os_environ`
    """

def getpid() -> int:
    """This process's number. `uv_os_getpid`"""

def getppid() -> int:
    """The number of this process's parent. `uv_os_getppid`"""

def kill(pid: int, signum: int) -> None:
    """Send signal `signum` to process `pid`; signal 0 only asks whether it is there.

    As for os.kill, 0 is every process of the own group, -1 every process there is, another
    negative number the group `-pid`. Raises UVError with UV_ESRCH where there is none, UV_EPERM
    where it is another user's; ValueError for a number that is no signal. `uv_kill`
    """

def homedir() -> str:
    """The user's home: ``$HOME`` where set, else what the user database says.

    Raises UVError. `uv_os_homedir`
    """

def tmpdir() -> str:
    """The directory for temporary files, without a trailing slash.

    ``$TMPDIR``, ``$TMP``, ``$TEMP`` or ``$TEMPDIR``, the first that is set, else the system's usual one.
    Raises UVError. `uv_os_tmpdir`
    """

def cwd() -> str:
    """The current working directory, without a trailing slash.

    Raises UVError, ``UV_ENOENT`` when it was deleted. `uv_cwd`
    """

def chdir(path: StrOrBytesPath) -> None:
    """Make `path` the working directory of the whole process.

    Raises ValueError for a path with a NUL, UVError when it cannot be entered. `uv_chdir`
    """

def exepath() -> str:
    """The absolute path of the program that runs in this process: the Python interpreter's.

    Raises UVError. `uv_exepath`
    """

def get_process_title() -> str:
    """The title of this process: what ``ps`` shows.

    On Linux the first string of its command line, so the program's name until a title is set.
    Raises UVError. `uv_get_process_title`
    """

def set_process_title(title: str) -> None:
    """Set the title of this process, which ``ps`` shows.

    On Linux it overwrites the command line in ``/proc``, arguments included, and is cut to that
    line's length; the process's short name becomes its first 15 bytes. `sys.argv` stays. Raises
    ValueError for a title with a NUL, UVError where the system does not let it be set.
    `uv_set_process_title`
    """

def random(n: int) -> bytes:
    """`n` cryptographically strong random bytes.

    It waits while the system has no entropy yet, soon after the machine starts. Raises ValueError
    for a negative `n` and for one above 2147483647, UVError when the system refuses.
    `uv_random`
    """

resident_set_size = resident_set_memory

def pipe(read_flags: int = 0, write_flags: int = 0) -> tuple[int, int]:
    """A new pipe: (read_fd, write_fd). Whoever asked closes them.

    The flags are UV_NONBLOCK_PIPE or 0. Neither end is inherited by child processes. Raises
    ValueError for other flags, UVError when no descriptor is left. `uv_pipe`
    """

def socketpair(type: int = 1, protocol: int = 0, flags0: int = 0, flags1: int = 0) -> tuple[int, int]:
    """Two connected sockets: (fd, fd). Whoever asked closes them.

    `type` and `protocol` are as in `socket.socketpair`; the flags, one for each, are
    UV_NONBLOCK_PIPE or 0. Neither is inherited by child processes. Raises ValueError for other
    flags, UVError for what the system does not have. `uv_socketpair`
    """

__all__ = [
    "SignalChecker",
    "available_parallelism",
    "chdir",
    "clock_gettime",
    "cpu_info",
    "cpu_info_result",
    "cpu_info_times_result",
    "cpumask_size",
    "cwd",
    "environ",
    "exepath",
    "get_available_memory",
    "get_constrained_memory",
    "get_free_memory",
    "get_group",
    "get_passwd",
    "get_process_title",
    "get_total_memory",
    "getaddrinfo",
    "getcpu",
    "getenv",
    "getnameinfo",
    "getpid",
    "getppid",
    "getpriority",
    "getrusage",
    "getrusage_thread",
    "gettimeofday",
    "group_result",
    "guess_handle_type",
    "homedir",
    "hostname",
    "hrtime",
    "if_indextoiid",
    "if_indextoname",
    "interface_addresses",
    "interface_addresses_result",
    "kill",
    "loadavg",
    "os_uname",
    "passwd_result",
    "pipe",
    "random",
    "resident_set_memory",
    "resident_set_size",
    "rusage_result",
    "set_process_title",
    "setenv",
    "setpriority",
    "socketpair",
    "thread_getaffinity",
    "thread_getname",
    "thread_getpriority",
    "thread_setaffinity",
    "thread_setname",
    "thread_setpriority",
    "timespec_result",
    "timeval_result",
    "tmpdir",
    "uname_result",
    "unsetenv",
    "uptime",
]
