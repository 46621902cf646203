import threading

from pyuv import thread
from pyuv.errno import UV_EBUSY, UV_EPERM
from threadutil import in_thread, in_threads, misuse


def test_readers_share_and_writers_do_not():
    lock = thread.RWLock()
    together = threading.Barrier(3)

    def read(_number):
        with lock.reading() as same:
            assert same is lock
            together.wait(30)
            assert lock.trywrlock() is False
            together.wait(30)

    in_threads(3, read)
    with lock.writing():
        assert in_thread(lock.tryrdlock) is False
        assert in_thread(lock.trywrlock) is False
    with lock:
        assert in_thread(lock.tryrdlock) is False
    assert lock.tryrdlock() is True
    assert lock.tryrdlock() is True
    lock.rdunlock()
    lock.rdunlock()


def test_a_writer_waits_for_the_readers():
    lock = thread.RWLock()
    lock.rdlock()
    order = []

    def write():
        lock.wrlock()
        order.append("written")
        lock.wrunlock()

    writer = threading.Thread(target=write)
    writer.start()
    # Once the writer is in the queue no new reader gets in.
    while in_thread(lambda: lock.tryrdlock() and lock.rdunlock() is None):
        pass
    lock.rdlock()
    order.append("read")
    lock.rdunlock()
    lock.rdunlock()
    writer.join(30)
    assert order == ["read", "written"]


def test_misuse_of_a_rwlock_raises():
    lock = thread.RWLock()
    misuse(UV_EPERM, lock.rdunlock)
    misuse(UV_EPERM, lock.wrunlock)
    with lock.reading():
        misuse(UV_EPERM, in_thread, lock.rdunlock)
        misuse(UV_EPERM, lock.wrunlock)
        misuse(UV_EBUSY, lock.wrlock)
        assert lock.trywrlock() is False
    with lock.writing():
        misuse(UV_EPERM, in_thread, lock.wrunlock)
        misuse(UV_EPERM, lock.rdunlock)
        misuse(UV_EBUSY, lock.rdlock)
        misuse(UV_EBUSY, lock.wrlock)
