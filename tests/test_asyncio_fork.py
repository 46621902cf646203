"""Processes that a process with an event loop forks."""

from util import IN_FORK, in_child


def test_a_forked_child_is_refused_and_runs_a_loop_of_its_own():
    lines = in_child(
        IN_FORK
        + """
import asyncio, socket
import pyuv.asyncio

class Counting(asyncio.Protocol):
    def __init__(self):
        self.lost = asyncio.get_running_loop().create_future()
    def connection_lost(self, exception):
        self.lost.set_result(exception)

async def small():
    await asyncio.sleep(0.001)
    return "a loop of its own"

async def main():
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    transport, protocol = await loop.create_connection(Counting, sock=ours)

    def child():
        for refused in (
            lambda: loop.call_soon(print),
            lambda: loop.call_later(0, print),
            lambda: loop.call_soon_threadsafe(print),
            lambda: loop.add_reader(0, print),
            lambda: transport.write(b"from the child"),
            lambda: loop.run_until_complete(asyncio.sleep(0)),
        ):
            try:
                refused()
            except RuntimeError as error:
                print("fork" in str(error) or "running" in str(error))
        print(pyuv.asyncio.run(small()))

    print(in_fork(child))
    transport.write(b"from the parent")
    print(theirs.recv(100))
    theirs.close()
    print(await protocol.lost)

pyuv.asyncio.run(main())
"""
    )
    assert lines == ["True"] * 6 + ["a loop of its own", "0", "b'from the parent'", "None"]


def test_a_process_of_multiprocessing_runs_a_loop_of_its_own():
    lines = in_child(
        """
import asyncio, multiprocessing
import pyuv.asyncio

async def main(number):
    reader, writer = await asyncio.open_connection("127.0.0.1", number)
    data = await reader.read()
    writer.close()
    print(data.decode(), flush=True)

def work(number):
    pyuv.asyncio.run(main(number))

async def serve(reader, writer):
    writer.write(b"from the parent")
    writer.close()

async def parent():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    process = multiprocessing.get_context("fork").Process(target=work, args=(port,))
    process.start()
    await asyncio.get_running_loop().run_in_executor(None, process.join)
    print(process.exitcode)
    server.close()

if __name__ == "__main__":
    pyuv.asyncio.run(parent())
"""
    )
    assert lines == ["from the parent", "0"]
