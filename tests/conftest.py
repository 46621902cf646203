import pytest
import pyuv


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
