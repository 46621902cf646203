import pytest
from pyuv import thread
from pyuv.errno import UV_EINVAL
from threadutil import in_threads, misuse


def test_a_barrier_holds_threads_until_all_have_come_every_time():
    barrier = thread.Barrier(3)
    come = []

    def work(_number):
        told = 0
        for each in range(1, 201):
            come.append(each)
            told += barrier.wait()
            assert len(come) >= 3 * each
        return told

    assert sum(in_threads(3, work)) == 200


def test_a_barrier_of_one_does_not_wait():
    barrier = thread.Barrier(1)
    assert barrier.wait() is True
    with barrier as told:
        assert told is True


def test_a_barrier_of_none_raises():
    misuse(UV_EINVAL, thread.Barrier, 0)
    with pytest.raises(ValueError, match="out of range"):
        thread.Barrier(-1)
