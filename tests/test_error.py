import copy
import errno
import os
import pickle
import socket

import pytest
import pyuv
from pyuv import dns, error, fs

PARENTS = {
    "AsyncError": "HandleError",
    "CheckError": "HandleError",
    "DNSError": "UVError",
    "FSError": "UVError",
    "FSEventError": "HandleError",
    "FSPollError": "HandleError",
    "HandleClosedError": "HandleError",
    "HandleError": "UVError",
    "IdleError": "HandleError",
    "PipeError": "StreamError",
    "PollError": "HandleError",
    "PrepareError": "HandleError",
    "ProcessError": "HandleError",
    "SignalError": "HandleError",
    "StreamError": "HandleError",
    "TCPError": "StreamError",
    "TTYError": "StreamError",
    "ThreadError": "UVError",
    "TimerError": "HandleError",
    "UDPError": "HandleError",
}


@pytest.mark.parametrize("name", PARENTS)
def test_each_exception_has_the_parent_it_had_in_pyuv_1_4(name):
    exception = getattr(error, name)
    assert exception.__bases__ == (getattr(error, PARENTS[name]),)
    assert exception.__module__ == "pyuv.error"
    assert exception.__doc__


def test_all_of_them_are_uv_errors():
    assert error.UVError.__bases__ == (OSError,)
    assert set(error.__all__) == {"UVError", *PARENTS}
    assert all(issubclass(getattr(error, name), error.UVError) for name in error.__all__)


@pytest.mark.parametrize("name", PARENTS)
def test_an_exception_survives_pickling(name):
    before = getattr(error, name)(pyuv.errno.UV_EIO, "i/o error")
    after = pickle.loads(pickle.dumps(before))
    assert type(after) is type(before)
    assert after.args == (pyuv.errno.UV_EIO, "i/o error")


def test_an_error_of_libuv_carries_code_and_message():
    with pytest.raises(error.UVError) as caught:
        pyuv.util.get_group(0xFFFEFFF0)
    code, message = caught.value.args
    assert code == pyuv.errno.UV_ENOENT
    assert message == "no such file or directory: group 4294901744 (get_group)"


def test_exceptions_can_be_subclassed():
    class Mine(error.TCPError):
        pass

    with pytest.raises(error.StreamError):
        raise Mine(pyuv.errno.UV_EPIPE, "mine")


# What the system has no number for.
PYUV_ONLY = {"UV_EOF", "UV_UNKNOWN", "UV_ECHARSET", "UV_EFTYPE", "UV_ENONET"} - {
    f"UV_{name}" for name in errno.errorcode.values()
}


@pytest.mark.parametrize("code", pyuv.errno.errorcode)
def test_an_error_is_the_system_s_too(code):
    name = pyuv.errno.errorcode[code]
    raised = error.TCPError(code, "text")
    assert isinstance(raised, error.TCPError)
    assert raised.args == (code, "text")
    assert (raised.code, raised.strerror, str(raised)) == (code, pyuv.errno.strerror(code), "text")
    if name.startswith("UV_EAI_"):
        assert isinstance(raised, socket.gaierror)
        assert raised.errno == getattr(socket, name.removeprefix("UV_"), None)
    elif name in PYUV_ONLY:
        assert raised.errno is None
    else:
        number = getattr(errno, name.removeprefix("UV_"))
        assert raised.errno == number > 0
        assert isinstance(raised, type(OSError(number, "")))


def test_a_missing_file_is_a_file_not_found_error(tmp_path):
    path = tmp_path / "missing"
    with pytest.raises(FileNotFoundError) as caught:
        fs.stat(pyuv.Loop(), path)
    raised = caught.value
    assert isinstance(raised, error.FSError)
    assert (raised.errno, raised.code) == (errno.ENOENT, pyuv.errno.UV_ENOENT)
    assert (raised.filename, raised.filename2) == (path, None)
    assert str(raised) == f"no such file or directory: {path} (stat)"
    assert type(raised).__name__ == "FSError"


def test_both_paths_of_a_call_are_told(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        fs.rename(pyuv.Loop(), str(tmp_path / "a"), str(tmp_path / "b"))
    assert caught.value.filename == str(tmp_path / "a")
    assert caught.value.filename2 == str(tmp_path / "b")


@pytest.mark.parametrize("call", [fs.read_file, fs.opendir, fs.scandir, fs.readlink])
def test_a_file_that_is_not_found_is_named_as_it_was_given(call, tmp_path):
    path = bytes(tmp_path / "missing")
    with pytest.raises(FileNotFoundError) as caught:
        call(pyuv.Loop(), path)
    assert caught.value.filename == path


def test_an_address_that_cannot_be_resolved_is_a_gaierror():
    with pytest.raises(socket.gaierror) as caught:
        dns.getaddrinfo(pyuv.Loop(), "127.0.0.1", "nosuchservice")
    assert isinstance(caught.value, error.UVError)
    assert caught.value.errno == socket.EAI_SERVICE


@pytest.mark.parametrize(
    ("code", "system", "number"),
    [
        (dns.ARES_ETIMEOUT, TimeoutError, errno.ETIMEDOUT),
        (dns.ARES_ECONNREFUSED, ConnectionRefusedError, errno.ECONNREFUSED),
    ],
)
def test_two_codes_of_c_ares_are_the_system_s_too(code, system, number):
    raised = error.DNSError(code, "what was said")
    assert isinstance(raised, system)
    assert (raised.code, raised.errno, str(raised)) == (code, number, "what was said")
    again = pickle.loads(pickle.dumps(raised))
    assert type(again) is type(raised)
    assert again.args == raised.args


def test_codes_of_c_ares_are_not_the_system_s():
    raised = error.DNSError(dns.ARES_ENOTFOUND, "not found")
    assert (raised.code, raised.errno, raised.strerror) == (dns.ARES_ENOTFOUND, None, None)
    assert raised.args == (dns.ARES_ENOTFOUND, "not found")
    assert type(raised) is error.DNSError


def test_a_closed_handle_has_no_code():
    timer = pyuv.Timer(pyuv.Loop())
    timer.close()
    with pytest.raises(error.HandleClosedError) as caught:
        timer.stop()
    raised = caught.value
    assert (raised.code, raised.errno, raised.strerror, raised.filename) == (None, None, None, None)
    assert str(raised) == "the handle is closed"


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
def test_a_copy_is_the_same_in_everything(copied, tmp_path):
    with pytest.raises(error.FSError) as caught:
        fs.rename(pyuv.Loop(), str(tmp_path / "a"), str(tmp_path / "b"))
    before = caught.value
    before.bytes_written = 3
    before.add_note("noted")
    after = copied(before)
    assert type(after) is type(before)
    for name in ("args", "code", "errno", "strerror", "filename", "filename2", "bytes_written", "__notes__"):
        assert getattr(after, name) == getattr(before, name), name


def test_a_class_of_one_s_own_is_joined_with_the_system_s_too():
    class Mine(error.TCPError):
        def __init__(self, address):
            super().__init__(pyuv.errno.UV_ECONNREFUSED, f"nobody at {address}")
            self.address = address

    raised = Mine("192.0.2.1")
    assert isinstance(raised, Mine)
    assert isinstance(raised, ConnectionRefusedError)
    assert (raised.code, raised.errno) == (pyuv.errno.UV_ECONNREFUSED, errno.ECONNREFUSED)
    assert (str(raised), raised.address) == ("nobody at 192.0.2.1", "192.0.2.1")

    class RefusedError(error.TCPError, ConnectionRefusedError):
        pass

    assert type(RefusedError(pyuv.errno.UV_ECONNREFUSED, "no")) is RefusedError

    class Slotted(error.TCPError):
        __slots__ = ("port",)

    slotted = Slotted(pyuv.errno.UV_ECONNREFUSED, "no")
    slotted.port = 80
    assert isinstance(slotted, ConnectionRefusedError)
    assert slotted.port == 80


def test_anything_may_be_an_argument():
    assert error.UVError().args == ()
    assert error.UVError("a", "b", "c").args == ("a", "b", "c")
    assert str(error.UVError("alone")) == "alone"
    raised = error.UVError(10**30, "no code of libuv's")
    assert raised.errno is None
    assert str(raised) == "no code of libuv's"


@pytest.fixture
def busy():
    """A port of 127.0.0.1 that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_an_address_in_use_is_named_with_the_call_that_asked_for_it(loop, busy):
    server = pyuv.TCP(loop)
    server.bind(("127.0.0.1", busy))
    with pytest.raises(OSError, match="in use") as caught:
        server.listen(lambda *_: None)
    assert str(caught.value) == f"address already in use: 127.0.0.1:{busy} (bind)"
    assert caught.value.errno == errno.EADDRINUSE
    assert caught.value.args[0] == pyuv.errno.UV_EADDRINUSE


CALLS = {
    "a TCP address of somebody else": (
        lambda loop, path: pyuv.TCP(loop).bind(("192.0.2.1", 80)),
        "address not available: 192.0.2.1:80 (bind)",
    ),
    "an IPv6 address": (
        lambda loop, path: pyuv.UDP(loop).bind(("2001:db8::1", 53)),
        "address not available: [2001:db8::1]:53 (bind)",
    ),
    "a missing socket's folder": (
        lambda loop, path: pyuv.Pipe(loop).bind(str(path / "no" / "socket")),
        "permission denied: {path}/no/socket (bind)",
    ),
    "a name that is too long": (
        lambda loop, path: pyuv.Pipe(loop).connect("x" * 200, print),
        "invalid argument: " + "x" * 200 + " (connect)",
    ),
    "a file": (
        lambda loop, path: fs.open(loop, path / "no", 0),
        "no such file or directory: {path}/no (open)",
    ),
    "two files": (
        lambda loop, path: fs.rename(loop, path / "a", path / "b"),
        "no such file or directory: {path}/a -> {path}/b (rename)",
    ),
    "a tree": (
        lambda loop, path: fs.rmtree(loop, path / "no"),
        "no such file or directory: {path}/no (rmtree)",
    ),
    "a file descriptor": (
        lambda loop, path: fs.read(loop, 987654, 1, 0),
        "bad file descriptor: fd 987654 (read)",
    ),
    "no peer": (lambda loop, path: pyuv.TCP(loop).getpeername(), "bad file descriptor (getpeername)"),
    "nobody to write to": (lambda loop, path: pyuv.TCP(loop).write(b"x"), "bad file descriptor (write)"),
    "a watched file": (
        lambda loop, path: fs.FSEvent(loop).start(path / "no", 0, print),
        "no such file or directory: {path}/no (start)",
    ),
    "a service": (
        lambda loop, path: dns.getaddrinfo(loop, "127.0.0.1", "nosuchservice"),
        'service not available for socket type: "127.0.0.1", service "nosuchservice" (getaddrinfo)',
    ),
    "a program": (
        lambda loop, path: pyuv.Process.spawn(loop, [str(path / "no")]),
        "no such file or directory: {path}/no (spawn)",
    ),
    "a folder to work in": (
        lambda loop, path: pyuv.Process.spawn(loop, ["true"], cwd=path / "no"),
        "no such file or directory: working directory {path}/no (spawn)",
    ),
    "a name": (
        lambda loop, path: dns.resolve("no.example", servers=["127.0.0.1"], port=9, tries=1, timeout=5),
        "Could not contact DNS servers: no.example (resolve)",
    ),
    "a folder to change to": (
        lambda loop, path: pyuv.util.chdir(path / "no"),
        "no such file or directory: {path}/no (chdir)",
    ),
    "a group": (
        lambda loop, path: pyuv.util.get_group(0xFFFEFFF0),
        "no such file or directory: group 4294901744 (get_group)",
    ),
}


@pytest.mark.parametrize("call", CALLS)
def test_the_text_is_a_sentence_that_names_what_and_the_call(call, loop, tmp_path):
    failing, text = CALLS[call]
    with pytest.raises(error.UVError) as caught:
        failing(loop, tmp_path)
    assert str(caught.value) == text.format(path=tmp_path)
    assert caught.value.args == (caught.value.code, str(caught.value))


@pytest.mark.parametrize("kind", [str, bytes, lambda path: path])
@pytest.mark.parametrize(
    "call",
    [
        lambda loop, path: pyuv.Pipe(loop).bind(path),
        lambda loop, path: pyuv.Pipe(loop).bind2(path),
        lambda loop, path: fs.FSEvent(loop).start(path, 0, print),
        lambda loop, path: pyuv.Process.spawn(loop, path),
        lambda loop, path: pyuv.Process.spawn(loop, [path, "argument"]),
        lambda loop, path: pyuv.Process.spawn(loop, ["name"], executable=path),
        lambda loop, path: pyuv.Process.spawn(loop, ["true"], cwd=path),
        lambda loop, path: pyuv.util.chdir(path),
        lambda loop, path: fs.rmtree(loop, path),
        lambda loop, path: fs.walk(loop, path),
        lambda loop, path: fs.copytree(loop, path, "elsewhere"),
    ],
)
def test_the_path_to_blame_is_the_filename_as_it_was_given(call, kind, loop, tmp_path):
    path = kind(tmp_path / "no" / "such")
    with pytest.raises(OSError, match="such") as caught:
        call(loop, path)
    assert caught.value.filename == path
    assert type(caught.value.filename) is type(path)


def test_a_pipe_that_cannot_connect_names_the_path(loop):
    with pytest.raises(error.PipeError) as caught:
        pyuv.Pipe(loop).connect("", print)
    assert caught.value.filename == ""


def test_a_program_is_to_blame_where_the_folder_is_there(loop, tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        pyuv.Process.spawn(loop, ["./no"], cwd=tmp_path)
    assert caught.value.filename == "./no"


def test_what_is_in_a_tree_is_blamed_alone(loop, tmp_path):
    (tmp_path / "tree" / "below").mkdir(parents=True)
    os.mkfifo(tmp_path / "tree" / "below" / "pipe")
    with pytest.raises(error.FSError, match="copytree") as caught:
        fs.copytree(loop, tmp_path / "tree", tmp_path / "copy")
    assert caught.value.filename == str(tmp_path / "tree" / "below" / "pipe")
