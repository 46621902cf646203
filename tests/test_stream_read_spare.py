"""What a callback does not keep is filled again for the next message; what it keeps never changes."""

import random
import sys

import pytest
import pyuv
from pyuv import util
from streams import run_until

SIZES = [1, 2, 64, 1024, 5000, 16384, 100 * 1024]


@pytest.fixture
def pair(loop):
    """The two ends of a Unix domain connection, which hands messages over whole."""
    ends = []
    for fd in util.socketpair():
        ends.append(pyuv.Pipe(loop))
        ends[-1].open(fd)
    return ends


@pytest.fixture
def deliver(loop, pair):
    """Sends messages one after the other; `look(data)` is called for each, by one callback."""

    def deliver(messages, look):
        near, far = pair
        received = 0

        def on_read(stream, data, error):
            nonlocal received
            received += len(data)
            look(data)

        far.start_read(on_read)
        expected = 0
        for message in messages:
            near.write(message)
            expected += len(message)
            run_until(loop, lambda: received >= expected)  # noqa: B023
        far.stop_read()

    return deliver


def numbered(size, count):
    return [bytes([number % 251]) * size for number in range(count)]


@pytest.mark.parametrize("size", SIZES[1:])
def test_what_is_not_kept_is_used_again(deliver, size):
    ids, messages = [], numbered(size, 20)
    seen = []

    def look(data):
        ids.append(id(data))
        seen.append(bytearray(data))

    deliver(messages, look)
    assert b"".join(seen) == b"".join(messages)
    assert len(set(ids[5:])) == 1


@pytest.mark.parametrize("size", SIZES)
def test_what_is_kept_stays_what_it_was(deliver, size):
    kept, messages = [], numbered(size, 30)
    deliver(messages, kept.append)
    assert b"".join(kept) == b"".join(messages)


@pytest.mark.parametrize("seed", range(5))
def test_some_are_kept_in_many_ways(deliver, seed):
    chance = random.Random(seed)
    sizes = [size + chance.randrange(20) for size in chance.choices(SIZES, k=12) for _ in range(10)]
    messages = [chance.randbytes(size) for size in sizes]
    kept, copies = [], []

    def look(data):
        way = chance.choice(["not", "object", "view", "slice of a view", "dict", "closure"])
        if way == "not":
            return
        copies.append(bytes(bytearray(data)))
        kept.append(
            {
                "object": lambda: data,
                "view": lambda: memoryview(data),
                "slice of a view": lambda: memoryview(data)[:],
                "dict": lambda: {data: data}.popitem()[0],
                "closure": lambda: lambda: data,
            }[way]()
        )

    deliver(messages, look)
    assert [bytes(each() if callable(each) else each) for each in kept] == copies


def test_hashes_are_those_of_the_content(deliver):
    hashes, messages = [], [b"%03d" % number for number in range(20)]
    deliver(messages, lambda data: hashes.append((hash(data), {data: 1}.get(bytes(bytearray(data))))))
    assert hashes == [(hash(message), 1) for message in messages]


def test_a_shorter_one_ends_where_it_ends(deliver):
    seen = []
    deliver([b"1234567", b"99", b"12345", b"7" * 7], lambda data: seen.append((len(data), int(data))))
    assert seen == [(7, 1234567), (2, 99), (5, 12345), (7, 7777777)]


def test_a_much_shorter_one_is_small(deliver):
    kept = []
    deliver([bytes(8000)] * 5, lambda data: None)
    deliver([bytes(1000)], kept.append)
    assert sys.getsizeof(kept[0]) == sys.getsizeof(bytes(1000))


def test_what_an_exception_refers_to_stays(loop, deliver):
    frames = []
    loop.excepthook = lambda kind, value, traceback: frames.append(traceback)

    def look(data):
        raise ValueError("on purpose")

    messages = numbered(64, 10)
    deliver(messages, look)
    kept = []
    for traceback in frames:
        while traceback.tb_next is not None:
            traceback = traceback.tb_next
        kept.append(traceback.tb_frame.f_locals["data"])
    assert kept == messages


def test_streams_of_one_loop_share_it(loop, deliver):
    """What one stream kept is no other's."""
    others = [pyuv.Pipe(loop) for _ in range(2)]
    for end, fd in zip(others, util.socketpair(), strict=True):
        end.open(fd)
    kept = {"first": [], "second": []}
    others[1].start_read(lambda stream, data, error: kept["second"].append(data))

    def look(data):
        others[0].write(bytes(reversed(data)))
        if data[0] % 2:
            kept["first"].append(data)

    deliver([bytes(range(number, number + 64)) for number in range(30)], look)
    run_until(loop, lambda: len(b"".join(kept["second"])) == 30 * 64)
    assert kept["first"] == [bytes(range(number, number + 64)) for number in range(1, 30, 2)]
    expected = [bytes(reversed(range(number, number + 64))) for number in range(30)]
    assert b"".join(kept["second"]) == b"".join(expected)
