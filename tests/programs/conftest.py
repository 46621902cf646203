import gc
import signal

import pytest
import pyuv
from redisserver import Redis
from servers import PortMapper, Postgres, RabbitMQ

from util import collect, open_fds

# A shell has the jobs it starts in the background ignore SIGINT, and their children inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# With its first loop a process gets libuv's pipe for signals, for good.
pyuv.Loop().close()


@pytest.fixture(scope="session", autouse=True)
def _imported_for_good():
    """What the programs' modules hold is nothing for the collector, who is asked often."""
    collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _descriptors_as_before(_imported_for_good):
    """Nobody's descriptor is left open, and whatever is garbage says what it has to say within its test."""
    collect()
    before = open_fds()
    yield
    collect()
    assert open_fds() == before


@pytest.fixture(scope="session")
def postgres():
    with Postgres() as server:
        yield server


@pytest.fixture(scope="session")
def redis_server():
    with Redis() as server:
        yield server


@pytest.fixture(scope="session")
def rabbitmq():
    with PortMapper() as mapper, RabbitMQ(mapper) as server:
        yield server
