"""A UDP echo server: `python echo_udp.py [PORT]`. Ctrl-C ends it."""

import signal
import sys
from typing import Any

import pyuv


def main(port: int) -> None:
    loop = pyuv.Loop()
    server = pyuv.UDP(loop, flags=pyuv.UV_UDP_RECVMMSG)

    def on_datagram(
        server: pyuv.UDP, address: tuple[Any, ...], flags: int, data: bytes, error: int | None
    ) -> None:
        if error is None:
            server.send(address, data)
        else:
            print("error:", pyuv.errno.strerror(error), file=sys.stderr)

    def on_interrupt(interrupt: pyuv.Signal, number: int) -> None:
        interrupt.close()
        server.close()

    server.bind(("127.0.0.1", port))
    server.start_recv(on_datagram)
    pyuv.Signal(loop).start(on_interrupt, signal.SIGINT)
    print("listening on port", server.getsockname()[1], flush=True)
    loop.run()
    print("bye")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
