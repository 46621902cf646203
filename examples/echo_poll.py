"""A TCP echo server on Python's own sockets, which pyuv only waits for: `python echo_poll.py [PORT]`.

This is how a library that brings its own sockets lives on a pyuv loop. Ctrl-C ends it.
"""

import signal
import socket
import sys

import pyuv


class Connection:
    """Echoes what a socket sends. Waits to write only while there is something to write."""

    def __init__(self, loop: pyuv.Loop, sock: socket.socket) -> None:
        self.sock = sock
        self.unsent = b""
        self.poll = pyuv.Poll(loop, sock)
        self.poll.start(pyuv.UV_READABLE, self.on_ready)

    def on_ready(self, poll: pyuv.Poll, events: int, error: int | None) -> None:
        try:
            if events & pyuv.UV_READABLE:
                data = self.sock.recv(65536)
                if not data:
                    self.close()
                    return
                self.unsent += data
            self.unsent = self.unsent[self.sock.send(self.unsent) :]
        except BlockingIOError:
            pass
        except OSError:
            self.close()
            return
        # Nothing more is read until it has been echoed, so that a slow reader takes no memory.
        poll.start(pyuv.UV_WRITABLE if self.unsent else pyuv.UV_READABLE, self.on_ready)

    def close(self) -> None:
        # The handle first, the socket after.
        self.poll.close()
        self.sock.close()


def main(port: int) -> None:
    loop = pyuv.Loop()
    connections: list[Connection] = []
    listener = socket.create_server(("127.0.0.1", port))
    listener.setblocking(False)
    poll = pyuv.Poll(loop, listener)

    def on_connection(poll: pyuv.Poll, events: int, error: int | None) -> None:
        sock, _ = listener.accept()
        sock.setblocking(False)
        connections[:] = [connection for connection in connections if not connection.poll.closed]
        connections.append(Connection(loop, sock))

    def on_interrupt(interrupt: pyuv.Signal, number: int) -> None:
        interrupt.close()
        poll.close()
        listener.close()
        for connection in connections:
            if not connection.poll.closed:
                connection.close()

    poll.start(pyuv.UV_READABLE, on_connection)
    pyuv.Signal(loop).start(on_interrupt, signal.SIGINT)
    print("listening on port", listener.getsockname()[1], flush=True)
    loop.run()
    print("bye")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
