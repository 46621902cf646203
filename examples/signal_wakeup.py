"""Two ways for a signal to reach a loop that sleeps: `python signal_wakeup.py`, and send it SIGUSR1, SIGUSR2, SIGINT.

A Signal handle has a callback called on the loop. A handler of Python's own module `signal` works as well: a
SignalChecker watches the socket that `signal.set_wakeup_fd` writes to, and so wakes the loop for it.
"""

import os
import signal
import socket

import pyuv


def main():
    loop = pyuv.Loop()
    reader, writer = socket.socketpair()
    reader.setblocking(False)
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.fileno())
    checker = pyuv.util.SignalChecker(loop, reader.fileno())
    checker.start()

    usr1 = pyuv.Signal(loop)
    usr1.start(lambda handle, number: print("handle:", signal.Signals(number).name, flush=True), signal.SIGUSR1)

    def on_usr2(number, frame):
        print("python:", signal.Signals(number).name, flush=True)

    def on_interrupt(number, frame):
        print("python:", signal.Signals(number).name, flush=True)
        usr1.close()
        checker.close()

    signal.signal(signal.SIGUSR2, on_usr2)
    signal.signal(signal.SIGINT, on_interrupt)
    print("waiting, process", os.getpid(), flush=True)
    loop.run()
    signal.set_wakeup_fd(-1)
    reader.close()
    writer.close()
    print("bye")


if __name__ == "__main__":
    main()
