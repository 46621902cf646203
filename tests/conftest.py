import signal

import pytest
import pyuv

pytest_plugins = ["channel_fixtures", "dns_fixtures"]

# A shell has the jobs it starts in the background ignore SIGINT, and their children inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


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
    event_loop.close()
