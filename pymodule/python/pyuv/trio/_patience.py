"""How long a task waits awake before it sleeps, as the core does for the loops that it runs itself.

What is in memory is there after a few rounds of trio's. To sleep, and be woken by a thread of the pool, takes
several times as long.
"""

ROUNDS = 8
"""How many rounds of trio's a task goes through."""

REST = 32
"""How many waits go straight to sleep after one that was awake in vain."""


class Patience:
    """What the waits of one ``trio.run`` have learned."""

    def __init__(self) -> None:
        #: How many rounds the next wait is to go through.
        self.rounds = ROUNDS
        self._rest = 0

    def learn(self, *, slept: bool) -> None:
        """A wait is over."""
        if self.rounds:
            if slept:
                self.rounds, self._rest = 0, REST
        else:
            self._rest -= 1
            if not self._rest:
                self.rounds = ROUNDS
