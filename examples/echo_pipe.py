"""An echo server on a Unix socket: `python echo_pipe.py PATH`. Ctrl-C ends it and removes the socket."""

import signal
import sys

import pyuv


def main(path: str) -> None:
    loop = pyuv.Loop()
    server = pyuv.Pipe(loop)
    clients = set()

    def on_connection(server: pyuv.Pipe, error: int | None) -> None:
        client = pyuv.Pipe(loop)
        server.accept(client)
        clients.add(client)
        client.start_read(on_read)

    def on_read(client: pyuv.Pipe, data: bytes, error: int | None) -> None:
        if error is None:
            # The next message is read when this one has gone out: a client that does not read waits.
            client.stop_read()
            client.write(data, on_written)
        else:
            clients.discard(client)
            client.close()

    def on_written(client: pyuv.Pipe, error: int | None) -> None:
        if error is None:
            client.start_read(on_read)

    def on_interrupt(interrupt: pyuv.Signal, number: int) -> None:
        for handle in (interrupt, server, *clients):
            handle.close()

    server.bind(path)
    server.listen(on_connection)
    pyuv.Signal(loop).start(on_interrupt, signal.SIGINT)
    print("listening on", server.getsockname(), flush=True)
    loop.run()
    print("bye")


if __name__ == "__main__":
    main(sys.argv[1])
