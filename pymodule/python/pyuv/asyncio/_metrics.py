"""What is seen of an event loop from outside: its metrics."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

_BOUNDS = tuple(2**exponent * 1e-6 for exponent in range(25))


@dataclass(frozen=True, slots=True)
class Lag:
    """A histogram of how long turns took, and so of how long what was ready had to wait at most."""

    #: How many turns took up to as many seconds as the bound, and longer than the bound before it. The last
    #: one, which has no bound, is of those that took longer than any.
    counts: tuple[int, ...]
    #: Seconds of all turns.
    total: float

    @property
    def bounds(self) -> tuple[float, ...]:
        """In seconds: 1, 2, 4, ... microseconds, to 17 seconds."""
        return _BOUNDS

    def quantile(self, share: float) -> float:
        """So many seconds, of the bounds, did that share of the turns take at most; inf beyond the last."""
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"a share is between 0 and 1, not {share}")
        wanted, seen = share * sum(self.counts), 0
        for bound, count in zip(self.bounds, self.counts, strict=False):
            seen += count
            if seen >= wanted:
                return bound if seen else 0.0
        return float("inf")


@dataclass(frozen=True, slots=True)
class Metrics:
    """What an event loop has done so far: :meth:`EventLoop.metrics`.

    Turns and callbacks are counted from the loop's beginning on, and so are connections and bytes. Times,
    which cost two readings of the clock for each turn, are taken from the turn after the first call of
    ``metrics()`` on, and while the loop runs.
    """

    #: When this was so (:meth:`EventLoop.time`), in seconds.
    time: float
    #: Iterations of the loop.
    turns: int
    #: Calls of callbacks, steps of tasks among them; those of protocols not.
    callbacks: int
    #: How many callbacks were ready in the last round.
    ready: int
    #: How many were ready at once, at most.
    most_ready: int
    #: Seconds in which it waited for something to do.
    idle: float
    #: How long turns took.
    lag: Lag
    #: Transports of sockets that were made.
    connections_made: int
    #: Those that are open.
    connections: int
    #: Bytes that transports of sockets and datagrams have read: of TLS, what came over the wire.
    bytes_read: int
    #: Bytes that they were given to write; those of ``sendfile`` not.
    bytes_written: int
    #: What the thread pool of this process works on or is to: files, names, ``queue_work``.
    requests: int
    #: Threads of the loop's default executor.
    executor_threads: int
    #: Calls that wait for one of them.
    executor_queue: int

    @property
    def busy(self) -> float:
        """Seconds in which the loop did something: those of all turns."""
        return self.lag.total

    @property
    def utilisation(self) -> float:
        """Which share of the time the loop was busy, between 0 and 1; 0 before any was measured."""
        measured = self.busy + self.idle
        return self.busy / measured if measured else 0.0

    def since(self, earlier: Metrics) -> Metrics:
        """What was done between an earlier look and this one. What is a state, not a sum, is this one's."""
        sums = ("turns", "callbacks", "idle", "connections_made", "bytes_read", "bytes_written")
        done = {name: getattr(self, name) - getattr(earlier, name) for name in sums}
        counts = tuple(now - then for now, then in zip(self.lag.counts, earlier.lag.counts, strict=True))
        return dataclasses.replace(self, **done, lag=Lag(counts, self.lag.total - earlier.lag.total))
