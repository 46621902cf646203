import gc
import os
import signal

# Before anything is frozen: what trio registers with it asks the collector who has its generator.
import hypothesis  # noqa: F401
import pytest
import pyuv
from pyuv import errno, fs
from pyuv.error import FSError, UVError

from util import CPYTHON, collect

# These have an environment of their own, and settings.
collect_ignore = ["programs"]

pytest_plugins = ["channel_fixtures", "dns_fixtures", "python_differences"]

# A shell has the jobs it starts in the background ignore SIGINT, and their children inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# With its first loop a process gets libuv's pipe for signals, for good. Tests that count descriptors may be
# the first of their process.
pyuv.Loop().close()


@pytest.fixture(scope="module", autouse=True)
def little_to_collect(request):
    """A file's collections look at that file's objects, not at all that pytest has by then."""
    if not CPYTHON:
        return
    if hasattr(request.module, "given"):
        # Hypothesis asks the collector who has its generator, and that says nothing of what is frozen.
        gc.unfreeze()
    else:
        gc.collect()
        gc.freeze()


@pytest.fixture
def loop():
    """A loop that is closed after the test, with whatever is left open on it."""
    event_loop = pyuv.Loop()
    event_loop.excepthook = None
    yield event_loop
    if event_loop.closed:
        return
    for handle in event_loop.handles:
        if not handle.closed:
            handle.close()
    event_loop.run()
    try:
        event_loop.close()
    except UVError:
        if CPYTHON:
            raise
        # What the test has let go of is there until the collector finds it, who takes long.
        collect()
        event_loop.close()


@pytest.fixture(params=["sync", "async"])
def do(request, loop):
    """Does an operation at once or on the loop; gives its result or raises its error."""

    def do_async(function, *arguments, **options):
        seen = []
        asked = function(loop, *arguments, callback=seen.append, **options)
        assert isinstance(asked, fs.FSRequest)
        assert asked.result is None
        assert asked.error is None
        assert seen == []
        loop.run()
        assert seen == [asked]
        assert asked.loop is loop
        if asked.error is not None:
            assert asked.result is None
            raise FSError(asked.error, errno.strerror(asked.error))
        return asked.result

    def do_sync(function, *arguments, **options):
        return function(loop, *arguments, **options)

    return do_sync if request.param == "sync" else do_async


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    return path


@pytest.fixture
def fd(file):
    fd = os.open(file, os.O_RDWR)
    yield fd
    os.close(fd)
