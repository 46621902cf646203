"""How queues and their items come to an end: collector, destructors, fork, exit."""

import gc
import subprocess
import sys
import weakref

import pytest
from pyuv.thread import Full, Queue

from util import collect, finish, in_child, start_child


class Item:
    pass


@pytest.mark.parametrize("base", [Queue, type("Sub", (Queue,), {})])
def test_a_queue_is_collected_with_the_cycles_through_its_items(base):
    queue, item = base(), Item()
    item.queue = queue
    queue.put(item)
    queue.put(queue)
    queue.attribute = queue
    gone = [weakref.ref(queue), weakref.ref(item)]
    del queue, item
    collect()
    assert [reference() for reference in gone] == [None, None]


def test_the_collector_sees_every_item_and_only_what_is_in():
    queue = Queue()
    items = [Item() for _ in range(1000)]
    for item in items:
        queue.put(item)
    for _ in range(300):
        queue.get()
    for item in items[:200]:
        queue.put(item)
    inside = [each for each in gc.get_referents(queue) if isinstance(each, Item)]
    assert {id(item) for item in inside} == {id(item) for item in [*items[300:], *items[:200]]}
    assert len(inside) == 900


def test_a_queue_that_was_not_initialised_can_be_collected():
    queue = Queue.__new__(Queue)
    queue.itself = queue
    gone = weakref.ref(queue)
    del queue
    collect()
    assert gone() is None


def test_the_queue_lets_go_of_what_it_gives():
    queue = Queue()
    item = Item()
    gone = weakref.ref(item)
    queue.put(item)
    del item
    assert gone() is not None
    queue.get()
    assert gone() is None
    before = sys.getrefcount(None)
    for _ in range(1000):
        queue.put(None)
        queue.get()
    assert abs(sys.getrefcount(None) - before) < 100


@pytest.mark.parametrize("how", ["del", "shutdown", "cycle"])
def test_items_die_with_their_queue(how):
    queue = Queue()
    gone = []
    for _ in range(100):
        item = Item()
        gone.append(weakref.ref(item))
        queue.put(item)
    del item
    if how == "shutdown":
        queue.shutdown(immediate=True)
    else:
        queue.itself = queue if how == "cycle" else None
        del queue
        collect()
    assert not any(reference() for reference in gone)


def test_an_item_that_was_refused_is_let_go():
    queue = Queue(1)
    queue.put(1)
    item = Item()
    gone = weakref.ref(item)
    for keywords in ({"block": False}, {"timeout": 0.001}):
        with pytest.raises(Full):
            queue.put(item, **keywords)
    del item
    assert gone() is None


class Restless:
    """An item that uses its queue again when it goes."""

    def __init__(self, queue, log):
        self.queue, self.log = queue, log

    def __del__(self):
        self.log.append((self.queue.qsize(), self.queue.is_shutdown))
        if not self.queue.is_shutdown:
            self.queue.put("from __del__")
            self.log.append(self.queue.get())


def test_a_destructor_may_use_the_queue_that_lets_its_item_go():
    queue, log = Queue(), []
    queue.put(Restless(queue, log))
    queue.get()
    assert log == [(0, False), "from __del__"]
    queue.put(Restless(queue, log))
    queue.put(Restless(queue, log))
    queue.shutdown(immediate=True)
    assert log[2:] == [(0, True), (0, True)]


def test_a_destructor_may_use_the_queue_that_is_collected():
    class Putter(Item):
        def __del__(self):
            self.queue.put("one more")
            log.append(self.queue.qsize())

    queue, log = Queue(), []
    for _ in range(3):
        item = Putter()
        item.queue = queue
        queue.put(item)
    del queue, item
    collect()
    assert sorted(log) == [4, 5, 6]


CYCLE = "queue.itself = queue; del queue; gc.collect()"


@pytest.mark.parametrize("end", ["del queue", "queue.shutdown(True)", CYCLE])
def test_queues_in_queues_do_not_overflow_the_stack(end):
    code = f"""
        import gc
        from pyuv.thread import Queue

        queue = Queue()
        for _ in range(300_000):
            outer = Queue()
            outer.put(queue)
            queue = outer
        del outer
        {end}
        print("alive")
    """
    assert in_child(code) == ["alive"]


def test_a_collection_in_the_middle_of_everything_finds_the_items_whole():
    code = """
        import gc, threading
        from pyuv.thread import Queue

        gc.set_threshold(1)
        queue = Queue(50)

        def work(number):
            for item in range(3000):
                if number % 2:
                    queue.put([item, queue])
                else:
                    assert queue.get()[1] is queue

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for each in threads:
            each.start()
        for _ in range(200):
            gc.collect()
            gc.get_referents(queue)
        for each in threads:
            each.join()
        print(queue.qsize())
    """
    assert in_child(code) == ["0"]


def test_a_queue_that_fills_the_memory_raises_and_goes_on():
    code = """
        import resource
        from pyuv.thread import Queue

        with open("/proc/self/statm") as statm:
            size = int(statm.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + (48 << 20), resource.RLIM_INFINITY))
        queue = Queue()
        try:
            while True:
                queue.put(None)
        except MemoryError:
            count = queue.qsize()
        assert count == queue.unfinished_tasks > 1_000_000
        for _ in range(count):
            queue.get_nowait()
        queue.put(None)
        print(queue.qsize())
    """
    assert in_child(code) == ["1"]


def test_a_child_of_fork_has_the_items_and_wakes_its_own_threads():
    code = """
        import os, threading, time, warnings
        from pyuv.thread import Queue

        warnings.simplefilter("ignore")
        queue, full = Queue(), Queue(1)
        full.put("full")
        for _ in range(6):
            threading.Thread(target=queue.get, daemon=True).start()
            threading.Thread(target=full.put, args=("late",), daemon=True).start()
        time.sleep(0.05)
        pid = os.fork()
        if pid == 0:
            got = []
            assert full.get_nowait() == "full" and full.empty()
            own = threading.Thread(target=lambda: got.append(queue.get()))
            own.start()
            time.sleep(0.05)
            queue.put("for the child's own thread")
            own.join(20)
            os._exit(0 if got == ["for the child's own thread"] else 1)
        assert os.waitpid(pid, 0)[1] == 0
        # Nothing of that is to be seen here.
        assert (queue.qsize(), full.get()) == (0, "full")
    """
    assert in_child(code) == []


def test_a_call_in_flight_at_fork_does_not_deafen_the_child():
    code = """
        import os, sys, threading, time, warnings
        from pyuv.thread import Queue

        warnings.simplefilter("ignore")
        sys.setswitchinterval(100)
        queue = Queue()
        threads = [threading.Thread(target=queue.get, daemon=True) for _ in range(10)]
        for each in threads:
            each.start()
        time.sleep(0.05)
        # This thread keeps the GIL: those it calls are on their way when the child is made.
        for item in range(10):
            queue.put(item)
        pid = os.fork()
        if pid == 0:
            sys.setswitchinterval(0.005)
            for item in range(10):
                assert queue.get_nowait() == item
            got = []
            own = threading.Thread(target=lambda: got.append(queue.get()))
            own.start()
            time.sleep(0.05)
            queue.put("heard")
            own.join(20)
            os._exit(0 if got == ["heard"] else 1)
        sys.setswitchinterval(0.005)
        assert os.waitpid(pid, 0)[1] == 0
        for each in threads:
            each.join(20)
            assert not each.is_alive()
    """
    assert in_child(code) == []


def test_a_process_ends_with_threads_waiting_and_items_left():
    code = """
        import threading
        from pyuv.thread import Queue

        class Late:
            def __del__(self):
                self.queue.put(1)
                self.queue.qsize()

        queue, full = Queue(), Queue(1)
        late = Late()
        late.queue = queue
        full.put(late)
        for function in (queue.get, lambda: full.put(1), full.join, lambda: queue.get(timeout=1000)):
            threading.Thread(target=function, daemon=True).start()
    """
    assert finish(start_child(code, stderr=subprocess.STDOUT)) == []
