"""Locks and their kin: libuv's thread primitives, with errors where libuv would abort."""

from types import TracebackType
from typing import Self, overload

from typing_extensions import disjoint_base

__all__ = ["Barrier", "Condition", "Mutex", "RWLock", "Semaphore"]

@disjoint_base
class Mutex:
    """A lock that one thread at a time holds (``uv_mutex_t``)."""

    def __init__(self, *, recursive: bool = False) -> None: ...
    @property
    def recursive(self) -> bool:
        """Whether the thread that holds the mutex may lock it again."""

    def lock(self) -> None:
        """Lock the mutex, when it is free; ``ThreadError`` if this thread holds it already."""

    def unlock(self) -> None:
        """Unlock the mutex; ``ThreadError`` if this thread does not hold it."""

    def trylock(self) -> bool:
        """Lock the mutex if that needs no waiting; say whether it did."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        _kind: type[BaseException] | None,
        exception: BaseException | None,
        _traceback: TracebackType | None,
        /,
    ) -> None: ...

class _Guard:
    def __enter__(self) -> RWLock: ...
    def __exit__(self, *_exception: object) -> None: ...

@disjoint_base
class RWLock:
    """A lock that many threads hold for reading, or one for writing (``uv_rwlock_t``)."""

    def __init__(self) -> None: ...
    def rdlock(self) -> None:
        """Lock for reading; ``ThreadError`` if this thread is writing."""

    def rdunlock(self) -> None:
        """End reading; ``ThreadError`` if this thread is not reading."""

    def tryrdlock(self) -> bool:
        """Lock for reading if that needs no waiting; say whether it did."""

    def wrlock(self) -> None:
        """Lock for writing; ``ThreadError`` if this thread holds the lock already."""

    def wrunlock(self) -> None:
        """End writing; ``ThreadError`` if this thread is not writing."""

    def trywrlock(self) -> bool:
        """Lock for writing if that needs no waiting; say whether it did."""

    def reading(self) -> _Guard:
        """A context manager that locks for reading."""

    def writing(self) -> _Guard:
        """A context manager that locks for writing."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *_exception: object) -> None: ...

@disjoint_base
class Condition:
    """Waiting, with a mutex, for something to become true (``uv_cond_t``)."""

    def __init__(self, lock: Mutex | None = None) -> None: ...
    @property
    def mutex(self) -> Mutex:
        """The mutex of this condition."""

    def signal(self) -> None:
        """Wake the thread that has waited longest."""

    def broadcast(self) -> None:
        """Wake all threads that wait."""

    def wait(self, mutex: Mutex | None = None) -> None:
        """Unlock the mutex, wait for a signal and lock it again."""

    @overload
    def timedwait(self, timeout: float) -> bool:
        """The same, for ``timeout`` seconds at most: True if there was a signal."""

    @overload
    def timedwait(self, mutex: Mutex, /, timeout: float) -> bool: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        _kind: type[BaseException] | None,
        exception: BaseException | None,
        _traceback: TracebackType | None,
        /,
    ) -> None: ...

@disjoint_base
class Semaphore:
    """A counter that is never below 0 (``uv_sem_t``)."""

    def __init__(self, value: int = 1) -> None: ...
    def post(self) -> None:
        """Add 1; ``ThreadError`` at the largest value, 2,147,483,647."""

    def wait(self) -> None:
        """Take 1 away, when there is something to take."""

    def trywait(self) -> bool:
        """Take 1 away if that needs no waiting; say whether it did."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *_exception: object) -> None: ...

@disjoint_base
class Barrier:
    """Holds threads until ``count`` of them have come, again and again (``uv_barrier_t``)."""

    def __init__(self, count: int) -> None: ...
    def wait(self) -> bool:
        """Wait until enough threads have come; True for one of them."""

    def __enter__(self) -> bool: ...
    def __exit__(self, *_exception: object) -> None: ...
