import itertools
import os
import re
import threading
from pathlib import Path

import pytest
from pyuv import util

from util import linux


@linux
def test_cpu_info_lists_every_processor_of_proc_stat():
    names = re.findall(r"^cpu\d+", Path("/proc/stat").read_text(), re.MULTILINE)
    processors = util.cpu_info()
    assert len(processors) == len(names)
    for processor in processors:
        assert isinstance(processor.model, str)
        assert processor.model
        assert isinstance(processor.speed, int)


@linux
def test_cpu_times_are_milliseconds():
    ticks = 1000 // os.sysconf("SC_CLK_TCK")
    line = re.search(r"^cpu0 .*", Path("/proc/stat").read_text(), re.MULTILINE)[0]
    user, nice, system, idle = (int(field) * ticks for field in line.split()[1:5])
    times = util.cpu_info()[0].times
    for ours, theirs in [(times.user, user), (times.nice, nice), (times.sys, system), (times.idle, idle)]:
        assert theirs <= ours <= theirs + 10_000


def test_available_parallelism_is_at_most_the_affinity():
    assert 1 <= util.available_parallelism() <= len(os.sched_getaffinity(0))


@linux
def test_affinity_is_what_the_os_module_sees():
    assert util.thread_getaffinity() == os.sched_getaffinity(0)
    assert util.cpumask_size() > max(os.sched_getaffinity(0))


@linux
def test_a_thread_moves_to_the_processor_it_is_told_and_no_other_thread_does():
    before = util.thread_getaffinity()
    last = max(before)
    seen = []

    def move():
        seen.append(util.thread_setaffinity(iter([last, last])))
        seen.append(util.thread_getaffinity())
        seen.append(util.getcpu())

    thread = threading.Thread(target=move)
    thread.start()
    thread.join()
    assert seen == [before, {last}, last]
    assert util.thread_getaffinity() == before


@linux
@pytest.mark.parametrize("cpus", [[], [-1], [2**31], [2**64], [2**100], itertools.count()])
def test_affinity_refuses_processors_that_cannot_be(cpus):
    before = util.thread_getaffinity()
    with pytest.raises(ValueError, match=r"out of range|does not fit|invalid argument"):
        util.thread_setaffinity(cpus)
    assert util.thread_getaffinity() == before


@linux
@pytest.mark.parametrize("cpus", [None, 1, "1", [0.0], [None]])
def test_affinity_wants_an_iterable_of_ints(cpus):
    with pytest.raises(TypeError):
        util.thread_setaffinity(cpus)
