import os
import time
from pathlib import Path

import pytest
import pyuv
from pyuv import util

from util import linux


def test_hrtime_is_the_monotonic_clock_in_nanoseconds():
    before = time.monotonic_ns()
    now = util.hrtime()
    assert before <= now <= time.monotonic_ns()


def test_clock_gettime_reads_both_clocks():
    before = time.monotonic_ns()
    monotonic = util.clock_gettime(pyuv.UV_CLOCK_MONOTONIC)
    assert before <= monotonic.tv_sec * 10**9 + monotonic.tv_nsec <= time.monotonic_ns()
    before = time.time_ns()
    real = util.clock_gettime(pyuv.UV_CLOCK_REALTIME)
    assert before <= real.tv_sec * 10**9 + real.tv_nsec <= time.time_ns()


@pytest.mark.parametrize("clock", [-1, 2, 2**31, 2**32, -(2**63), 2**63, 2**100])
def test_clock_gettime_refuses_a_clock_that_does_not_exist(clock):
    with pytest.raises(ValueError, match=str(clock)):
        util.clock_gettime(clock)


def test_gettimeofday_is_the_time():
    before = time.time_ns() // 1000
    now = util.gettimeofday()
    assert before <= now.tv_sec * 10**6 + now.tv_usec <= time.time_ns() // 1000


@linux
def test_uptime_is_the_kernels():
    before = float(Path("/proc/uptime").read_text().split()[0])
    uptime = util.uptime()
    assert isinstance(uptime, float)
    assert before <= uptime <= float(Path("/proc/uptime").read_text().split()[0])


def test_loadavg_is_a_tuple_of_three_averages():
    averages = util.loadavg()
    assert type(averages) is tuple
    assert len(averages) == 3
    assert all(
        ours == pytest.approx(theirs, abs=0.5) for ours, theirs in zip(averages, os.getloadavg(), strict=True)
    )
