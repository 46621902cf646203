"""Two ways for a signal to reach a loop that sleeps: `python signal_wakeup.py`, and signals to it.

A Signal handle has a callback called on the loop. A handler of Python's own module `signal` works as well: a
SignalChecker watches the socket that `signal.set_wakeup_fd` writes to, and so wakes the loop for it.

A handler may interrupt Python anywhere, also inside the `print` of another, where a second `print` is an
error: hence `say`.
"""

import os
import signal
import socket
from types import FrameType

import pyuv


def say(*words: str) -> None:
    os.write(1, " ".join(words).encode() + b"\n")


def main() -> None:
    loop = pyuv.Loop()
    reader, writer = socket.socketpair()
    reader.setblocking(False)
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.fileno())
    checker = pyuv.util.SignalChecker(loop, reader.fileno())
    checker.start()

    usr1 = pyuv.Signal(loop)
    usr1.start(lambda handle, number: say("handle:", signal.Signals(number).name), signal.SIGUSR1)

    def on_usr2(number: int, frame: FrameType | None) -> None:
        say("python:", signal.Signals(number).name)

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        say("python:", signal.Signals(number).name)
        usr1.close()
        checker.close()

    signal.signal(signal.SIGUSR2, on_usr2)
    signal.signal(signal.SIGINT, on_interrupt)
    say("waiting, process", str(os.getpid()))
    loop.run()
    signal.set_wakeup_fd(-1)
    reader.close()
    writer.close()
    say("bye")


if __name__ == "__main__":
    main()
