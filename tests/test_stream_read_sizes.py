"""Messages of one length after another: large ones are read into objects of the length expected."""

import random

import pytest
import pyuv
from pyuv import errno, util
from streams import run_until

from util import Recorder

LARGE = 16384
SLACK = 16
"""How much more than the length expected there is room for."""


@pytest.fixture
def pair(loop):
    """The two ends of a Unix domain connection, which hands messages over whole."""
    ends = []
    for fd in util.socketpair():
        ends.append(pyuv.Pipe(loop))
        ends[-1].open(fd)
    return ends


def send_each(loop, pair, sizes):
    """Send one message of each size; return what arrived for each, as a list of chunks."""
    near, far = pair
    chunks = Recorder()
    far.start_read(chunks)
    arrived = []
    for number, size in enumerate(sizes):
        message = bytes([number % 251]) * size
        before = len(chunks)
        near.write(message)
        run_until(loop, lambda before=before, size=size: received(chunks, before) >= size)
        arrived.append([data for _, data, error in chunks.calls[before:]])
        assert b"".join(arrived[-1]) == message
        assert all(type(data) is bytes for data in arrived[-1])
    return arrived


def received(chunks, begin):
    return sum(len(data) for _, data, _ in chunks.calls[begin:])


@pytest.mark.parametrize("size", [1, 4095, 4096, LARGE, 100 * 1024])
def test_messages_of_one_size_arrive_whole(loop, pair, size):
    assert [len(chunks) for chunks in send_each(loop, pair, [size] * 6)] == [1] * 6


@pytest.mark.parametrize(
    "other", [1, 4096, LARGE - 1, LARGE + 1, LARGE + SLACK, LARGE + SLACK + 1, 4 * LARGE]
)
def test_a_message_of_another_size_loses_nothing(loop, pair, other):
    chunks = send_each(loop, pair, [LARGE] * 3 + [other] + [LARGE] * 3)
    assert len(chunks[3]) == (1 if other <= LARGE + SLACK else 2)


@pytest.mark.parametrize("seed", range(5))
def test_messages_of_any_sizes(loop, pair, seed):
    chance = random.Random(seed)
    sizes = [chance.choice([1, 4096, LARGE, LARGE + SLACK, chance.randrange(1, 100_000)]) for _ in range(100)]
    send_each(loop, pair, [size for size in sizes for _ in range(chance.randrange(1, 4))])


def test_the_end_where_another_message_was_expected(loop, pair):
    near, far = pair
    send_each(loop, pair, [LARGE] * 3)
    ends = Recorder()
    far.start_read(ends)
    near.close()
    run_until(loop, lambda: ends.calls)
    assert ends.calls == [(far, None, errno.UV_EOF)]


def test_what_was_read_stays_what_it_was(loop, pair):
    kept = send_each(loop, pair, [LARGE] * 20)
    assert [set(chunk[0]) for chunk in kept] == [{number} for number in range(20)]


def test_a_stream_closed_where_another_message_was_expected(loop, pair):
    near, far = pair
    count = 0

    def on_read(stream, data, error):
        nonlocal count
        count += 1
        if count == 4:
            stream.close()
        else:
            near.write(data)

    far.start_read(on_read)
    near.write(bytes(LARGE))
    run_until(loop, lambda: far.closed)
    near.close()
    loop.run()
    assert count == 4


def test_reading_begun_anew_where_another_message_was_expected(loop, pair):
    send_each(loop, pair, [LARGE] * 3)
    pair[1].stop_read()
    assert [len(chunks) for chunks in send_each(loop, pair, [LARGE] * 3)] == [1] * 3
