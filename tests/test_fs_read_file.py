import os
import threading

import pytest
import pyuv
from fsutil import code_of
from pyuv import errno, fs

from util import in_child


def pattern(length):
    return (bytes(range(251)) * (length // 251 + 1))[:length]


@pytest.mark.parametrize("length", [0, 1, 4096, 16384, 16385, 100_000, (1 << 20) - 1, 1 << 20, 3 << 20])
def test_files_of_every_length_are_read_whole(do, file, length):
    file.write_bytes(pattern(length))
    content = do(fs.read_file, file)
    assert type(content) is bytes
    assert content == pattern(length)
    assert do(fs.read_file, file, max_size=length) == content


def test_a_request_tells_of_the_path(loop, file):
    seen = []
    request = fs.read_file(loop, file, seen.append)
    assert (request.path, request.path2, request.fd, request.result) == (file, None, None, None)
    assert request.path is file
    loop.run()
    assert seen == [request]
    assert (request.result, request.error, request.bytes_written) == (b"0123456789", None, None)


def test_many_at_once_each_get_their_own_content(loop, tmp_path):
    paths = [tmp_path / str(number) for number in range(200)]
    for number, path in enumerate(paths):
        path.write_bytes(pattern(number * 100))
    told = {}
    for path in paths:
        fs.read_file(loop, path, lambda request: told.update({request.path: request.result}))
    loop.run()
    assert told == {path: pattern(number * 100) for number, path in enumerate(paths)}


@pytest.mark.parametrize("length", [10, 16384, 50_000, 2 << 20])
def test_a_longer_file_than_max_size_is_efbig(do, file, length):
    file.write_bytes(pattern(length))
    for limit in (0, 5, length - 1):
        assert code_of(do, fs.read_file, file, max_size=limit) == errno.UV_EFBIG


def test_files_without_a_length_are_read_to_their_end(do):
    assert do(fs.read_file, "/proc/self/status").startswith(b"Name:")
    assert do(fs.read_file, "/dev/null") == b""
    with open("/proc/self/maps", "rb") as maps:
        assert len(do(fs.read_file, "/proc/self/maps")) > len(maps.read()) // 2


def test_a_file_without_an_end_is_efbig(do):
    assert code_of(do, fs.read_file, "/dev/zero", max_size=1 << 20) == errno.UV_EFBIG


def test_without_max_size_too(loop):
    assert code_of(fs.read_file, loop, "/dev/zero") == errno.UV_EFBIG


def test_a_fifo_is_read_until_its_writers_are_gone(do, tmp_path):
    os.mkfifo(tmp_path / "fifo")

    def write():
        with open(tmp_path / "fifo", "wb", buffering=0) as fifo:
            for _ in range(100):
                fifo.write(pattern(1000))

    thread = threading.Thread(target=write)
    thread.start()
    assert do(fs.read_file, tmp_path / "fifo") == pattern(1000) * 100
    thread.join()


def test_more_than_memory_holds_is_enomem_before_it_is_read(do, tmp_path):
    with open(tmp_path / "sparse", "wb") as sparse:
        sparse.truncate(1 << 43)
    assert code_of(do, fs.read_file, tmp_path / "sparse") == errno.UV_ENOMEM
    assert code_of(do, fs.read_file, tmp_path / "sparse", max_size=1 << 30) == errno.UV_EFBIG


def test_a_limit_of_memory_is_enomem(tmp_path):
    with open(tmp_path / "sparse", "wb") as sparse:
        sparse.truncate(1 << 31)
    assert in_child(
        """
        import resource, sys, pyuv
        from pyuv import errno, fs
        loop = pyuv.Loop()
        fs.stat(loop, "/", callback=lambda request: None)
        loop.run()
        with open("/proc/self/statm") as statm:
            used = int(statm.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + (1 << 30),) * 2)
        try:
            fs.read_file(loop, sys.argv[1])
        except pyuv.error.FSError as error:
            print(error.args[0] == errno.UV_ENOMEM)
        request = fs.read_file(loop, sys.argv[1], lambda request: None)
        loop.run()
        print(request.error == errno.UV_ENOMEM)
        """,
        tmp_path / "sparse",
    ) == ["True", "True"]


def test_errors_are_those_of_opening_and_reading(do, tmp_path):
    assert code_of(do, fs.read_file, tmp_path / "missing") == errno.UV_ENOENT
    assert code_of(do, fs.read_file, tmp_path) == errno.UV_EISDIR
    assert code_of(do, fs.read_file, "") == errno.UV_ENOENT
    (tmp_path / "circle").symlink_to("circle")
    assert code_of(do, fs.read_file, tmp_path / "circle") == errno.UV_ELOOP
    assert code_of(do, fs.read_file, tmp_path / ("x" * 300)) == errno.UV_ENAMETOOLONG


def test_bad_arguments_are_refused_at_the_call(do, file):
    with pytest.raises(ValueError, match="-1"):
        do(fs.read_file, file, max_size=-1)
    with pytest.raises(TypeError, match="str"):
        do(fs.read_file, file, max_size="5")
    with pytest.raises(ValueError, match="NUL"):
        do(fs.read_file, "a\0b")
    with pytest.raises(TypeError, match="int"):
        do(fs.read_file, 5)


def test_names_that_are_not_text_are_found(do, tmp_path):
    name = os.fsencode(tmp_path) + b"/\xff\xfe"
    with open(name, "wb") as file:
        file.write(b"found")
    assert do(fs.read_file, name) == b"found"
    assert do(fs.read_file, os.fsdecode(name)) == b"found"


def test_nothing_stays_open(do, file, tmp_path):
    before = os.listdir("/proc/self/fd")
    for _ in range(10):
        do(fs.read_file, file)
        code_of(do, fs.read_file, file, max_size=1)
        code_of(do, fs.read_file, tmp_path)
    assert len(os.listdir("/proc/self/fd")) <= len(before) + 2


def test_large_files_are_read_while_the_loops_thread_runs_python(loop, tmp_path):
    for number in range(4):
        (tmp_path / str(number)).write_bytes(pattern(2 << 20))
    idle = pyuv.Idle(loop)
    idle.start(lambda handle: sum(range(1000)))
    seen = []

    def told(request):
        seen.append(request.result == pattern(2 << 20))
        if len(seen) == 4:
            idle.close()

    for number in range(4):
        fs.read_file(loop, tmp_path / str(number), told)
    loop.run()
    assert seen == [True] * 4


def test_ctrl_c_ends_one_that_blocks(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    assert in_child(
        """
        import os, signal, sys, threading, pyuv
        loop = pyuv.Loop()
        seen = []
        signal.signal(signal.SIGUSR1, lambda *rest: seen.append("handled"))
        done = threading.Event()

        def interrupt():
            # Sent again until it meets the read, which goes on after the first kind.
            writer = os.open(sys.argv[1], os.O_WRONLY)
            while not seen:
                signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)
                done.wait(0.01)
            while not done.wait(0.01):
                signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
            os.close(writer)

        thread = threading.Thread(target=interrupt)
        try:
            thread.start()
            pyuv.fs.read_file(loop, sys.argv[1])
        except KeyboardInterrupt:
            done.set()
            print("KeyboardInterrupt", *seen[:1])
        """,
        tmp_path / "fifo",
    ) == ["KeyboardInterrupt handled"]


def test_the_process_ends_while_files_are_read(tmp_path):
    (tmp_path / "large").write_bytes(bytes(4 << 20))
    assert in_child(
        """
        import sys, pyuv
        loop = pyuv.Loop()
        for _ in range(100):
            pyuv.fs.read_file(loop, sys.argv[1], lambda request: None)
        loop.run(pyuv.UV_RUN_NOWAIT)
        print("leaving")
        """,
        tmp_path / "large",
    ) == ["leaving"]
