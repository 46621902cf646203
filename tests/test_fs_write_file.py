import array
import gc
import mmap
import os

import pytest
import pyuv
from fsutil import block_pool, code_of
from pyuv import errno, fs
from pyuv.error import FSError

from util import in_child


@pytest.fixture(params=["write", "atomic", "append"])
def put(request, do):
    """Each way to put data into a file that there is not."""

    def put(path, data, **options):
        if request.param == "append":
            return do(fs.append_file, path, data, **options)
        return do(fs.write_file, path, data, atomic=request.param == "atomic", **options)

    return put


@pytest.fixture
def umask():
    old = os.umask(0o027)
    yield 0o027
    os.umask(old)


@pytest.mark.parametrize(
    "data",
    [
        b"bytes",
        b"",
        bytearray(b"array"),
        memoryview(b"a view")[2:],
        array.array("I", [1, 2, 3]),
        [b"several", b"", bytearray(b" pieces"), memoryview(b" of them")],
        [b"one"] * 3000,
        [b""],
        bytes(5 << 20),
    ],
    ids=lambda data: type(data).__name__,
)
def test_all_of_it_is_written(put, tmp_path, data):
    expected = b"".join(bytes(piece) for piece in data) if isinstance(data, list) else bytes(data)
    assert put(tmp_path / "file", data) == len(expected)
    assert (tmp_path / "file").read_bytes() == expected
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("atomic", [False, True])
def test_what_was_there_is_gone(do, file, atomic):
    assert do(fs.write_file, file, b"short", atomic=atomic) == 5
    assert file.read_bytes() == b"short"


def test_appending_goes_to_the_end(do, file):
    assert do(fs.append_file, file, [b"ab", b"cd"]) == 4
    assert do(fs.append_file, file, b"") == 0
    assert file.read_bytes() == b"0123456789abcd"


def test_a_new_file_has_the_mode_less_the_umask(put, tmp_path, umask):
    put(tmp_path / "default", b"x")
    put(tmp_path / "given", b"x", mode=0o4711)
    assert (tmp_path / "default").stat().st_mode & 0o7777 == 0o666 & ~umask
    assert (tmp_path / "given").stat().st_mode & 0o7777 == 0o4711 & ~umask


def test_a_file_that_is_there_keeps_its_mode(do, file):
    for mode in (0o600, 0o640, 0o7755):
        file.chmod(mode)
        do(fs.append_file, file, b"", mode=0o666)
        do(fs.write_file, file, b"", mode=0o666)
        do(fs.write_file, file, b"", atomic=True)
        assert file.stat().st_mode & 0o7777 == mode


def test_an_atomic_write_is_asked_for_a_mode(do, file, umask):
    file.chmod(0o600)
    do(fs.write_file, file, b"", 0o666, True)
    assert file.stat().st_mode & 0o7777 == 0o640


def test_memory_is_locked_until_it_is_over(loop, tmp_path):
    data = bytearray(b"some data")
    request = fs.write_file(loop, tmp_path / "file", [data], callback=lambda request: None)
    with pytest.raises(BufferError):
        data.append(1)
    loop.run()
    data.append(1)
    assert (request.result, request.error, request.bytes_written) == (9, None, None)
    assert code_of(fs.write_file, loop, tmp_path / "no" / "file", data) == errno.UV_ENOENT
    data.append(1)


def test_more_than_one_call_of_the_systems_moves(do):
    with mmap.mmap(-1, (1 << 31) + 5, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        assert do(fs.write_file, "/dev/null", memory) == (1 << 31) + 5
        assert do(fs.append_file, "/dev/null", [memory, b"x", memory]) == (1 << 32) + 11


def test_an_error_says_how_much_went_out(loop, tmp_path):
    for call in (fs.write_file, fs.append_file):
        with pytest.raises(FSError, match=rf"/dev/full \({call.__name__}\); 0 bytes were written$") as raised:
            call(loop, "/dev/full", b"x")
        assert (raised.value.args[0], raised.value.bytes_written) == (errno.UV_ENOSPC, 0)
        with pytest.raises(FSError, match="missing") as raised:
            call(loop, tmp_path / "missing" / "file", b"x")
        assert (raised.value.args[0], raised.value.bytes_written) == (errno.UV_ENOENT, 0)
        request = call(loop, "/dev/full", b"x", callback=lambda request: None)
        loop.run()
        assert (request.error, request.result, request.bytes_written) == (errno.UV_ENOSPC, None, 0)
    assert FSError.bytes_written is None
    with pytest.raises(FSError) as raised:
        fs.stat(loop, tmp_path / "missing")
    assert raised.value.bytes_written is None


def test_a_file_size_limit_stops_a_write_half_way(tmp_path):
    assert in_child(
        """
        import os, pathlib, resource, signal, sys, pyuv
        from pyuv import errno, fs
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
        loop = pyuv.Loop()
        os.chdir(sys.argv[1])
        pathlib.Path("file").write_text("old")

        def attempt(call, *arguments, **options):
            try:
                call(loop, "file", *arguments, **options)
            except pyuv.error.FSError as error:
                print(error.args[0] == errno.UV_EFBIG, error.bytes_written)
            request = call(loop, "file", *arguments, callback=lambda request: None, **options)
            loop.run()
            print(request.error == errno.UV_EFBIG, request.bytes_written, open("file").read())

        attempt(fs.write_file, [b"0123456", b"789abcdef"], atomic=True)
        attempt(fs.append_file, [b"abc", b"defg", b"hi"])
        attempt(fs.write_file, [b"0123456", b"789abcdef"])
        print(os.listdir())
        """,
        tmp_path,
    ) == [
        "True 0",
        "True 0 old",
        "True 7",
        "True 0 oldabcdefg",
        "True 10",
        "True 10 0123456789",
        "['file']",
    ]


@pytest.mark.parametrize("atomic", [False, True])
def test_errors_of_the_system(do, tmp_path, file, atomic):
    def code(path):
        return code_of(do, fs.write_file, path, b"x", atomic=atomic)

    (tmp_path / "circle").symlink_to("circle")
    assert code(tmp_path) == errno.UV_EISDIR
    assert code(tmp_path / "missing" / "file") == errno.UV_ENOENT
    assert code(file / "below") == errno.UV_ENOTDIR
    assert code("") == errno.UV_ENOENT
    assert code(tmp_path / "circle") == errno.UV_ELOOP
    assert code(tmp_path / ("x" * 300)) == errno.UV_ENAMETOOLONG
    assert sorted(os.listdir(tmp_path)) == ["circle", "file"]


def test_devices_and_fifos_are_not_replaced(do, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    assert code_of(do, fs.write_file, tmp_path / "fifo", b"x", atomic=True) == errno.UV_EINVAL
    assert code_of(do, fs.write_file, "/dev/null", b"x", atomic=True) == errno.UV_EINVAL
    assert os.listdir(tmp_path) == ["fifo"]


def test_an_atomic_write_leaves_links_and_open_files_alone(do, tmp_path, file):
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "dangling").symlink_to(tmp_path / "made")
    os.link(file, tmp_path / "other name")
    with open(file) as held:
        assert do(fs.write_file, tmp_path / "link", b"new", atomic=True) == 3
        assert held.read() == "0123456789"
    assert do(fs.write_file, tmp_path / "dangling", b"made", atomic=True) == 4
    assert os.readlink(tmp_path / "link") == "file"
    assert file.read_bytes() == b"new"
    assert (tmp_path / "made").read_bytes() == b"made"
    assert (tmp_path / "other name").read_bytes() == b"0123456789"


def test_an_atomic_write_follows_no_link_that_the_system_would_not(do, tmp_path, file):
    """fs.protected_symlinks: not those of others in a folder where everybody can make links."""
    tmp_path.chmod(0o1777)
    (tmp_path / "link").symlink_to(file)
    if os.getuid() == 0:
        os.lchown(tmp_path / "link", 65534, 65534)
    try:
        expected = do(fs.write_file, tmp_path / "link", b"new")
    except FSError as error:
        expected = error.args[0]
    assert expected in (3, errno.UV_EACCES)
    if expected == 3:
        assert do(fs.write_file, tmp_path / "link", b"new", atomic=True) == 3
    else:
        assert code_of(do, fs.write_file, tmp_path / "link", b"new", atomic=True) == expected
        assert file.read_bytes() == b"0123456789"
    assert sorted(os.listdir(tmp_path)) == ["file", "link"]


def test_an_atomic_write_in_the_current_folder(do, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert do(fs.write_file, "file", b"new", atomic=True) == 3
    assert do(fs.write_file, b"\xff", b"name", atomic=True) == 4
    assert sorted(os.listdir(b".")) == [b"file", b"\xff"]


def test_readers_see_the_old_file_or_the_new_one(loop, tmp_path):
    path = tmp_path / "file"
    contents = {bytes([letter]) * (200_000 + letter) for letter in range(65, 75)}
    fs.write_file(loop, path, min(contents), atomic=True)
    seen = []

    def read(request):
        seen.append(request.result)
        if any(write.result is None for write in writes):
            fs.read_file(loop, path, read)

    writes = [
        fs.write_file(loop, path, content, atomic=True, callback=lambda request: None)
        for content in sorted(contents)
    ]
    fs.read_file(loop, path, read)
    loop.run()
    assert seen
    assert set(seen) <= contents


def test_a_process_that_is_killed_leaves_the_old_file_or_the_new_one(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"A" * 100_000)
    in_child(
        """
        import os, signal, sys, threading, pyuv
        from pyuv import fs
        loop = pyuv.Loop()

        def write(request):
            if request is not None and loop.rounds == 20:
                threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGKILL)).start()
            loop.rounds += 1
            letter = b"AB"[loop.rounds % 2 :][:1]
            fs.write_file(loop, sys.argv[1], letter * 100_000, atomic=True, callback=write)

        loop.rounds = 0
        write(None)
        loop.run()
        """,
        path,
        status=-9,
    )
    assert path.read_bytes() in (b"A" * 100_000, b"B" * 100_000)


def test_bad_arguments_are_refused_at_the_call(put, tmp_path):
    for data, exception in (("text", TypeError), (5, TypeError), (None, TypeError), ([], ValueError)):
        with pytest.raises(exception):
            put(tmp_path / "file", data)
    with pytest.raises(ValueError, match="-1"):
        put(tmp_path / "file", b"", mode=-1)
    with pytest.raises(ValueError, match="NUL"):
        put("a\0b", b"")
    with pytest.raises(BufferError):
        put(tmp_path / "file", memoryview(b"0123")[::2])
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("atomic", [False, True])
def test_what_waits_can_be_cancelled_and_has_done_nothing(loop, file, tmp_path, atomic):
    go_on = block_pool(loop)
    data = bytearray(b"new")
    request = fs.write_file(loop, file, data, atomic=atomic, callback=lambda request: None)
    assert request.cancel() is True
    go_on()
    loop.run()
    assert (request.error, request.bytes_written) == (errno.UV_ECANCELED, 0)
    assert file.read_bytes() == b"0123456789"
    assert os.listdir(tmp_path) == ["file"]
    data.append(1)


def test_a_dropped_loop_lets_go_of_the_data(tmp_path):
    loop = pyuv.Loop()
    data = bytearray(b"x" * 1000)
    fs.write_file(loop, tmp_path / "file", data, callback=pytest.fail)
    del loop
    while True:
        # The pool may still be at work; loops are freed with the next ones.
        gc.collect()
        pyuv.Loop().close()
        try:
            data.append(1)
        except BufferError:
            continue
        break
