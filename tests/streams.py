"""What the tests of streams share: connections, and reading to the end."""

import pyuv

from util import time_limit

LOCALHOST = ("127.0.0.1", 0)


def run_until(loop, condition):
    with time_limit(loop):
        while not condition():
            loop.run(pyuv.UV_RUN_ONCE)


def listener(loop, on_connection, handle=None):
    """A TCP handle that listens on a free port."""
    server = handle or pyuv.TCP(loop)
    server.bind(LOCALHOST)
    server.listen(on_connection)
    return server


def connected(loop, kind=pyuv.TCP):
    """The two ends of a TCP connection on the loop; the first is of the class."""
    ends = []

    def on_connection(server, error):
        assert error is None
        ends.append(pyuv.TCP(loop))
        server.accept(ends[-1])

    def on_connect(client, error):
        assert error is None
        ends.append(client)

    server = listener(loop, on_connection)
    client = kind(loop)
    client.connect(server.getsockname(), on_connect)
    with time_limit(loop):
        while len(ends) < 2:
            loop.run(pyuv.UV_RUN_ONCE)
    server.close()
    loop.run(pyuv.UV_RUN_NOWAIT)
    peer = ends[0] if ends[1] is client else ends[1]
    return client, peer


def fill(stream):
    """Write until something has to wait."""
    while stream.write_queue_size == 0:
        stream.write(bytes(1 << 16))


def read_all(loop, stream):
    """Run the loop until the stream is at its end; return what came."""
    received = bytearray()
    ends = []

    def on_read(stream, data, error):
        if error is None:
            received.extend(data)
        else:
            ends.append(error)

    stream.start_read(on_read)
    with time_limit(loop):
        while not ends:
            loop.run(pyuv.UV_RUN_ONCE)
    assert ends == [pyuv.errno.UV_EOF]
    return bytes(received)
