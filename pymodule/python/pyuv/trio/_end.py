"""The end of a ``trio.run``: its system tasks are cancelled, and those that are shielded go on."""

from collections.abc import Set as AbstractSet

import trio
from trio.lowlevel import Task, add_instrument, current_task, remove_instrument


class _Departures(trio.abc.Instrument):
    def __init__(self, nursery: trio.Nursery, staying: AbstractSet[Task]) -> None:
        self._nursery = nursery
        self._staying = staying
        self._alone = trio.Event()

    def task_exited(self, _: Task) -> None:
        if self._nursery.child_tasks <= self._staying:
            self._alone.set()

    async def wait(self, task: Task) -> None:
        add_instrument(self)
        self.task_exited(task)
        with trio.CancelScope(shield=True):
            await self._alone.wait()
        remove_instrument(self)


async def others_end(staying: AbstractSet[Task]) -> None:
    """Waits until the system tasks are these alone. For a system task that has been cancelled."""
    task = current_task()
    assert task.parent_nursery is not None
    await _Departures(task.parent_nursery, staying).wait(task)
