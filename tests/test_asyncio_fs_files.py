"""Files of pyuv.asyncio.fs where something is in the way: faults, cancelling, several tasks, and the end."""

import asyncio
import gc
import io
import os
import resource
import threading
import warnings

import pytest
import pyuv.asyncio
from asyncioutil import run
from pyuv.asyncio import fs
from pyuv.error import FSError

factory = pyuv.asyncio.new_event_loop

SEVERAL = [("r", "text"), ("rb", "binary"), ("rb", "unbuffered")]


def descriptors():
    return len(os.listdir("/proc/self/fd"))


@pytest.fixture
def lines(tmp_path):
    path = tmp_path / "lines"
    path.write_text("".join(f"line {number}\n" for number in range(20_000)))
    return path


def outcome(call):
    """The type of what a call raises."""
    try:
        call()
    except Exception as error:
        return type(error)
    return None


WRONG = [
    ("b", {}),
    ("", {}),
    ("rw", {}),
    ("rr", {}),
    ("r+x", {}),
    ("rbt", {}),
    ("y", {}),
    (None, {}),
    ("rb", {"encoding": "utf-8"}),
    ("rb", {"errors": "strict"}),
    ("rb", {"newline": "\n"}),
    ("r", {"newline": "x"}),
    ("r", {"newline": b"\n"}),
    ("r", {"encoding": "no-such-encoding"}),
    ("r", {"buffering": 0}),
    ("r", {"closefd": False}),
]


@pytest.mark.parametrize(("mode", "options"), WRONG)
def test_what_makes_no_sense_is_refused_as_by_the_builtin(lines, mode, options):
    async def main():
        await fs.open(lines, mode, **options)

    expected = outcome(lambda: open(lines, mode, **options).close())
    assert expected is not None
    assert outcome(lambda: run(factory, main())) is expected


def test_what_cannot_be_opened_is_an_error_as_of_the_builtin(tmp_path):
    async def main():
        for path, mode, kind in [
            (tmp_path / "missing", "r", FileNotFoundError),
            (str(tmp_path), "r", IsADirectoryError),
            (str(tmp_path), "wb", IsADirectoryError),
        ]:
            before = descriptors()
            with pytest.raises(kind) as caught:
                await fs.open(path, mode)
            assert caught.value.filename == os.fspath(path)
            assert descriptors() == before
        (tmp_path / "there").touch()
        with pytest.raises(FileExistsError):
            await fs.open(tmp_path / "there", "x")
        with pytest.raises(OSError, match="Bad file descriptor"):
            await fs.open(2**30)
        with pytest.raises(ValueError, match="negative"):
            await fs.open(-1)
        with pytest.raises(TypeError):
            await fs.open(None)

    run(factory, main())


def test_a_descriptor_is_taken_or_lent(lines):
    async def main():
        number = os.open(lines, os.O_RDONLY)
        async with fs.open(number, closefd=False) as file:
            assert file.name == file.fileno() == number
            assert await file.readline() == "line 0\n"
        assert file.closed
        os.lseek(number, 0, os.SEEK_SET)
        async with fs.open(number) as file:
            assert await file.readline() == "line 0\n"
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(number)

    run(factory, main())


def test_an_opener_opens(lines):
    threads = []

    def opener(path, flags):
        threads.append(threading.get_ident())
        assert flags & os.O_CLOEXEC
        return os.open(path, flags)

    async def main():
        async with fs.open(lines, opener=opener) as file:
            assert await file.readline() == "line 0\n"
            assert not os.get_inheritable(file.fileno())
        with pytest.raises(ValueError, match="opener returned -1"):
            await fs.open(lines, opener=lambda path, flags: -1)
        with pytest.raises(TypeError, match="expected integer from opener"):
            await fs.open(lines, opener=lambda path, flags: None)
        with pytest.raises(ZeroDivisionError):
            await fs.open(lines, opener=lambda path, flags: 1 // 0)
        with pytest.raises(RuntimeError, match="StopIteration"):
            await fs.open(lines, opener=lambda path, flags: next(iter(())))

    run(factory, main())
    # It may block, and does so elsewhere.
    assert threads != [threading.get_ident()]


def test_what_is_below_and_above(lines):
    async def main():
        async with fs.open(lines, newline="\r\n", errors="replace", encoding="latin-1") as file:
            assert (file.encoding, file.errors, file.newlines) == ("latin-1", "replace", None)
            assert isinstance(file.buffer, fs.BinaryFile)
            assert isinstance(file.buffer.raw, fs.RawFile)
            assert file.buffer.raw.fileno() == file.fileno()
            assert (file.mode, file.buffer.mode) == ("r", "rb")
            assert not file.line_buffering
            assert await file.readable()
            assert await file.seekable()
            assert not await file.writable()
            assert not await file.isatty()
            assert repr(str(lines)) in repr(file)
        file = await fs.open(lines)
        binary = file.detach()
        with pytest.raises(ValueError, match="detached"):
            await file.read()
        assert await binary.read(4) == b"line"
        raw = binary.detach()
        with pytest.raises(ValueError, match="detached"):
            await binary.read()
        assert await raw.read(2) == b" 0"
        await raw.close()
        await file.close()
        await binary.close()

    run(factory, main())


def test_lines_far_longer_than_blocks(tmp_path):
    path = tmp_path / "long"
    content = b"".join(b"%d" % (number % 10) * (number * 70_000) + b"\n" for number in range(1, 8)) + b"end"
    path.write_bytes(content)

    async def main():
        async with fs.open(path, "rb") as file:
            assert [line async for line in file] == content.splitlines(keepends=True)
        async with fs.open(path) as file:
            found = []
            while line := await file.readline():
                found.append(line)
            assert "".join(found).encode() == content
            await file.seek(0)
            assert len(await file.readline(100)) == 100

    run(factory, main())


def test_lines_and_other_calls_take_turns(lines):
    """Going through lines, with a read, a position and a return in between, loses nothing."""

    async def main():
        async with fs.open(lines) as file, fs.open(lines, "rb") as binary:
            for opened in (file, binary):
                expected = lines.read_bytes() if opened is binary else lines.read_text()
                got = []
                async for line in opened:
                    got.append(line)
                    if len(got) % 1000 == 1:
                        got.append(await opened.read(5))
                        position = await opened.tell()
                        assert position == sum(map(len, got))
                        await opened.readline()
                        await opened.seek(position)
                    if len(got) > 5000:
                        break
                got.append(await opened.read())
                assert expected == type(expected)().join(got)

    run(factory, main())


def test_batches_are_all_lines(lines):
    async def main():
        async with fs.open(lines) as file:
            assert await file.readline() == "line 0\n"
            batches = [batch async for batch in file.batches()]
        assert 1 < len(batches) < 100
        assert "".join(line for batch in batches for line in batch) == lines.read_text()[7:]

    run(factory, main())


def test_a_file_in_proc_is_read_whole():
    async def main():
        async with fs.open("/proc/self/status") as file:
            assert "VmRSS" in await file.read()

    run(factory, main())


def test_a_file_that_grows_is_read_on(tmp_path):
    path = tmp_path / "log"
    path.write_text("one\n")

    async def main():
        async with fs.open(path) as file:
            assert [line async for line in file] == ["one\n"]
            with path.open("a") as log:
                log.write("two\nthr")
            assert [line async for line in file] == ["two\n", "thr"]

    run(factory, main())


def test_appending_and_reading(tmp_path):
    path = tmp_path / "file"
    path.write_text("one\n")

    async def main():
        async with fs.open(path, "a+") as file:
            assert await file.tell() == 4
            await file.write("two\n")
            await file.seek(0)
            assert await file.readline() == "one\n"
            await file.seek(0)
            await file.write("three\n")
            await file.seek(0)
            assert await file.readlines() == ["one\n", "two\n", "three\n"]

    run(factory, main())


def test_lines_of_a_terminal_go_out_at_once():
    async def main():
        ours, theirs = os.openpty()
        async with fs.open(theirs, "w") as file:
            assert file.line_buffering
            assert await file.isatty()
            await file.write("one\n")
            assert os.read(ours, 100) == b"one\r\n"
        os.close(ours)

    run(factory, main())


def test_a_pipe_is_read_or_written_but_not_both(tmp_path):
    os.mkfifo(tmp_path / "pipe")

    async def main():
        before = descriptors()
        for mode in ("r+", "r+b"):
            with pytest.raises(io.UnsupportedOperation, match="not seekable"):
                await fs.open(tmp_path / "pipe", mode)
        assert descriptors() == before
        async with fs.open(tmp_path / "pipe", "r+b", 0) as file:
            assert not await file.seekable()
            await file.write(b"one\ntwo\n")
            assert await file.readline() == b"one\n"
            assert await file.read(100) == b"two\n"

    run(factory, main())


# Faults


@pytest.mark.parametrize("mode", ["w", "wb"])
def test_a_full_disk_is_told_and_the_file_is_closed(mode):
    data = "x" if mode == "w" else b"x"

    async def main():
        before = descriptors()
        file = await fs.open("/dev/full", mode)
        assert await file.write(data) == 1
        with pytest.raises(FSError, match="no space left") as caught:
            await file.flush()
        assert caught.value.errno == 28
        with pytest.raises(FSError, match="no space left"):
            await file.write(data * 100_000)
        with pytest.raises(FSError, match="no space left"):
            await file.close()
        assert file.closed
        assert descriptors() == before
        with pytest.raises(FSError, match="no space left"):
            async with fs.open("/dev/full", mode) as file:
                await file.write(data)

    run(factory, main())


def test_a_disk_that_is_full_soon_has_what_fits(tmp_path):
    """No file may be longer than that: the write that comes across it is a short one."""
    path = tmp_path / "file"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    async def main():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
        try:
            file = await fs.open(path, "wb")
            await file.write(b"x" * 3000)
            with pytest.raises(OSError, match="too large"):
                await file.flush()
            with pytest.raises(OSError, match="too large"):
                await file.close()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert path.read_bytes() == b"x" * 1000

    run(factory, main())


def test_without_a_descriptor_left_opening_fails_and_goes_on_later(lines):
    _, hard = limit = resource.getrlimit(resource.RLIMIT_NOFILE)

    async def main():
        await fs.stat(lines)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        try:
            with pytest.raises(FSError, match="too many open files") as caught:
                await fs.open(lines)
            assert caught.value.filename == str(lines)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limit)
        async with fs.open(lines) as file:
            assert await file.readline() == "line 0\n"

    run(factory, main())


def test_what_fails_when_a_block_is_there_reaches_who_reads(lines, monkeypatch):
    def feed(self, data):
        raise MemoryError

    async def main():
        async with fs.open(lines, "rb") as file:
            with monkeypatch.context() as patch:
                patch.setattr(type(file._ahead), "feed", feed)
                with pytest.raises(MemoryError):
                    await file.read(1)
            # The next block is another one.
            assert len(await file.read(1)) == 1

    run(factory, main())


@pytest.mark.parametrize("way", ["r", "rb"])
def test_a_folder_below_is_an_error_of_reading(tmp_path, way):
    number = os.open(tmp_path, os.O_RDONLY)

    async def main():
        with pytest.raises(IsADirectoryError):
            await fs.open(number, way)

    run(factory, main())
    # It is the caller's still.
    os.close(number)


# Cancelling


@pytest.mark.parametrize("turns", range(12))
def test_cancelled_at_any_step_leaves_nothing_open(tmp_path, turns):
    path = tmp_path / "file"

    async def work():
        async with fs.open(path, "w+") as file:
            for _ in range(5):
                await file.write("text\n" * 5000)
            await file.seek(0)
            assert len(await file.readlines()) == 25_000

    async def main():
        before = descriptors()
        for number in range(20):
            task = asyncio.create_task(work())
            for _ in range(turns * (1 + number // 4)):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
        async with asyncio.timeout(20):
            while descriptors() > before:
                await asyncio.sleep(0.001)

    run(factory, main())


@pytest.mark.parametrize(("mode", "kind"), SEVERAL)
def test_a_cancelled_read_loses_nothing(lines, mode, kind):
    content = lines.read_bytes()

    async def main():
        got = []
        async with fs.open(lines, mode, buffering=0 if kind == "unbuffered" else -1) as file:
            cancelled = 0
            while True:
                task = asyncio.create_task(file.read(3001))
                for _ in range(len(got) % 5):
                    await asyncio.sleep(0)
                if task.cancel():
                    cancelled += 1
                try:
                    piece = await task
                except asyncio.CancelledError:
                    piece = await file.read(10)
                if not piece:
                    break
                got.append(piece)
            assert cancelled > 10
        whole = type(got[0])().join(got)
        assert (whole.encode() if kind == "text" else whole) == content

    run(factory, main())


def test_a_cancelled_write_is_written_or_not_but_once(tmp_path):
    path = tmp_path / "file"

    async def main():
        async with fs.open(path, "wb") as file:
            for number in range(100):
                task = asyncio.create_task(file.write(b"%d\n" % number * 20_000))
                for _ in range(number % 4):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.wait([task])
        pieces = path.read_bytes().split(b"\n")[:-1]
        counts = {number: pieces.count(b"%d" % number) for number in range(100)}
        assert set(counts.values()) <= {0, 20_000}
        assert pieces == sorted(pieces, key=int)

    run(factory, main())


def test_a_cancelled_close_closes(tmp_path):
    path = tmp_path / "file"

    async def main():
        before = descriptors()
        for turns in range(4):
            file = await fs.open(path, "w")
            await file.write("text")
            task = asyncio.create_task(file.close())
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            async with asyncio.timeout(20):
                while descriptors() > before:
                    await file.close()
                    await asyncio.sleep(0.001)
            assert path.read_text() == "text"

    run(factory, main())


def test_a_pipe_that_nobody_writes_to_holds_nobody_up(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    other = os.open(path, os.O_RDWR)

    async def main():
        async with asyncio.timeout(10), fs.open(path, "rb") as file:
            with pytest.raises(io.UnsupportedOperation, match="not seekable"):
                await file.tell()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await file.read(1)
        assert file.closed
        with pytest.raises(ValueError, match="closed file"):
            await file.read(1)
        number = file._descriptor.fd
        os.fstat(number)
        os.write(other, b"x")
        async with asyncio.timeout(20):
            while os.path.exists(f"/proc/self/fd/{number}"):
                await asyncio.sleep(0.001)

    run(factory, main())
    os.close(other)


# Several tasks


@pytest.mark.parametrize("mode", ["w", "wb"])
def test_what_several_tasks_write_is_whole(tmp_path, mode):
    path = tmp_path / "file"

    async def write(file, name):
        for number in range(200):
            line = f"{name} {number} {name * 500}\n"
            await file.write(line if mode == "w" else line.encode())
            if number % 20 == 0:
                await file.flush()

    async def main():
        async with fs.open(path, mode) as file:
            await asyncio.gather(*(write(file, name) for name in "abcd"))

    run(factory, main())
    seen = {name: [] for name in "abcd"}
    for line in path.read_text().splitlines():
        name, number, rest = line.split()
        assert rest == name * 500
        seen[name].append(int(number))
    assert list(seen.values()) == [list(range(200))] * 4


@pytest.mark.parametrize(("mode", "kind"), SEVERAL)
def test_what_several_tasks_read_is_every_line_once(lines, mode, kind):
    if kind == "unbuffered":
        lines.write_text("".join(f"line {number}\n" for number in range(500)))
    found = []

    async def take(file):
        async for line in file:
            found.append(line)
            if len(found) % 7 == 0:
                await asyncio.sleep(0)

    async def main():
        async with fs.open(lines, mode, buffering=0 if kind == "unbuffered" else -1) as file:
            await asyncio.gather(*(take(file) for _ in range(4)))

    run(factory, main())
    text = lines.read_text() if kind == "text" else lines.read_bytes()
    assert sorted(found) == sorted(text.splitlines(keepends=True))


def test_a_turn_that_is_cancelled_is_passed_on(lines):
    async def main():
        async with fs.open(lines) as file:
            tasks = [asyncio.create_task(file.read(10)) for _ in range(50)]
            await asyncio.sleep(0)
            for task in tasks[::2]:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert "".join(one for one in results if isinstance(one, str)) == lines.read_text()[:250]

    run(factory, main())


# The end


@pytest.mark.parametrize(("mode", "buffering"), [("w", -1), ("wb", -1), ("wb", 0)])
def test_a_file_that_is_forgotten_is_closed_and_warned_of(tmp_path, mode, buffering):
    path = tmp_path / "file"

    async def main():
        before = descriptors()
        file = await fs.open(path, mode, buffering)
        await file.write("text" if mode == "w" else b"text")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            del file
            gc.collect()
        assert [warning.category for warning in caught] == [ResourceWarning]
        assert "unclosed file" in str(caught[0].message)
        assert descriptors() == before

    run(factory, main())
    assert path.read_bytes() == b"text"


def test_a_closed_file_refuses_everything(lines):
    async def main():
        for mode in ("r+", "r+b"):
            file = await fs.open(lines, mode)
            await file.readline()
            await file.close()
            await file.close()
            await file.aclose()
            assert file.closed
            for name in ("read", "readline", "readlines", "tell", "truncate", "flush", "isatty", "readable"):
                with pytest.raises(ValueError, match="closed file"):
                    await getattr(file, name)()
            with pytest.raises(ValueError, match="closed file"):
                await anext(file)
            with pytest.raises(ValueError, match="closed file"):
                await file.write("" if mode == "r+" else b"")
            with pytest.raises(ValueError, match="closed file"):
                await file.seek(0)
            with pytest.raises(ValueError, match="closed file"):
                file.fileno()
            with pytest.raises(ValueError, match="closed file"):
                async with file:
                    pass

    run(factory, main())


def test_a_file_goes_from_one_loop_to_the_next(lines):
    async def opened():
        file = await fs.open(lines)
        assert await file.readline() == "line 0\n"
        return file

    async def go_on(file):
        async with file:
            return await file.readline()

    assert run(factory, go_on(run(factory, opened()))) == "line 1\n"


def test_a_loop_that_closes_in_the_middle_leaves_the_file_usable(lines):
    async def begin():
        file = await fs.open(lines, "rb")
        reading = asyncio.ensure_future(file.read(1000))
        await asyncio.sleep(0)
        return file, reading

    async def go_on(file):
        async with file:
            return await file.read()

    # The runner cancels what is left.
    file, reading = run(factory, begin())
    assert reading.done()
    rest = run(factory, go_on(file))
    begun = b"" if reading.cancelled() else reading.result()
    assert begun + rest == lines.read_bytes()
