"""Has suites that know nothing of pyuv run on its event loop."""

import asyncio
import signal
import warnings

_made = 0


def put() -> None:
    """Has whatever makes a selector event loop of asyncio's make one of pyuv's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import asyncio.unix_events as unix_events

        import pyuv.asyncio

        class EventLoop(pyuv.asyncio.EventLoop):
            """One that is given a selector, which it has no use for."""

            def __init__(self, selector: object = None) -> None:
                global _made
                if selector is not None:
                    selector.close()
                _made += 1
                super().__init__()

        asyncio.SelectorEventLoop = unix_events.SelectorEventLoop = EventLoop
        for module in (asyncio, unix_events):
            if hasattr(module, "EventLoop"):
                module.EventLoop = EventLoop
        for name in ("_UnixDefaultEventLoopPolicy", "_DefaultEventLoopPolicy"):
            if hasattr(unix_events, name):
                getattr(unix_events, name)._loop_factory = EventLoop


def made() -> int:
    """How many loops of pyuv's were made in the place of asyncio's."""
    return _made


def hear_interrupts() -> None:
    """A shell has the jobs it starts in the background ignore SIGINT, and their children inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
