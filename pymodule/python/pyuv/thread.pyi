"""Locks and their kin: libuv's thread primitives, with errors where libuv would abort; and a queue."""

import sys
from queue import Empty as Empty
from queue import Full as Full
from types import GenericAlias, TracebackType
from typing import Any, Generic, Self, TypeVar, overload

from typing_extensions import disjoint_base

if sys.version_info >= (3, 13):
    from queue import ShutDown as ShutDown
else:
    class ShutDown(Exception):  # noqa: N818
        """Raised by put and get of a queue that was shut down."""

__all__ = ["Barrier", "Condition", "Empty", "Full", "Mutex", "Queue", "RWLock", "Semaphore", "ShutDown"]

_T = TypeVar("_T")

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

    def __init__(self, count: int = 1) -> None: ...
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

@disjoint_base
class Queue(Generic[_T]):
    """Items that some threads put in and others take out: ``queue.Queue``, in Rust."""

    maxsize: int
    """How many items there is room for; any number if it is 0 or less. It can be changed."""

    def __init__(self, maxsize: int = 0) -> None: ...
    def put(self, item: _T, block: bool = True, timeout: float | None = None) -> None:
        """Put an item in; wait for room if ``block``, for ``timeout`` seconds at most.

        Raises ``Full`` if there is none, ``ShutDown`` if the queue was shut down, ``ValueError`` for a
        negative timeout.
        """

    def put_nowait(self, item: _T) -> None:
        """Put an item in if there is room at once; raise ``Full`` otherwise."""

    def get(self, block: bool = True, timeout: float | None = None) -> _T:
        """Take an item out; wait for one if ``block``, for ``timeout`` seconds at most.

        Raises ``Empty`` if there is none, ``ShutDown`` if the queue was shut down and none is left,
        ``ValueError`` for a negative timeout.
        """

    def get_nowait(self) -> _T:
        """Take an item out if there is one; raise ``Empty`` otherwise."""

    def task_done(self) -> None:
        """Declare an item that was taken out done; ``ValueError`` if that was said of all items already."""

    def join(self) -> None:
        """Wait until every item that was put in is declared done."""

    def shutdown(self, immediate: bool = False) -> None:
        """Let no more items in: puts raise ``ShutDown`` from now on, and gets when no item is left.

        With ``immediate``, all items are taken out, as done, and dropped.
        """

    def qsize(self) -> int:
        """How many items are in."""

    def empty(self) -> bool:
        """Whether no item is in."""

    def full(self) -> bool:
        """Whether there is no room."""

    @property
    def unfinished_tasks(self) -> int:
        """How many items were put in and not declared done."""

    @property
    def is_shutdown(self) -> bool:
        """Whether the queue was shut down."""

    def __class_getitem__(cls, key: Any) -> GenericAlias: ...
