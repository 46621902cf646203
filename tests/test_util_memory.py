import resource
from pathlib import Path

import pytest
from pyuv import util

from util import in_child, linux


def meminfo(name):
    (line,) = (line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024


@linux
def test_memory_of_the_machine_is_what_meminfo_says():
    assert util.get_total_memory() == meminfo("MemTotal:")
    assert util.get_free_memory() == pytest.approx(meminfo("MemAvailable:"), rel=0.2)
    assert 0 < util.get_available_memory() <= util.get_total_memory()


def test_constrained_memory_is_a_limit_or_says_that_there_is_none():
    limit = util.get_constrained_memory()
    assert limit == 0 or limit >= resource.getpagesize()


@linux
def test_resident_set_is_what_statm_says():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    size = util.resident_set_memory()
    assert size == pytest.approx(pages * resource.getpagesize(), rel=0.1)
    assert util.resident_set_size is util.resident_set_memory


@linux
def test_constrained_memory_sees_a_new_rlimit():
    code = """
        import resource
        from pyuv import util
        resource.setrlimit(resource.RLIMIT_AS, (1 << 32, 1 << 32))
        print(util.get_constrained_memory())
    """
    assert 0 < int(in_child(code)[0]) <= 1 << 32
