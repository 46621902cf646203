"""The programs in examples/, each run as one."""

import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from util import finish

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture
def start():
    """Starts an example; ends it with the test, and shows what it complained of.

    One that hangs is ended before the test's own time limit, so that the test fails where it waits.
    """
    programs = []
    watchdogs = []

    def run(name, *arguments):
        command = [sys.executable, "-X", "faulthandler", "-W", "error", EXAMPLES / name, *map(str, arguments)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        program = subprocess.Popen(command, text=True, **pipes)
        programs.append(program)
        watchdogs.append(threading.Timer(40, program.kill))
        watchdogs[-1].start()
        return program

    yield run
    for watchdog in watchdogs:
        watchdog.cancel()
    for program in programs:
        program.kill()
        if program.returncode is None:
            sys.stderr.write(program.communicate()[1])


def port_of(program):
    """The port that a server says it listens on."""
    line = program.stdout.readline()
    found = re.fullmatch(r"listening on port (\d+)\n", line)
    assert found, line or program.stderr.read()
    return int(found[1])


def interrupt(program):
    """Ctrl-C; what the program printed since."""
    program.send_signal(signal.SIGINT)
    return finish(program)


def test_echo_udp(start):
    program = start("echo_udp.py")
    address = ("127.0.0.1", port_of(program))
    clients = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3)]
    for client in clients:
        client.settimeout(20)
        client.connect(address)
    for data in (b"hello", b"", b"x" * 60_000):
        for number, client in enumerate(clients):
            client.send(data + bytes([number]))
        for number, client in enumerate(clients):
            assert client.recv(65_536) == data + bytes([number])
    for client in clients:
        client.close()
    assert interrupt(program) == ["bye"]


def exchange(client, data):
    """What comes back for `data`, read while it is being sent."""
    sender = threading.Thread(target=client.sendall, args=(data,))
    sender.start()
    echoed = b""
    while len(echoed) < len(data):
        piece = client.recv(65_536)
        assert piece, "the server closed the connection"
        echoed += piece
    sender.join()
    return echoed


def test_echo_tcp(start):
    program = start("echo_tcp.py")
    address = ("127.0.0.1", port_of(program))
    with socket.create_connection(address, 20) as one, socket.create_connection(address, 20) as two:
        assert exchange(one, b"one") == b"one"
        data = bytes(range(256)) * 8000
        assert exchange(two, data) == data
        one.close()
        assert exchange(two, b"two") == b"two"
        assert interrupt(program) == ["bye"]
        assert two.recv(9) == b""


def test_echo_pipe(start, tmp_path):
    path = str(tmp_path / "echo")
    program = start("echo_pipe.py", path)
    assert program.stdout.readline() == f"listening on {path}\n"
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(path)
        data = bytes(range(256)) * 8000
        assert exchange(client, data) == data
        assert interrupt(program) == ["bye"]
        assert client.recv(9) == b""
    assert not Path(path).exists()


def test_chat(start):
    program = start("chat.py", 0, 3)
    address = ("127.0.0.1", port_of(program))
    clients = [socket.create_connection(address, 20) for _ in range(8)]
    files = [client.makefile("rb") for client in clients]
    # A client hears of what is said once its worker has accepted it; its own words tell.
    for client, file in zip(clients, files, strict=True):
        client.sendall(b"here\n")
        own = b"%d: here\n" % client.getsockname()[1]
        assert own in iter(file.readline, b"")
    clients[3].sendall(b"hello, ")
    clients[3].sendall(b"all\nbye\n")
    name = b"%d: " % clients[3].getsockname()[1]
    for file in files:
        assert name + b"hello, all\n" in iter(file.readline, b"")
        assert name + b"bye\n" in iter(file.readline, b"")
    assert interrupt(program) == ["bye"]
    for client, file in zip(clients, files, strict=True):
        assert file.readline() == b""
        file.close()
        client.close()


def test_echo_poll(start):
    program = start("echo_poll.py")
    address = ("127.0.0.1", port_of(program))
    with socket.create_connection(address, 20) as one, socket.create_connection(address, 20) as two:
        one.sendall(b"one")
        two.sendall(b"two")
        assert (one.recv(9), two.recv(9)) == (b"one", b"two")
        one.close()
        data = bytes(range(256)) * 400
        two.sendall(data)
        echoed = b""
        while len(echoed) < len(data):
            echoed += two.recv(65_536)
        assert echoed == data
        assert interrupt(program) == ["bye"]
        assert two.recv(9) == b""


def test_embed(start):
    lines = finish(start("embed.py"))
    assert lines[-1] == "asyncio: done"
    assert sorted(lines[:-1]) == [
        "pyuv: got a datagram of asyncio's",
        "pyuv: tick 1",
        "pyuv: tick 2",
        "pyuv: tick 3",
    ]


def test_signal_wakeup(start):
    program = start("signal_wakeup.py")
    assert program.stdout.readline() == f"waiting, process {program.pid}\n"
    for number, line in ((signal.SIGUSR1, "handle: SIGUSR1\n"), (signal.SIGUSR2, "python: SIGUSR2\n")) * 3:
        program.send_signal(number)
        assert program.stdout.readline() == line
    assert interrupt(program) == ["python: SIGINT", "bye"]
