"""An event loop whose process has no descriptor left."""

import pytest

from util import in_child


def without_descriptors(left):
    """A program's beginning, whose `scarce()` leaves the process so many descriptors."""
    return f"""
import asyncio, os, resource, socket, sys
import pyuv.asyncio
factory = {{"asyncio": asyncio.SelectorEventLoop, "pyuv": pyuv.asyncio.new_event_loop}}[sys.argv[1]]
def scarce(left={left}):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    number = os.open(os.devnull, os.O_RDONLY)
    os.close(number)
    resource.setrlimit(resource.RLIMIT_NOFILE, (number + left, hard))
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
def run(main):
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main)
"""


both_names = pytest.mark.parametrize("name", ["asyncio", "pyuv"])


@both_names
def test_a_connect_without_a_descriptor_is_an_error(name):
    program = (
        without_descriptors(0)
        + """
async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    relieve = scarce()
    for attempt in (
        lambda: loop.create_connection(asyncio.Protocol, *address),
        lambda: loop.connect_read_pipe(asyncio.Protocol, open(os.devnull)),
        lambda: loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)),
        lambda: loop.create_unix_connection(asyncio.Protocol, "/no/such/socket"),
        lambda: asyncio.create_subprocess_exec("true", stdout=-1),
    ):
        try:
            await attempt()
        except OSError as error:
            print(error.errno, flush=True)
    relieve()
    transport, _ = await loop.create_connection(asyncio.Protocol, *address)
    print(transport.get_extra_info("peername") == address)
    transport.close()
    server.close()
run(main())
"""
    )
    assert in_child(program, name, stderr=None) == ["24"] * 5 + ["True"]


@both_names
def test_an_accept_without_a_descriptor_is_reported_and_done_when_there_is_one(name):
    program = (
        without_descriptors(1)
        + """
async def serve(reader, writer):
    writer.write(b"welcome")
    writer.close()

async def main():
    loop = asyncio.get_running_loop()
    contexts = []
    loop.set_exception_handler(lambda loop, context: contexts.append(context))
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    sock = socket.socket()
    sock.setblocking(False)
    # One is left, for nobody: the loop must not turn around it.
    other = socket.socket()
    relieve = scarce(0)
    await loop.sock_connect(sock, server.sockets[0].getsockname())
    begin = os.times()
    while not contexts:
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.3)
    end = os.times()
    print(contexts[0]["exception"].errno, contexts[0]["message"])
    print(end.user + end.system - begin.user - begin.system < 0.25, len(contexts) < 250)
    relieve()
    print(await asyncio.wait_for(loop.sock_recv(sock, 100), 30))
    sock.close()
    other.close()
    server.close()
run(main())
"""
    )
    assert in_child(program, name, stderr=None) == [
        "24 socket.accept() out of system resource",
        "True True",
        "b'welcome'",
    ]
