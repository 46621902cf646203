"""What the system refuses: a full disk, names and links it cannot follow, files of somebody else's."""

import errno as os_errno
import os
import threading

import pytest
import pyuv
from fsutil import SMALL_DISK, block_pool, code_of
from pyuv import errno, fs

from util import in_child


def on_small_disk(code, folder):
    lines = in_child(SMALL_DISK + code, folder)
    assert all(line == "True" for line in lines), lines
    return len(lines)


def test_a_full_disk_stops_a_write_half_way_and_the_error_says_where(tmp_path):
    assert on_small_disk(
        """
for append in (False, True):
    for code, written in errors(fs.append_file if append else fs.write_file, "small/file", bytes(1 << 17)):
        print(code == full)
        print(written == os.stat("small/file").st_size <= 1 << 16 if not append else written == 0)
        print(append or written > 0)
""",
        tmp_path,
    ) == 12  # fmt: skip


def test_a_full_disk_leaves_the_old_file_to_an_atomic_write(tmp_path):
    assert on_small_disk(
        """
Path("small/file").write_text("old")
for code, written in errors(fs.write_file, "small/file", bytes(1 << 17), atomic=True):
    print((code, written) == (full, 0))
    print(open("small/file").read() == "old")
    print(os.listdir("small") == ["file"])
print(fs.write_file(loop, "small/file", b"new", atomic=True) == 3)
print(open("small/file").read() == "new")
""",
        tmp_path,
    ) == 8  # fmt: skip


def test_a_full_disk_and_the_other_operations_that_write(tmp_path):
    assert on_small_disk(
        """
fd = fs.open(loop, "small/file", os.O_RDWR | os.O_CREAT)
written = fs.write(loop, fd, [bytes(1 << 15), bytes(1 << 17)], 0)
print(0 < written <= 1 << 16)
for code, _ in errors(fs.write, fd, b"x" * 5000, written):
    print(code == full)
fs.ftruncate(loop, fd, 0)
source = fs.open(loop, "/dev/zero", os.O_RDONLY)
large = fs.open(loop, "large", os.O_RDWR | os.O_CREAT)
if mounted:
    os.write(large, b"x" * (1 << 20))
    print(0 < fs.sendfile(loop, fd, large, 0, 1 << 20) <= 1 << 16)
    fs.ftruncate(loop, fd, 0)
    for code, _ in errors(fs.copyfile, "large", "small/copy"):
        print(code == full and "copy" not in os.listdir("small"))
    for function in (fs.link, fs.rename):
        print([code for code, _ in errors(function, "large", "small/name")] == [errno.UV_EXDEV] * 2)
else:
    os.ftruncate(large, 1 << 16)
    for code, _ in errors(fs.ftruncate, fd, 1 << 17):
        print(code == full)
    print(fs.sendfile(loop, fd, large, 0, 1 << 20) == 1 << 16)
    print(os.stat("small/file").st_size == 1 << 16)
    print(os.stat("large").st_size == 1 << 16)
""",
        tmp_path,
    ) == 8  # fmt: skip


def test_a_disk_without_room_for_names(tmp_path):
    """Where nothing can be mounted, a limit of open files is what stands in the way."""
    assert on_small_disk(
        """
taken = []
if mounted:
    wanted = errno.UV_ENOSPC
    try:
        while True:
            fs.mkdir(loop, f"small/{len(taken)}")
            taken.append(len(taken))
    except pyuv.error.FSError as error:
        print(error.args[0] == wanted)
    calls = [(fs.mkdir, "small/x"), (fs.mkdtemp, "small/XXXXXX"), (fs.symlink, "x", "small/x")]
else:
    wanted = errno.UV_EMFILE
    for code, _ in errors(fs.mkdir, "small"):
        pass
    print(code == errno.UV_EEXIST)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    try:
        while True:
            taken.append(os.dup(0))
    except OSError:
        pass
    calls = [(fs.open, "/", os.O_RDONLY), (fs.opendir, "/"), (fs.scandir, "/")]
calls += [
    (fs.mkstemp, "small/XXXXXX"),
    (fs.open, "small/x", os.O_WRONLY | os.O_CREAT),
    (fs.write_file, "small/x", b"x"),
    (fs.append_file, "small/x", b"x"),
]
for function, *arguments in calls:
    print([code for code, _ in errors(function, *arguments)] == [wanted, wanted])
print([code for code, _ in errors(fs.write_file, "small/x", b"x", atomic=True)] == [wanted, wanted])
""",
        tmp_path,
    ) == 9  # fmt: skip


def test_another_filesystem_is_exdev(do, file):
    # Two that every Linux has.
    name = f"/dev/shm/{os.getpid()}-{id(file)}"
    there = "/proc/self/x" if os.stat("/dev/shm").st_dev == file.stat().st_dev else name
    codes = (errno.UV_EXDEV,) if there == name else (errno.UV_EXDEV, errno.UV_ENOENT)
    assert code_of(do, fs.rename, file, there) in codes
    assert code_of(do, fs.link, file, there) in codes
    assert file.exists()


def test_files_of_another_user_are_eacces(tmp_path):
    """Where this is the user who may do anything, it becomes one who may not."""
    tmp_path.chmod(0o755)
    lines = in_child(
        """
        import os, sys, pyuv
        from pyuv import errno, fs
        os.chdir(sys.argv[1])
        root = os.getuid() == 0
        closed = 0o700 if root else 0
        os.mkdir("folder")
        os.mkdir("open")
        for name in ("file", "folder/file", "open/file"):
            open(name, "w").write("text")
            os.chmod(name, closed & 0o600)
        os.chmod("folder", closed)
        os.chmod("open", 0o755 if root else 0o555)
        if root:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        loop = pyuv.Loop()
        calls = [
            (fs.open, "file", os.O_RDONLY),
            (fs.access, "file", os.R_OK),
            (fs.read_file, "file"),
            (fs.write_file, "file", b"x"),
            (fs.append_file, "file", b"x"),
            (fs.copyfile, "file", "/dev/null"),
            (fs.stat, "folder/file"),
            (fs.lstat, "folder/file"),
            (fs.realpath, "folder/file"),
            (fs.readlink, "folder/file"),
            (fs.scandir, "folder"),
            (fs.opendir, "folder"),
            (fs.read_file, "folder/file"),
            (fs.unlink, "folder/file"),
            (fs.utime, "folder/file", 0, 0),
            (fs.chmod, "folder/file", 0o777),
            (fs.mkdir, "open/new"),
            (fs.mkdtemp, "open/XXXXXX"),
            (fs.mkstemp, "open/XXXXXX"),
            (fs.symlink, "x", "open/new"),
            (fs.unlink, "open/file"),
            (fs.rename, "open/file", "open/name"),
            (fs.write_file, "open/new", b"x"),
            (fs.write_file, "open/file", b"x", None, True),
            (fs.write_file, "open/new", b"x", None, True),
        ]
        for function, *arguments in calls:
            try:
                found = function(loop, *arguments)
            except pyuv.error.FSError as error:
                found = error.args[0]
            request = function(loop, *arguments, callback=lambda request: None)
            loop.run()
            if (found, request.error) != (errno.UV_EACCES, errno.UV_EACCES):
                print(function.__name__, arguments, found, request.error)
        if root:
            for function, *arguments in [(fs.chown, "file", 0, 0), (fs.chmod, "file", 0o777)]:
                try:
                    function(loop, *arguments)
                except pyuv.error.FSError as error:
                    if error.args[0] != errno.UV_EPERM:
                        print(function.__name__, error)
        os.chmod("open", 0o755) if not root else None
        print(sorted(os.listdir("open")))
        """,
        tmp_path,
    )
    assert lines == ["['file']"]


PATHS = [
    (fs.stat,),
    (fs.lstat,),
    (fs.statfs,),
    (fs.access, os.F_OK),
    (fs.open, os.O_RDONLY),
    (fs.mkdir,),
    (fs.rmdir,),
    (fs.unlink,),
    (fs.chmod, 0o600),
    (fs.chown, -1, -1),
    (fs.lchown, -1, -1),
    (fs.utime, 0, 0),
    (fs.lutime, 0, 0),
    (fs.readlink,),
    (fs.realpath,),
    (fs.scandir,),
    (fs.opendir,),
    (fs.rename, "other"),
    (fs.link, "other"),
    (fs.copyfile, "other"),
    (fs.read_file,),
    (fs.write_file, b""),
    (fs.write_file, b"", None, True),
    (fs.append_file, b""),
]


def named(case):
    return case[0].__name__


@pytest.mark.parametrize("case", PATHS, ids=named)
def test_a_name_that_is_too_long_is_enametoolong(do, tmp_path, case):
    function, *rest = case
    assert code_of(do, function, tmp_path / ("x" * 256), *rest) == errno.UV_ENAMETOOLONG
    if function is not fs.realpath:
        # That one goes from name to name, and finds that the first is missing.
        assert code_of(do, function, "y/" * 3000, *rest) == errno.UV_ENAMETOOLONG


@pytest.mark.parametrize("case", PATHS, ids=named)
def test_links_that_lead_in_a_circle_are_eloop(do, tmp_path, case):
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    function, *rest = case
    assert code_of(do, function, tmp_path / "one" / "below", *rest) == errno.UV_ELOOP


@pytest.mark.parametrize("function", [fs.mkdtemp, fs.mkstemp])
def test_templates_too(do, tmp_path, function):
    (tmp_path / "circle").symlink_to("circle")
    assert code_of(do, function, tmp_path / "circle" / "XXXXXX") == errno.UV_ELOOP
    assert code_of(do, function, tmp_path / ("x" * 250 + "XXXXXX")) == errno.UV_ENAMETOOLONG


def test_a_write_that_would_block_says_how_much_went_out(do):
    out, into = os.pipe2(os.O_NONBLOCK)
    written = do(fs.write, into, [bytes(1 << 20), bytes(1 << 20)])
    assert 0 < written < 1 << 21
    assert code_of(do, fs.write, into, b"x") == errno.UV_EAGAIN
    os.close(into)
    with open(out, "rb", buffering=0) as rest:
        assert len(rest.readall()) == written


@pytest.fixture
def fifo(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    return tmp_path / "fifo"


def begin(loop, *arguments):
    """Has a read of the FIFO begun: a writer can only open it, without waiting, once a reader has."""
    request = fs.read_file(loop, *arguments, lambda request: None)
    while True:
        try:
            return request, os.open(arguments[0], os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != os_errno.ENXIO:
                raise


def test_a_file_that_is_being_read_cannot_be_cancelled(loop, fifo):
    request, writer = begin(loop, fifo)
    assert request.cancel() is False
    os.write(writer, b"all of it")
    os.close(writer)
    loop.run()
    assert (request.result, request.error) == (b"all of it", None)
    assert request.cancel() is False


def test_a_loop_with_a_file_in_flight_does_not_close(loop, fifo):
    request, writer = begin(loop, fifo)
    with pytest.raises(pyuv.error.UVError, match=r"1 requests? in flight"):
        loop.close()
    os.close(writer)
    loop.run()
    assert request.result == b""
    loop.close()
    assert request.cancel() is False


def test_whole_files_in_flight_end_with_the_loop_they_belong_to(fifo, tmp_path):
    loop = pyuv.Loop()
    request, writer = begin(loop, fifo)
    fs.write_file(loop, tmp_path / "file", b"x", callback=pytest.fail)
    del loop, request
    os.write(writer, b"to nobody")
    os.close(writer)


def test_every_stage_of_a_queue_can_be_cancelled(loop, tmp_path):
    go_on = block_pool(loop)
    ended = []
    requests = [
        fs.write_file(loop, tmp_path / str(number), b"x", callback=ended.append) for number in range(50)
    ]
    cancelled = requests[::2]
    assert all(request.cancel() for request in cancelled)
    assert not any(request.cancel() for request in cancelled)
    go_on()
    loop.run()
    assert sorted(ended, key=requests.index) == requests
    assert [request.error for request in cancelled] == [errno.UV_ECANCELED] * 25
    assert [request.result for request in requests[1::2]] == [1] * 25
    assert sorted(os.listdir(tmp_path), key=int) == [str(number) for number in range(1, 50, 2)]


def test_files_in_flight_are_cancelled_from_a_callback_of_another(loop, file):
    out, into = os.pipe()
    seen = []
    threading.Thread(target=os.write, args=(into, b"x")).start()

    def first(request):
        seen.append(last.cancel())

    fs.read(loop, out, 1, callback=first)
    last = fs.read_file(loop, file, seen.append)
    loop.run()
    os.close(out)
    os.close(into)
    # Whether it was in time, it alone can tell.
    assert last in seen
    if True in seen:
        assert (last.error, last.result) == (errno.UV_ECANCELED, None)
    else:
        assert (last.error, last.result) == (None, b"0123456789")
