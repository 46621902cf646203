"""A chat whose worker processes share one listening socket: `python chat.py [PORT [WORKERS]]`.

The first process binds the socket and sends it to each worker over a pipe. The system gives each
connection to one of the workers. What a client says goes through its worker to the first process, and
from there to all workers and their clients. Try it with `nc localhost PORT`; Ctrl-C ends it.
"""

import signal
import sys

import pyuv

READY = b"ready\n"
"""What a worker says when it listens; what clients say begins with their port."""


class Lines:
    """The whole lines of what arrives piece by piece."""

    def __init__(self) -> None:
        self.rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        *lines, self.rest = (self.rest + data).split(b"\n")
        return [line + b"\n" for line in lines]


def serve(port: int, workers: int) -> None:
    loop = pyuv.Loop()
    listener = pyuv.TCP(loop)
    listener.bind(("127.0.0.1", port))
    port = listener.getsockname()[1]
    channels: dict[pyuv.Pipe, Lines] = {}
    ready: list[pyuv.Pipe] = []

    def on_read(channel: pyuv.Pipe, data: bytes, error: int | None) -> None:
        if error is None:
            for line in channels[channel].feed(data):
                if line == READY:
                    on_ready(channel)
                else:
                    for other in channels:
                        other.write(line)
        else:
            del channels[channel]
            channel.close()

    def on_ready(channel: pyuv.Pipe) -> None:
        ready.append(channel)
        if len(ready) == workers:
            # The socket is theirs now.
            listener.close()
            print("listening on port", port, flush=True)

    def on_exit(process: pyuv.Process, status: int, signal_number: int) -> None:
        process.close()

    def on_interrupt(interrupt: pyuv.Signal, number: int) -> None:
        # The end of its channel ends a worker.
        for handle in {interrupt, listener, *channels}:
            if not handle.closed:
                handle.close()

    for _ in range(workers):
        channel = pyuv.Pipe(loop, True)
        both_ways = pyuv.UV_CREATE_PIPE | pyuv.UV_READABLE_PIPE | pyuv.UV_WRITABLE_PIPE
        pyuv.Process.spawn(
            loop,
            [sys.executable, __file__, "worker"],
            stdio=[
                pyuv.StdIO(stream=channel, flags=both_ways),
                pyuv.StdIO(fd=1, flags=pyuv.UV_INHERIT_FD),
                pyuv.StdIO(fd=2, flags=pyuv.UV_INHERIT_FD),
            ],
            exit_callback=on_exit,
        )
        channels[channel] = Lines()
        channel.write(b"\n", None, listener)
        channel.start_read(on_read)
    pyuv.Signal(loop).start(on_interrupt, signal.SIGINT)
    loop.run()
    print("bye")


def work() -> None:
    loop = pyuv.Loop()
    channel = pyuv.Pipe(loop, True)
    listener = pyuv.TCP(loop)
    clients: dict[pyuv.TCP, Lines] = {}
    from_server = Lines()

    def on_channel(channel: pyuv.Pipe, data: bytes, error: int | None) -> None:
        if error is not None:
            for handle in (channel, listener, *clients):
                handle.close()
            return
        if channel.pending_handle_type() == pyuv.UV_TCP:
            channel.accept(listener)
            listener.listen(on_connection)
            channel.write(READY)
        for line in from_server.feed(data):
            for client in clients:
                client.write(line)

    def on_connection(listener: pyuv.TCP, error: int | None) -> None:
        client = pyuv.TCP(loop)
        listener.accept(client)
        clients[client] = Lines()
        client.start_read(on_client)

    def on_client(client: pyuv.TCP, data: bytes, error: int | None) -> None:
        if error is None:
            name = b"%d: " % client.getpeername()[1]
            for line in clients[client].feed(data):
                channel.write(name + line)
        else:
            del clients[client]
            client.close()

    # Ctrl-C in a terminal goes to the workers too, but they end with the first process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel.open(0)
    channel.start_read(on_channel)
    loop.run()


if __name__ == "__main__":
    if sys.argv[1:] == ["worker"]:
        work()
    else:
        arguments = [int(argument) for argument in sys.argv[1:]]
        serve(*arguments, *(0, 2)[len(arguments) :])
