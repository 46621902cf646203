import pytest
from pyuv import util

from util import in_child


def test_random_gives_as_many_bytes_as_asked_for():
    for length in (0, 1, 255, 65_537, (1 << 20) + 1):
        block = util.random(length)
        assert type(block) is bytes
        assert len(block) == length
    assert util.random(16) != util.random(16)
    assert len(set(util.random(100_000))) == 256


@pytest.mark.parametrize("length", [-1, 2**31, 2**32, 2**63, 2**64, -(2**100)])
def test_random_refuses_lengths_that_cannot_be(length):
    with pytest.raises(ValueError, match=str(length)):
        util.random(length)


def test_a_long_random_call_answers_to_ctrl_c():
    code = """
        import os, signal, threading, time
        from pyuv import util
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
        end = time.monotonic() + 50
        try:
            while time.monotonic() < end:
                util.random(1 << 28)
        except KeyboardInterrupt:
            print("interrupted")
    """
    assert in_child(code) == ["interrupted"]
