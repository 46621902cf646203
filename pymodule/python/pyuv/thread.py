"""Locks and their kin: libuv's thread primitives, with errors where libuv would abort."""

from ._pyuv import Barrier, Condition, Mutex, RWLock, Semaphore

__all__ = ["Barrier", "Condition", "Mutex", "RWLock", "Semaphore"]
