"""UDP: the tuples of addresses, many times over."""

import socket

import pytest
import pyuv


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_many_senders_are_told_apart_and_answered(loop, host):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    senders = [socket.socket(family, socket.SOCK_DGRAM) for _ in range(300)]
    receiver = pyuv.UDP(loop)
    receiver.bind((host, 0))
    came = []

    def on_datagram(handle, address, flags, data, error):
        assert error is None
        came.append((address, data))
        handle.send(address, data[::-1])

    receiver.start_recv(on_datagram)
    # Their addresses are new first, and then have been forgotten, or are known.
    for turn in range(3):
        for number, sender in enumerate(senders):
            data = b"%d %d" % (turn, number)
            sender.sendto(data, receiver.getsockname())
            while not came:
                loop.run(pyuv.UV_RUN_ONCE)
            own = sender.getsockname()
            assert came.pop() == ((host, *own[1:]), data)
            assert sender.recv(100) == data[::-1]
    for sender in senders:
        sender.close()
    receiver.close()


def test_an_address_is_read_each_time_where_it_may_mean_something_else(loop):
    ports = []
    receivers = []
    for _ in range(2):
        receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        receiver.bind(("127.0.0.1", 0))
        receivers.append(receiver)
        ports.append(receiver.getsockname()[1])

    class Port:
        def __index__(self):
            return next(given)

    given = iter(ports)
    address = ("127.0.0.1", Port())
    sender = pyuv.UDP(loop)
    for receiver in receivers:
        sender.send(address, b"data")
        assert receiver.recv(100) == b"data"
    # The same tuple again and again.
    plain = ("127.0.0.1", ports[0])
    for number in range(3):
        sender.send(plain, b"%d" % number)
        assert receivers[0].recv(100) == b"%d" % number
    for receiver in receivers:
        receiver.close()
    sender.close()
