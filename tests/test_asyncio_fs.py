"""Operations of pyuv.fs, awaited: their results, their errors, and what becomes of them if nobody waits."""

import asyncio
import inspect
import os
import threading

import pytest
import pyuv
import pyuv.asyncio
from asyncioutil import run
from fsutil import FOREIGN_FD, block_pool
from pyuv.asyncio import fs
from pyuv.error import FSError

factory = pyuv.asyncio.new_event_loop

ELSEWHERE = {"open": "open_fd"}
FAILING = {
    "access": ("missing", os.F_OK),
    "append_file": ("missing/file", b""),
    "chmod": ("missing", 0o600),
    "chown": ("missing", 0, 0),
    "close": (FOREIGN_FD,),
    "copyfile": ("missing", "elsewhere"),
    "copytree": ("missing", "elsewhere"),
    "du": (b"missing",),
    "fchmod": (FOREIGN_FD, 0o600),
    "fchown": (FOREIGN_FD, 0, 0),
    "fdatasync": (FOREIGN_FD,),
    "fstat": (FOREIGN_FD,),
    "fsync": (FOREIGN_FD,),
    "ftruncate": (FOREIGN_FD, 0),
    "futime": (FOREIGN_FD, 0, 0),
    "lchown": ("missing", 0, 0),
    "link": ("missing", "elsewhere"),
    "lstat": (b"missing\xff",),
    "lutime": ("missing", 0, 0),
    "mkdir": ("missing/folder",),
    "mkdtemp": ("missing/XXXXXX",),
    "mkstemp": ("missing/XXXXXX",),
    "open": ("missing", os.O_RDONLY),
    "opendir": ("missing",),
    "read": (FOREIGN_FD, 1),
    "read_file": ("missing",),
    "read_many": (["missing"],),
    "readinto": (FOREIGN_FD, bytearray(1)),
    "readlink": ("missing",),
    "realpath": ("missing",),
    "rename": ("missing", "elsewhere"),
    "rmdir": ("missing",),
    "rmtree": ("missing",),
    "sendfile": (FOREIGN_FD, FOREIGN_FD, 0, 1),
    "stat": ("missing",),
    "statfs": ("missing",),
    "symlink": ("target", "missing/link"),
    "unlink": ("missing",),
    "utime": ("missing", 0, 0),
    "write": (FOREIGN_FD, b"x"),
    "write_file": ("/dev/full", b"x"),
}
"""What each operation fails with; closedir and readdir have a test of their own."""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def descriptors():
    return len(os.listdir("/proc/self/fd"))


def test_every_operation_is_here():
    for name in pyuv.fs.__all__:
        function = getattr(pyuv.fs, name)
        if not inspect.isroutine(function) or name == "stat_float_times":
            continue
        here = getattr(fs, ELSEWHERE.get(name, name))
        assert here is not function
        if name in ("scandir", "walk"):
            continue
        assert inspect.iscoroutinefunction(here)
        assert here.__doc__ == function.__doc__
        assert here.__module__.startswith("pyuv.")
        parameters = dict(inspect.signature(function).parameters)
        del parameters["loop"], parameters["callback"]
        assert dict(inspect.signature(here).parameters) == parameters


def test_operations_give_what_the_functions_give(folder):
    async def main():
        await fs.mkdir("box")
        fd = await fs.open_fd("box/file", os.O_RDWR | os.O_CREAT)
        assert await fs.write(fd, [b"one ", b"two"]) == 7
        assert await fs.read(fd, 100, 4) == b"two"
        block = bytearray(3)
        assert await fs.readinto(fd, block, offset=0) == 3
        assert block == b"one"
        await fs.fsync(fd)
        await fs.ftruncate(fd, 5)
        assert (await fs.fstat(fd)).st_size == 5
        await fs.close(fd)
        assert (await fs.stat("box/file")).st_ino == os.stat("box/file").st_ino
        await fs.utime("box/file", ns=(1, 2))
        assert os.stat("box/file").st_mtime_ns == 2
        await fs.rename("box/file", "box/other")
        await fs.symlink("other", b"box/link")
        assert await fs.readlink(b"box/link") == b"other"
        assert await fs.realpath("box/link") == os.path.realpath("box/other")
        opened = await fs.opendir("box")
        assert sorted(entry.name for entry in await fs.readdir(opened)) == ["link", "other"]
        assert await fs.readdir(opened) == []
        await fs.closedir(opened)
        with pytest.raises(FSError, match="bad file descriptor"):
            await fs.readdir(opened)
        with pytest.raises(FSError, match="bad file descriptor"):
            await fs.closedir(opened)
        fd, path = await fs.mkstemp("XXXXXX")
        os.close(fd)
        assert await fs.write_file(path, b"text", atomic=True) == 4
        assert await fs.read_file(path, max_size=4) == b"text"
        assert (await fs.read_many([path, path])).contents == [b"text", b"text"]
        seen = []
        assert (await fs.du("box", progress=seen.append)).files == 1
        assert seen[-1].files == 2
        assert (await fs.copytree("box", "copy")).links == 1
        assert (await fs.rmtree("copy")).folders == 1

    run(factory, main())


def test_every_operation_has_a_failure_here():
    routines = (name for name in pyuv.fs.__all__ if inspect.isroutine(getattr(pyuv.fs, name)))
    assert set(routines) - set(FAILING) == {"closedir", "readdir", "scandir", "stat_float_times", "walk"}


@pytest.mark.parametrize("name", FAILING)
def test_an_error_is_that_of_the_function(folder, loop, name):
    with pytest.raises(OSError) as expected:  # noqa: PT011
        getattr(pyuv.fs, name)(loop, *FAILING[name])

    async def main():
        with pytest.raises(FSError) as caught:
            await getattr(fs, ELSEWHERE.get(name, name))(*FAILING[name])
        return caught.value

    error = run(factory, main())
    assert type(error) is type(expected.value)
    assert error.args == expected.value.args
    assert (error.errno, error.strerror) == (expected.value.errno, expected.value.strerror)
    assert (error.filename, error.filename2) == (expected.value.filename, expected.value.filename2)
    assert error.bytes_written == expected.value.bytes_written


def test_what_can_be_seen_to_be_wrong_is_raised():
    async def main():
        with pytest.raises(ValueError, match="embedded NUL"):
            await fs.stat("a\0b")
        with pytest.raises(TypeError):
            await fs.stat()
        with pytest.raises(TypeError):
            await fs.stat("path", unknown=1)
        with pytest.raises(ValueError, match="length"):
            await fs.read(0, -5)

    run(factory, main())


def test_another_event_loop_is_refused():
    async def main():
        with pytest.raises(RuntimeError, match=r"needs an event loop of pyuv\.asyncio, not .*Loop"):
            await fs.stat("/")

    run(asyncio.SelectorEventLoop, main())


def test_without_a_running_loop_nothing_is_asked():
    coroutine = fs.stat("/")
    with pytest.raises(RuntimeError, match="no running event loop"):
        coroutine.send(None)


def test_a_cancelled_request_that_has_not_begun_is_not_done(folder):
    async def main():
        release = block_pool(asyncio.get_running_loop().uv)
        asking = asyncio.create_task(fs.mkdir("never"))
        await asyncio.sleep(0.01)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        release()
        # Behind it in the queue.
        await fs.mkdir("after")

    run(factory, main())
    assert os.listdir(folder) == ["after"]


@pytest.mark.parametrize("name", ["copytree", "du", "rmtree"])
def test_a_cancelled_job_on_a_tree_ends(folder, name):
    os.makedirs("tree/inner")
    arguments = ("tree", "copy") if name == "copytree" else ("tree",)

    async def main():
        release = block_pool(asyncio.get_running_loop().uv)
        job = asyncio.create_task(getattr(fs, name)(*arguments))
        await asyncio.sleep(0.01)
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        release()
        await fs.mkdir("after")

    run(factory, main())
    assert sorted(os.listdir(folder)) == ["after", "tree"]
    assert os.listdir("tree") == ["inner"]


MAKERS = {
    "open": lambda: fs.open_fd("file", os.O_RDWR | os.O_CREAT),
    "opendir": lambda: fs.opendir("."),
    "mkstemp": lambda: fs.mkstemp("XXXXXX"),
    "mkdtemp": lambda: fs.mkdtemp("XXXXXX"),
}


@pytest.mark.parametrize("turns", range(6))
@pytest.mark.parametrize("maker", MAKERS)
def test_what_nobody_waits_for_is_let_go(folder, maker, turns):
    """Cancelled after so many turns of the loop, before, while and after it is done."""

    async def main():
        before = descriptors()
        for number in range(30):
            asking = asyncio.create_task(MAKERS[maker]())
            for _ in range(turns):
                await asyncio.sleep(0 if number % 2 else 0.0002)
            if asking.cancel():
                with pytest.raises(asyncio.CancelledError):
                    await asking
            else:
                made = await asking
                if maker == "opendir":
                    made.close()
                elif maker != "mkdtemp":
                    os.close(made[0] if maker == "mkstemp" else made)
                if maker.startswith("mk"):
                    path = made[1] if maker == "mkstemp" else made
                    (os.unlink if maker == "mkstemp" else os.rmdir)(path)
        # What is under way still.
        while descriptors() > before:
            await asyncio.sleep(0.001)

    run(factory, main())
    assert os.listdir(folder) in ([], ["file"])


def test_a_cancelled_close_is_done_all_the_same(folder):
    async def main():
        fd = os.open("file", os.O_RDWR | os.O_CREAT)
        release = block_pool(asyncio.get_running_loop().uv)
        closing = asyncio.create_task(fs.close(fd))
        await asyncio.sleep(0.01)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        assert os.path.exists(f"/proc/self/fd/{fd}")
        release()
        while os.path.exists(f"/proc/self/fd/{fd}"):
            await asyncio.sleep(0.001)

    run(factory, main())


def test_what_came_in_the_turn_of_the_cancellation_is_let_go(folder):
    async def main():
        loop = asyncio.get_running_loop()
        before = descriptors()
        opening = asyncio.create_task(fs.open_fd("file", os.O_RDWR | os.O_CREAT))

        def cancel_before_it_goes_on():
            waited_for = opening._fut_waiter
            if waited_for is not None and waited_for.done():
                opening.cancel()
            elif not opening.done():
                loop.call_soon(cancel_before_it_goes_on)

        loop.call_soon(cancel_before_it_goes_on)
        (outcome,) = await asyncio.gather(opening, return_exceptions=True)
        if isinstance(outcome, int):
            os.close(outcome)
        assert descriptors() == before

    run(factory, main())


def test_a_loop_that_closes_takes_back_what_has_not_begun(folder):
    tasks = []

    async def begin():
        release = block_pool(asyncio.get_running_loop().uv)
        tasks.extend(asyncio.ensure_future(fs.mkdir(f"never {number}")) for number in range(100))
        await asyncio.sleep(0.01)
        threading.Timer(0.05, release).start()

    run(factory, begin())
    assert all(task.cancelled() for task in tasks)
    assert os.listdir(folder) == []


def test_what_comes_when_the_loop_closes_is_let_go(folder):
    os.mkfifo("pipe")
    event_loop = factory()
    before = descriptors()

    async def begin():
        opening = asyncio.ensure_future(fs.open_fd("pipe", os.O_RDONLY))
        await asyncio.sleep(0.01)
        return opening

    opening = event_loop.run_until_complete(begin())
    # Until somebody opens its other end, the pipe is not open.
    ends = []
    writer = threading.Thread(target=lambda: ends.append(os.open("pipe", os.O_WRONLY)))
    writer.start()
    event_loop.close()
    writer.join()
    os.close(ends[0])
    assert not opening.done()
    # It is never going to be, and that is what asyncio would say.
    opening._log_destroy_pending = False
    assert descriptors() <= before


def test_many_at_once(folder):
    async def main():
        await asyncio.gather(*(fs.write_file(f"{number}", b"x" * number) for number in range(500)))
        sizes = await asyncio.gather(*(fs.stat(f"{number}") for number in range(500)))
        assert [size.st_size for size in sizes] == list(range(500))

    run(factory, main())
