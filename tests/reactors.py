"""Reactors of pyuv.twisted for tests."""

import os
from contextlib import contextmanager

import pyuv
from pyuv.twisted import UVReactor


@contextmanager
def a_reactor():
    """A reactor, of which nothing is left: no reactor closes its wakers and its loop by itself."""
    made = UVReactor()
    try:
        yield made
    finally:
        # What was said to be done at the end, if it has not run.
        made.fireSystemEvent("shutdown")
        wakers = [*made._internalReaders]
        made._poller.close()
        for handle in made.uv.handles:
            handle.close()
        made.uv.run(pyuv.UV_RUN_NOWAIT)
        made.uv.close()
        for waker in wakers:
            os.close(waker.i)
            os.close(waker.o)
