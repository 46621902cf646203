import pytest
from pyuv import thread
from pyuv.errno import UV_EINVAL, UV_EOVERFLOW
from threadutil import in_threads, misuse


def test_every_post_ends_one_wait():
    semaphore = thread.Semaphore(0)

    def work(number):
        for _ in range(500):
            (semaphore.post if number % 2 else semaphore.wait)()

    in_threads(4, work)
    assert semaphore.trywait() is False


def test_a_semaphore_counts_from_its_value():
    assert thread.Semaphore().trywait() is True
    semaphore = thread.Semaphore(count=2)
    with semaphore:
        assert semaphore.trywait() is True
        assert semaphore.trywait() is False
    assert semaphore.trywait() is True


def test_a_semaphore_has_a_largest_value():
    semaphore = thread.Semaphore(2**31 - 1)
    misuse(UV_EOVERFLOW, semaphore.post)
    misuse(UV_EINVAL, thread.Semaphore, 2**31)
    for value in (-1, 2**32, 2**80):
        with pytest.raises(ValueError, match="out of range"):
            thread.Semaphore(value)
