"""A TCP echo server: `python echo_tcp.py [PORT]`. Ctrl-C ends it."""

import signal
import sys

import pyuv


def main(port: int) -> None:
    loop = pyuv.Loop()
    server = pyuv.TCP(loop)
    clients = set()

    def on_connection(server: pyuv.TCP, error: int | None) -> None:
        client = pyuv.TCP(loop)
        server.accept(client)
        client.nodelay(True)
        clients.add(client)
        client.start_read(on_read)

    def on_read(client: pyuv.TCP, data: bytes, error: int | None) -> None:
        if error is None:
            client.write(data)
        else:
            clients.discard(client)
            client.close()

    def on_interrupt(interrupt: pyuv.Signal, number: int) -> None:
        for handle in (interrupt, server, *clients):
            handle.close()

    server.bind(("127.0.0.1", port))
    server.listen(on_connection)
    pyuv.Signal(loop).start(on_interrupt, signal.SIGINT)
    print("listening on port", server.getsockname()[1], flush=True)
    loop.run()
    print("bye")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
