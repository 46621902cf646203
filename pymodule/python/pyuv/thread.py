"""Locks and their kin: libuv's thread primitives, with errors where libuv would abort; and a queue."""

from ._pyuv import Barrier, Condition, Empty, Full, Mutex, Queue, RWLock, Semaphore, ShutDown

__all__ = ["Barrier", "Condition", "Empty", "Full", "Mutex", "Queue", "RWLock", "Semaphore", "ShutDown"]
