"""A TCP echo server: `python echo_tcp.py [PORT]`. Ctrl-C ends it."""

import signal
import sys

import pyuv


def main(port):
    loop = pyuv.Loop()
    server = pyuv.TCP(loop)
    clients = set()

    def on_connection(server, error):
        client = pyuv.TCP(loop)
        server.accept(client)
        client.nodelay(True)
        clients.add(client)
        client.start_read(on_read)

    def on_read(client, data, error):
        if error is None:
            client.write(data)
        else:
            clients.discard(client)
            client.close()

    def on_interrupt(interrupt, number):
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
