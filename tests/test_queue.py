import copy
import pickle
import queue as standard
import sys
import threading
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyuv.thread import Empty, Full, Queue, ShutDown

HAS_SHUTDOWN = sys.version_info >= (3, 13)


def outcome(function, *arguments, **keywords):
    """What a call returns, or the class of what it raises."""
    try:
        return function(*arguments, **keywords)
    except Exception as error:
        return type(error)


# Not nan: with that the standard queue never comes back. PyPy's clocks hold more than CPython's.
TOO_LONG = [2 * threading.TIMEOUT_MAX, 1e300, 10**400, float("inf")]
TIMEOUTS = st.sampled_from([None, 0, 0.0, False, 0.0001, -1, -0.5, *TOO_LONG, "1", b"", [], {}])
BLOCKS = st.sampled_from([True, False, 0, 1, None, "", "yes", []])
CALLS = ["qsize", "empty", "full", "task_done", "get_nowait"]
STEPS = st.one_of(
    st.sampled_from(CALLS).map(lambda name: (name, (), {})),
    st.tuples(st.just("put_nowait"), st.tuples(st.integers()), st.just({})),
    st.tuples(
        st.just("put"),
        st.tuples(st.integers()),
        st.fixed_dictionaries({}, optional={"block": BLOCKS, "timeout": TIMEOUTS}),
    ),
    st.tuples(
        st.just("get"),
        st.just(()),
        st.fixed_dictionaries({}, optional={"block": BLOCKS, "timeout": TIMEOUTS}),
    ),
    st.tuples(st.just("maxsize"), st.tuples(st.integers(-2, 6)), st.just({})),
    st.just(("join", (), {})),
    *([st.tuples(st.just("shutdown"), st.tuples(BLOCKS), st.just({}))] if HAS_SHUTDOWN else []),
)


def would_wait_forever(model, name, keywords):
    """Whether nobody could end this call."""
    if name == "join":
        return model.unfinished_tasks > 0
    if getattr(model, "is_shutdown", False) or not keywords.get("block", True):
        return False
    if keywords.get("timeout") is not None:
        return False
    return (name == "put" and model.full()) or (name == "get" and model.empty())


@given(maxsize=st.integers(-2, 4), steps=st.lists(STEPS, max_size=40))
def test_it_does_what_the_standard_queue_does(maxsize, steps):
    ours, model = Queue(maxsize), standard.Queue(maxsize)
    for name, arguments, keywords in steps:
        if name == "maxsize":
            [ours.maxsize] = [model.maxsize] = arguments
        elif not would_wait_forever(model, name, keywords):
            expected = outcome(getattr(model, name), *arguments, **keywords)
            assert outcome(getattr(ours, name), *arguments, **keywords) == expected
        assert ours.qsize() == model.qsize()
        assert ours.maxsize == model.maxsize
        assert ours.unfinished_tasks == model.unfinished_tasks
        assert ours.is_shutdown == getattr(model, "is_shutdown", False)


def test_items_come_out_as_they_went_in():
    items = [None, 1, "two", object(), [], Queue]
    queue = Queue()
    for item in items:
        assert queue.put(item) is None
    assert all(queue.get() is item for item in items)


def test_a_long_queue_keeps_its_order():
    queue = Queue()
    for item in range(10_000):
        queue.put_nowait(item)
    taken = [queue.get_nowait() for _ in range(9_000)]
    for item in range(10_000, 20_000):
        queue.put_nowait(item)
    taken += [queue.get_nowait() for _ in range(queue.qsize())]
    assert taken == list(range(20_000))


def test_the_exceptions_are_those_of_the_standard_library():
    assert (Empty, Full) == (standard.Empty, standard.Full)
    if HAS_SHUTDOWN:
        assert ShutDown is standard.ShutDown
    else:
        assert ShutDown.__module__ == "pyuv.thread"
        assert ShutDown.__mro__[1] is Exception


def test_a_full_queue_takes_nothing_and_an_empty_one_gives_nothing():
    queue = Queue(maxsize=1)
    for get in (queue.get_nowait, lambda: queue.get(False), lambda: queue.get(timeout=0.001)):
        with pytest.raises(Empty):
            get()
    queue.put(1)
    for put in (queue.put_nowait, lambda item: queue.put(item, False), lambda item: queue.put(item, True, 0)):
        with pytest.raises(Full):
            put(2)
    assert (queue.qsize(), queue.full(), queue.empty()) == (1, True, False)
    assert queue.unfinished_tasks == 1


def test_shutting_down_lets_out_what_is_in():
    queue = Queue()
    queue.put(1)
    assert queue.shutdown() is None
    with pytest.raises(ShutDown):
        queue.put(2)
    with pytest.raises(ShutDown):
        queue.put(2, timeout=-1)
    assert queue.get() == 1
    for get in (queue.get, queue.get_nowait, lambda: queue.get(timeout=-1)):
        with pytest.raises(ShutDown):
            get()
    queue.task_done()
    queue.join()
    assert queue.is_shutdown is True


def test_shutting_down_at_once_takes_everything_out_as_done():
    queue = Queue()
    for item in range(3):
        queue.put(item)
    queue.shutdown(immediate=True)
    assert (queue.qsize(), queue.unfinished_tasks) == (0, 0)
    queue.join()
    with pytest.raises(ShutDown):
        queue.get()
    with pytest.raises(ValueError, match="too many times"):
        queue.task_done()


def test_bad_timeouts_change_nothing():
    queue = Queue(1)
    for timeout in (-1, -1e-9, float("-inf"), -(10**30)):
        with pytest.raises(ValueError, match="non-negative"):
            queue.put(1, timeout=timeout)
        with pytest.raises(ValueError, match="non-negative"):
            queue.get(timeout=timeout)
    for timeout in ("1", [], object()):
        with pytest.raises(TypeError):
            queue.put(1, timeout=timeout)
        with pytest.raises(TypeError):
            queue.get(timeout=timeout)
    assert queue.empty()


def test_no_number_is_no_timeout():
    queue = Queue()
    with pytest.raises(ValueError, match="non-negative"):
        queue.get(timeout=float("nan"))


@pytest.mark.parametrize("timeout", [1e10, 1e300, float("inf"), 10**400])
def test_a_timeout_that_no_clock_holds_is_an_overflow(timeout):
    queue = Queue(1)
    with pytest.raises(OverflowError):
        queue.get(timeout=timeout)
    queue.put(1)
    with pytest.raises(OverflowError):
        queue.put(1, timeout=timeout)
    # Nobody waits any more: what comes next is neither lost nor given away.
    assert queue.get() == 1
    assert queue.empty()


def test_a_truth_value_that_raises_leaves_the_queue_alone():
    class Unclear:
        def __bool__(self):
            raise ZeroDivisionError

    queue = Queue()
    for call in (
        lambda: queue.put(1, Unclear()),
        lambda: queue.get(Unclear()),
        lambda: queue.shutdown(Unclear()),
    ):
        with pytest.raises(ZeroDivisionError):
            call()
    assert queue.empty()
    assert not queue.is_shutdown


def test_a_timeout_may_use_the_queue():
    class Sneaky:
        def __float__(self):
            queue.put("from __float__")
            return 0.0

    queue = Queue()
    assert queue.get(timeout=Sneaky()) == "from __float__"


@pytest.mark.parametrize("maxsize", ["1", 1.5, None])
def test_a_size_that_is_no_int_is_a_type_error(maxsize):
    with pytest.raises(TypeError):
        Queue(maxsize)
    with pytest.raises(TypeError):
        Queue().maxsize = maxsize


@pytest.mark.parametrize("maxsize", [2**63, -(2**63) - 1, 10**40])
def test_a_size_out_of_range_is_a_value_error(maxsize):
    with pytest.raises(ValueError, match="out of range"):
        Queue(maxsize)
    with pytest.raises(ValueError, match="out of range"):
        Queue().maxsize = maxsize


def test_wrong_calls_are_type_errors():
    queue = Queue()
    for call in (
        queue.put,
        lambda: queue.put(1, True, 1, 1),
        lambda: queue.get(blocking=True),
        lambda: queue.put_nowait(),
        lambda: queue.task_done(1),
        lambda: Queue(1, 2),
        lambda: Queue(size=1),
    ):
        with pytest.raises(TypeError):
            call()


def test_it_can_be_subclassed():
    class Counting(Queue):
        def __init__(self, name, maxsize=0):
            super().__init__(maxsize)
            self.name = name
            self.puts = 0

        def put(self, item, block=True, timeout=None):
            self.puts += 1
            super().put(item, block, timeout)

    queue = Counting("q", 2)
    queue.put(1)
    assert (queue.name, queue.puts, queue.maxsize, queue.get()) == ("q", 1, 2, 1)


def test_it_is_generic_in_its_items():
    alias = Queue[int]
    assert isinstance(alias, types.GenericAlias)
    assert (alias.__origin__, alias.__args__) == (Queue, (int,))
    assert isinstance(alias(3), Queue)


def test_it_can_be_neither_copied_nor_pickled():
    for copying in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="pickle"):
            copying(Queue())


def test_what_it_counts_is_not_to_be_written():
    queue = Queue()
    for name in ("unfinished_tasks", "is_shutdown"):
        with pytest.raises(AttributeError):
            setattr(queue, name, 1)
