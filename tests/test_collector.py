"""The collector sees everything of Python's that Rust keeps: what is in a cycle with it goes."""

import gc
import os
import socket
import sys
import threading
import time
import weakref

import pytest
import pyuv
from streams import fill

from util import collect, in_child


class Array(bytearray):
    """A bytes-like object that can know others."""


class Text(bytes):
    """The same, of the kind that is not copied."""


class Exporter:
    def __init__(self, content):
        self.content = bytearray(content)

    def __buffer__(self, flags):
        return memoryview(self.content)


class Path:
    def __init__(self, path):
        self.path = path

    def __fspath__(self):
        return self.path


def array(loop):
    data = Array(b"data")
    data.loop = loop
    return data


def text(loop):
    data = Text(b"data")
    data.loop = loop
    return data


def view(loop):
    return memoryview(array(loop))


def several(loop):
    return [b"plain", array(loop), text(loop)]


def exporter(loop):
    data = Exporter(b"data")
    data.loop = loop
    return data


since_3_12_7 = pytest.mark.skipif(
    sys.version_info < (3, 12, 7), reason="before 3.12.7 Python clears what still lends its memory"
)
KINDS = [
    array,
    text,
    pytest.param(view, marks=since_3_12_7),
    several,
    pytest.param(exporter, marks=since_3_12_7),
]


def assert_collected(make):
    """`make(loop)` leaves something with the loop that knows the loop; nobody else knows either."""

    def once():
        loop = pyuv.Loop()
        kept = make(loop)
        return weakref.ref(loop), kept

    reference, kept = once()
    collect()
    assert reference() is None
    # What Rust still works with is let go when it is done.
    if kept:
        kept()
    for _ in range(3):
        pyuv.Loop().close()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("callback", [None, lambda *arguments: None])
def test_data_of_a_write_that_waits(kind, callback):
    def make(loop):
        ours, theirs = socket.socketpair()
        pipe = pyuv.Pipe(loop)
        pipe.open(ours.detach())
        fill(pipe)
        for _ in range(3):
            pipe.write(b"plain", callback)
            pipe.write(kind(loop), callback)
        return theirs.close

    assert_collected(make)


@pytest.mark.parametrize("kind", KINDS)
def test_data_of_a_write_that_failed_and_is_not_told_yet(kind):
    def make(loop):
        ours, theirs = socket.socketpair()
        pipe = pyuv.Pipe(loop)
        pipe.open(ours.detach())
        theirs.close()
        pipe.write(kind(loop))

    assert_collected(make)


@pytest.mark.parametrize("kind", KINDS)
def test_data_of_datagrams(kind):
    def make(loop):
        udp = pyuv.UDP(loop)
        for _ in range(3):
            udp.send(("127.0.0.1", 9), kind(loop), lambda *arguments: None)

    assert_collected(make)


@pytest.mark.parametrize("kind", KINDS)
def test_data_that_is_written_to_a_file(kind, tmp_path):
    def make(loop):
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        try:
            while True:
                os.write(writer, bytes(65536))
        except BlockingIOError:
            os.set_blocking(writer, True)
        pyuv.fs.write(loop, writer, kind(loop), callback=lambda request: None)
        pyuv.fs.write_file(loop, tmp_path / "file", kind(loop), callback=lambda request: None)
        pyuv.fs.append_file(loop, tmp_path / "file", kind(loop), callback=lambda request: None)
        time.sleep(0.02)

        def end():
            os.set_blocking(reader, False)
            try:
                while os.read(reader, 1 << 20):
                    pass
            except BlockingIOError:
                pass
            os.close(reader)
            os.close(writer)

        return end

    assert_collected(make)


def test_memory_that_is_read_into():
    def make(loop):
        reader, writer = os.pipe()
        pyuv.fs.readinto(loop, reader, array(loop), callback=lambda request: None)
        time.sleep(0.02)

        def end():
            os.close(writer)
            time.sleep(0.02)
            os.close(reader)

        return end

    assert_collected(make)


@pytest.mark.parametrize(
    "function", ["stat", "opendir", "scandir", "read_file", "walk", "readlink", "open", "mkdtemp", "du"]
)
def test_paths_of_requests(function, tmp_path):
    def make(loop):
        path = Path(str(tmp_path / "XXXXXX"))
        path.loop = loop
        arguments = [os.O_RDONLY] if function == "open" else []
        getattr(pyuv.fs, function)(loop, path, *arguments, callback=lambda request: None)

    assert_collected(make)


def test_the_exception_of_a_work_function():
    def make(loop):
        raised = threading.Event()

        def work():
            try:
                raise ValueError(loop)
            finally:
                raised.set()

        loop.queue_work(work, lambda error: None)
        assert raised.wait(20)
        time.sleep(0.02)

    assert_collected(make)


def test_the_exception_of_a_work_function_whose_loop_is_gone():
    begun, go_on = threading.Event(), threading.Event()

    class Error(Exception):
        pass

    made = []

    def make(loop):
        def work():
            begun.set()
            go_on.wait(20)
            error = Error()
            made.append(weakref.ref(error))
            raise error

        loop.queue_work(work)
        assert begun.wait(20)

    assert_collected(make)
    go_on.set()
    while not made or made[0]():
        time.sleep(0.01)
        collect()


def test_the_name_of_a_dirent():
    class Name:
        pass

    name = Name()
    name.dirent = pyuv.fs.Dirent(name, 0)
    reference = weakref.ref(name)
    del name
    collect()
    assert reference() is None


def test_the_memory_of_a_write_is_free_when_its_callback_is_called(loop):
    ours, theirs = socket.socketpair()
    pipe, data, told = pyuv.Pipe(loop), bytearray(1 << 16), []
    pipe.open(ours.detach())

    def on_written(pipe, error):
        # Refused with a BufferError while somebody has a view of it.
        data.append(1)
        told.append(error)

    fill(pipe)
    pipe.write(data, on_written)
    with pytest.raises(BufferError):
        data.append(1)
    # What is in a collection is seen, and left alone.
    gc.collect()
    theirs.setblocking(False)
    while not told:
        try:
            theirs.recv(1 << 20)
        except BlockingIOError:
            loop.run(pyuv.UV_RUN_NOWAIT)
    assert told == [None]
    pipe.close()
    theirs.close()
    loop.run()


@pytest.mark.parametrize("form", ["write", "readinto", "write_file"])
def test_the_memory_of_a_request_is_free_when_its_callback_is_called(loop, form, tmp_path):
    data, told = bytearray(b"data"), []

    def done(request):
        data.append(1)
        told.append(request.error)

    path = tmp_path / "file"
    path.write_bytes(b"content")
    with open(path, "r+b") as file:
        if form == "write_file":
            request = pyuv.fs.write_file(loop, path, data, callback=done)
        else:
            request = getattr(pyuv.fs, form)(loop, file.fileno(), data, callback=done)
        loop.run()
    assert told == [None]
    assert request.error is None


CHAINS = {
    "Dirent": "pyuv.fs.Dirent(last, 0)",
    "Queue": "queued(last)",
    "Dirent and Queue": "pyuv.fs.Dirent(queued(last), 0)",
    "Timer and partial": "stopped(functools.partial(print, last))",
    "Timer and method": "stopped(types.MethodType(print, last or loop))",
    "Dirent and iterator": "pyuv.fs.Dirent(iter((last,)), 0)",
    "Dirent and cell": "pyuv.fs.Dirent(types.CellType(last), 0)",
    "StdIO": "subclass(last)",
}


@pytest.mark.parametrize("kind", CHAINS)
def test_a_long_chain_of_objects_goes_without_overflowing_the_stack(kind):
    code = f"""
import functools, gc, types, pyuv
loop = pyuv.Loop()
def queued(item):
    queue = pyuv.thread.Queue()
    queue.put(item)
    return queue
def stopped(callback):
    timer = pyuv.Timer(loop)
    timer.start(callback, 60)
    timer.stop()
    return timer
class Subclass(pyuv.StdIO):
    __slots__ = ("other",)
def subclass(other):
    made = Subclass()
    made.other = other
    return made
last = None
for _ in range({20_000 if "Timer" in kind else 100_000}):
    last = {CHAINS[kind]}
gc.collect()
del last
print("survived")
"""
    assert in_child(code) == ["survived"]
