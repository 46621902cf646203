"""Files of pyuv.asyncio.fs do what those of the builtin open do: random programs, run on both."""

import contextlib
import inspect
import io
import os
import sys

import pytest
import pyuv.asyncio
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pyuv._awaited.fs import ahead
from pyuv.asyncio import fs

factory = pyuv.asyncio.new_event_loop

TEXT = st.text(alphabet="ab\n\r\u00df\u20ac\U0001f600\x0b\x85 ", max_size=30)
CONTENT = st.one_of(
    TEXT.map(lambda text: text.encode() * 3),
    st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"a", b"\xc3\x9f"]), max_size=60).map(b"".join),
)
SIZES = st.one_of(st.sampled_from([-1, 0, 1, 2, 3]), st.integers(0, 60))
READS = st.one_of(
    st.tuples(st.just("read"), SIZES),
    st.tuples(st.sampled_from(["readline", "readlines"]), SIZES.filter(bool)),
    st.tuples(st.just("next")),
    st.tuples(st.just("tell")),
    st.tuples(st.just("seek back")),
    st.tuples(st.just("seek"), st.just(0), st.sampled_from([os.SEEK_SET, os.SEEK_END, os.SEEK_CUR])),
)
BINARY = st.one_of(
    READS,
    st.tuples(st.sampled_from(["read1", "peek"]), st.integers(1, 60)),
    st.tuples(st.sampled_from(["readinto", "readinto1"]), st.integers(0, 30).map(bytearray)),
    st.tuples(st.just("seek"), st.integers(-5, 60), st.sampled_from([0, 1, 2])),
    st.tuples(st.just("write"), st.binary(max_size=30)),
    st.tuples(st.just("writelines"), st.lists(st.binary(max_size=8), max_size=3)),
    st.tuples(st.just("truncate"), st.one_of(st.none(), st.integers(0, 60))),
    st.tuples(st.sampled_from(["flush", "close", "readable", "writable", "isatty"])),
)
WORDS = st.one_of(
    READS,
    st.tuples(st.just("write"), TEXT),
    st.tuples(st.just("writelines"), st.lists(TEXT, max_size=3)),
    st.tuples(st.just("truncate"), st.integers(0, 60)),
    st.tuples(st.sampled_from(["flush", "close", "readable", "writable", "isatty"])),
)
MODES = st.sampled_from(["r", "w", "a", "x", "r+", "w+"])
ENCODINGS = st.sampled_from(["utf-8", "latin-1", "utf-16", "utf-8-sig", "ascii", "utf-32-be", "shift_jis"])
NEWLINES = st.sampled_from([None, "", "\n", "\r", "\r\n"])


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Lines are split across blocks, and few are split at a time, in files that are quickly made."""
    monkeypatch.setattr(ahead, "WINDOW", 4)


async def outcome(call, *arguments):
    """What a call gives or raises."""
    try:
        result = call(*arguments)
        return await result if inspect.isawaitable(result) else result
    except StopIteration:
        return StopAsyncIteration
    except StopAsyncIteration:
        return StopAsyncIteration
    except UnicodeError as error:
        return type(error)
    except ValueError:
        # io.UnsupportedOperation is one, too.
        return ValueError
    except OSError as error:
        return OSError, error.errno


def read_lines(file, hint):
    """What `readlines` does, by which the builtin's text files would refuse `tell` from then on."""
    lines, size = [], 0
    while (hint < 0 or size <= hint) and (line := file.readline()):
        lines.append(line)
        size += len(line)
    return lines


async def step(file, name, arguments, cookies):
    """One call of a program."""
    if name == "next":
        # The builtin's own `next` would have `tell` refused from then on.
        return [await outcome(anext, file) if hasattr(file, "__anext__") else await outcome(file.readline)]
    if name == "seek back":
        return [await outcome(file.seek, cookies[len(cookies) // 2]) if cookies else None]
    if name == "readlines" and isinstance(file, io.TextIOBase):
        return [await outcome(read_lines, file, *arguments)]
    arguments = [bytearray(one) if type(one) is bytearray else one for one in arguments]
    result = await outcome(getattr(file, name), *arguments)
    if name == "tell" and isinstance(result, int):
        cookies.append(result)
    return result, [bytes(one) for one in arguments if type(one) is bytearray]


UNDECODABLE = (UnicodeDecodeError, UnicodeError)
STATEFUL = {"utf-16", "utf-8-sig"}
"""Encodings that have a state behind a byte order mark, which positions tell of or not."""


def same(name, ours, theirs, encoding):
    """Whether results are the same, as far as the builtin promises anything."""
    if name == "readlines":
        return ours[0] == theirs[0]
    if name in ("tell", "seek", "seek back") and encoding in STATEFUL:
        return type(ours[0]) is type(theirs[0])
    if name == "next":
        # At the end `readline` gives nothing.
        return ours == theirs or (ours == [StopAsyncIteration] and not theirs[0])
    if (
        name in ("tell", "seek", "seek back")
        and type(ours[0]) is type(theirs[0]) is int
        and max(ours[0], theirs[0]) >> 64
    ):
        # There are several numbers for a position in the middle of something.
        return True
    if name in ("read1", "peek", "readinto1"):
        return bool(ours[0]) == bool(theirs[0])
    return ours == theirs


def compare(folder, content, mode, program, block, **options):
    paths = [folder / "ours", folder / "theirs"]
    for path in paths:
        path.unlink(missing_ok=True)
        if "x" not in mode:
            path.write_bytes(content)

    async def main():
        theirs = open(paths[1], mode, **options)  # noqa: SIM115
        ours = await fs.open(paths[0], mode, **options)
        if isinstance(ours, fs.RawFile):
            binary = None
        else:
            binary = ours if isinstance(ours, fs.BinaryFile) else ours.buffer
            binary._block = block
        ours_cookies, theirs_cookies = [], []
        told = []
        try:
            for name, *arguments in program:
                if not hasattr(theirs, name) and " " not in name and name != "next":
                    continue
                if sys.version_info < (3, 13) and told and told[-1][0].startswith("write"):
                    # Up to Python 3.12 the builtin reads before it writes what it has been given.
                    await outcome(ours.flush)
                    await outcome(theirs.flush)
                told.append((name, arguments))
                mine = await step(ours, name, arguments, ours_cookies)
                other = await step(theirs, name, arguments, theirs_cookies)
                if ours.closed and name in ("readable", "writable"):
                    assert mine[0] is ValueError
                    continue
                if mode[0] == "a" and name in ("tell", "seek", "seek back"):
                    # What is written goes to the end, and where that is thought to be is up to the buffer.
                    continue
                assert same(name, mine, other, options.get("encoding")), (told, mine, other)
                assert ours.closed == theirs.closed
                if name in ("read1", "readinto1") or mine[0] in UNDECODABLE:
                    # How much was read from the file is up to the buffer, and what is lost by an error too.
                    break
            for attribute in ("mode", "encoding", "errors", "line_buffering"):
                assert getattr(ours, attribute, 0) == getattr(theirs, attribute, 0), attribute
        finally:
            with contextlib.suppress(OSError):
                theirs.close()
            await ours.close()
        assert paths[0].read_bytes() == paths[1].read_bytes(), told

    pyuv.asyncio.run(main())


FEW = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@FEW
@given(CONTENT, MODES, st.lists(BINARY, max_size=12), st.integers(1, 20), st.sampled_from([-1, 2, 7]))
def test_binary_files(tmp_path, content, mode, program, block, buffering):
    compare(tmp_path, content, mode + "b", program, block, buffering=buffering)


@FEW
@given(CONTENT, MODES, st.lists(BINARY, max_size=12))
def test_files_without_a_buffer(tmp_path, content, mode, program):
    compare(tmp_path, content, mode + "b", program, 0, buffering=0)


@FEW
@given(
    CONTENT, MODES, st.lists(WORDS, max_size=12), ENCODINGS, NEWLINES, st.sampled_from(["replace", "strict"])
)
def test_text_files(tmp_path, content, mode, program, encoding, newline, errors):
    compare(tmp_path, content, mode, program, 16384, encoding=encoding, newline=newline, errors=errors)


@FEW
@given(CONTENT, st.lists(READS, max_size=12), st.integers(1, 9), ENCODINGS, NEWLINES)
@example(
    b"\r\r", [("next",), ("tell",), ("seek back",), ("tell",), ("seek back",), ("read", -1)], 1, "utf-8", None
)
def test_text_that_comes_in_small_blocks(tmp_path, content, program, block, encoding, newline):
    """With every character on the border of a block, some time."""
    compare(tmp_path, content, "r", program, block, encoding=encoding, newline=newline, errors="replace")
