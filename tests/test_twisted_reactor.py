"""pyuv.twisted: the reactor, by itself and in programs of its own."""

import os
import signal
import socket
import textwrap
import threading
import time

import pytest
import pyuv
from reactors import a_reactor
from twisted.internet import defer, error, protocol
from twisted.internet.abstract import FileDescriptor
from twisted.internet.interfaces import (
    IReactorDaemonize,
    IReactorFDSet,
    IReactorProcess,
    IReactorTCP,
    IReactorUDP,
    IReactorUNIX,
)
from twisted.python import log
from zope.interface.verify import verifyObject

from util import finish, in_child, open_fds, start_child, wait_for


@pytest.fixture
def reactor():
    failures = []

    def observe(event):
        if event["isError"]:
            failures.append(log.textFromEventDict(event))

    with a_reactor() as reactor:
        log.addObserver(observe)
        yield reactor
        log.removeObserver(observe)
    assert failures == []


def run(reactor, seconds=20):
    """Runs a reactor until somebody stops it."""
    late = []
    limit = reactor.callLater(seconds, lambda: (late.append(1), reactor.stop()))
    reactor.run(installSignalHandlers=False)
    if limit.active():
        limit.cancel()
    assert not late


class Echo(protocol.Protocol):
    def dataReceived(self, data):
        self.transport.write(data)


class Keeps(protocol.Protocol):
    """Sends something, and keeps what comes until it is as much."""

    def __init__(self, message, done):
        self.message, self.done, self.received = message, done, bytearray()

    def connectionMade(self):
        self.transport.write(self.message)

    def dataReceived(self, data):
        self.received += data
        if len(self.received) >= len(self.message):
            self.transport.loseConnection()

    def connectionLost(self, reason):
        self.done(bytes(self.received))


def client(make):
    factory = protocol.ClientFactory()
    factory.buildProtocol = lambda address: make()
    return factory


def test_it_is_imported_by_nothing_else():
    code = """
        import sys, pyuv, pyuv.dns, pyuv.fs, pyuv.util
        print("twisted" in sys.modules, "pyuv.twisted" in sys.modules)
        import pyuv.twisted
        print("pyuv.asyncio" in sys.modules, "twisted.internet.reactor" in sys.modules)
    """
    assert in_child(code) == ["False False", "False False"]


def test_install():
    code = """
        import pyuv, pyuv.twisted
        from twisted.internet.error import ReactorAlreadyInstalledError
        loop = pyuv.Loop()
        installed = pyuv.twisted.install(loop)
        from twisted.internet import reactor
        print(reactor is installed, reactor.uv is loop, type(reactor).__name__)
        try:
            pyuv.twisted.install()
        except ReactorAlreadyInstalledError:
            print("once")
        reactor.callLater(0.01, reactor.stop)
        reactor.run()
        print("ran")
    """
    assert in_child(code) == ["True True UVReactor", "once", "ran"]


def test_tools_of_twisted_know_it_by_name(tmp_path):
    (tmp_path / "test_it.py").write_text(
        "from twisted.trial.unittest import TestCase\n"
        "class It(TestCase):\n"
        "    def test_it(self):\n"
        "        from twisted.internet import reactor\n"
        "        print('on', type(reactor).__name__)\n"
    )
    code = """
        import sys
        from twisted.scripts.trial import run
        sys.argv = ["trial", "--reactor=pyuv", "test_it"]
        run()
    """
    lines = in_child(code, cwd=tmp_path)
    assert any("on UVReactor" in line for line in lines), lines


def test_a_daemon_has_the_reactor_that_was_made_before_it_forked(tmp_path):
    (tmp_path / "echo.tac").write_text(
        textwrap.dedent(
            """
            from twisted.application import internet, service
            from twisted.internet import endpoints, protocol, reactor

            class Echo(protocol.Protocol):
                def dataReceived(self, data):
                    self.transport.write(data + type(reactor).__name__.encode())

            class Says(service.Service):
                def startService(self):
                    port = reactor.listenTCP(0, protocol.Factory.forProtocol(Echo), interface="127.0.0.1")
                    with open("port", "w") as file:
                        file.write(f"{port.getHost().port}\\n")

            application = service.Application("echo")
            Says().setServiceParent(application)
            """
        )
    )
    code = """
        import sys
        from twisted.scripts.twistd import run
        sys.argv = ["twistd", "--reactor=pyuv", "--python=echo.tac", "--pidfile=pid", "--logfile=log"]
        run()
    """
    in_child(code, cwd=tmp_path)
    try:
        wait_for(lambda: (tmp_path / "port").exists() and (tmp_path / "port").read_text().endswith("\n"))
        port = int((tmp_path / "port").read_text())
        with socket.create_connection(("127.0.0.1", port), 20) as peer:
            peer.sendall(b"daemon ")
            assert peer.recv(100) == b"daemon UVReactor"
    finally:
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGTERM)
        wait_for(lambda: not (tmp_path / "pid").exists())
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_its_interfaces(reactor):
    for interface in (
        IReactorDaemonize,
        IReactorFDSet,
        IReactorTCP,
        IReactorUDP,
        IReactorUNIX,
        IReactorProcess,
    ):
        assert verifyObject(interface, reactor)


@pytest.mark.parametrize("size", [1, 1000, 5_000_000])
def test_echo(reactor, size):
    messages = [os.urandom(size) for _ in range(5)]
    received = []

    def done(message):
        received.append(message)
        if len(received) == len(messages):
            reactor.stop()

    port = reactor.listenTCP(0, protocol.Factory.forProtocol(Echo), interface="127.0.0.1")
    for message in messages:
        make = lambda message=message: Keeps(message, done)  # noqa: E731
        reactor.connectTCP("127.0.0.1", port.getHost().port, client(make))
    run(reactor)
    assert sorted(received) == sorted(messages)


def test_who_never_reads_keeps_nobody_busy(reactor):
    turns = []

    class Floods(protocol.Protocol):
        def connectionMade(self):
            self.transport.write(bytes(20_000_000))

        def connectionLost(self, reason):
            turns.append(reason.type)

    listener = socket.create_server(("127.0.0.1", 0))
    reactor.connectTCP("127.0.0.1", listener.getsockname()[1], client(Floods))
    poll = reactor._poller

    class Counting:
        def __getattr__(self, name):
            if name == "poll":
                turns.append("turn")
            return getattr(poll, name)

    def count():
        reactor._poller = Counting()

    reactor.callLater(0.1, count)
    reactor.callLater(0.6, reactor.stop)
    run(reactor)
    listener.close()
    assert turns.count("turn") < 10


def test_what_is_written_goes_out_before_who_closes_is_gone(reactor):
    received = []

    class Says(protocol.Protocol):
        def connectionMade(self):
            self.transport.write(b"a" * 100_000)
            self.transport.write(b"b" * 3_000_000)
            self.transport.loseConnection()

    class Hears(protocol.Protocol):
        def dataReceived(self, data):
            received.append(data)

        def connectionLost(self, reason):
            assert reason.check(error.ConnectionDone)
            reactor.stop()

    port = reactor.listenTCP(0, protocol.Factory.forProtocol(Says), interface="127.0.0.1")
    reactor.connectTCP("127.0.0.1", port.getHost().port, client(Hears))
    run(reactor)
    assert b"".join(received) == b"a" * 100_000 + b"b" * 3_000_000


def test_one_of_a_batch_may_end_the_others(reactor):
    lost, made = [], []

    class EndsAll(protocol.Protocol):
        def connectionMade(self):
            made.append(self)

        def dataReceived(self, data):
            assert not lost
            for one in made:
                one.transport.abortConnection()

        def connectionLost(self, reason):
            lost.append(self)
            if len(lost) == 20:
                reactor.callLater(0.01, reactor.stop)

    port = reactor.listenTCP(0, protocol.Factory.forProtocol(EndsAll), interface="127.0.0.1")
    peers = [socket.create_connection(("127.0.0.1", port.getHost().port)) for _ in range(20)]

    def all_speak():
        if len(made) < 20:
            reactor.callLater(0.005, all_speak)
            return
        for peer in peers:
            peer.sendall(b"x")

    reactor.callLater(0, all_speak)
    run(reactor)
    assert len(lost) == 20
    for peer in peers:
        peer.close()


class Watched(FileDescriptor):
    """A descriptor that is watched for reading."""

    def __init__(self, reactor, fd, on_read):
        super().__init__(reactor)
        self.fd, self.on_read, self.reasons = fd, on_read, []

    def fileno(self):
        return self.fd

    def doRead(self):
        return self.on_read(self)

    def connectionLost(self, reason):
        super().connectionLost(reason)
        self.reasons.append(reason)


def test_a_regular_file_is_always_ready(reactor, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(100))
    reads = []

    def on_read(watched):
        reads.append(os.read(watched.fd, 10))
        if not reads[-1]:
            reactor.removeReader(watched)
            reactor.stop()

    with path.open("rb", buffering=0) as file:
        watched = Watched(reactor, file.fileno(), on_read)
        reactor.addReader(watched)
        assert reactor.getReaders().count(watched) == 1
        run(reactor)
    assert b"".join(reads) == bytes(100)


def test_whoever_fails_is_ended_and_logged():
    code = """
        import os, sys
        from twisted.internet.abstract import FileDescriptor
        from twisted.python import log
        from pyuv.twisted import UVReactor

        class Fails(FileDescriptor):
            def fileno(self):
                return fd
            def doRead(self):
                raise LookupError("no")
            def connectionLost(self, reason):
                super().connectionLost(reason)
                print(reason.type.__name__, self in reactor.getReaders())
                reactor.callLater(0, reactor.stop)

        def observe(event):
            if event["isError"]:
                print("logged", event["failure"].type.__name__)

        log.addObserver(observe)
        reactor = UVReactor()
        fd, other = os.pipe()
        os.write(other, b"x")
        reactor.addReader(Fails(reactor))
        reactor.run()
    """
    assert in_child(code) == ["logged LookupError", "LookupError False"]


def test_a_descriptor_that_is_closed_too_early_is_forgotten(reactor):
    fd, other = os.pipe()
    watched = Watched(reactor, fd, print)
    reactor.addReader(watched)

    def close():
        os.close(fd)
        watched.fd = -1
        reactor.removeReader(watched)
        assert watched not in reactor.getReaders()
        reactor.callLater(0, reactor.stop)

    reactor.callLater(0, close)
    run(reactor)
    os.close(other)


def test_remove_all_leaves_what_is_the_reactor_s_own(reactor):
    pairs = [os.pipe() for _ in range(3)]
    kept = reactor.getReaders()
    watched = [Watched(reactor, fd, print) for fd, _ in pairs]
    for one in watched:
        reactor.addReader(one)
        reactor.addReader(one)
        reactor.removeWriter(one)
    assert set(reactor.removeAll()) == set(watched)
    assert reactor.getReaders() == kept
    assert reactor.getWriters() == []
    for pair in pairs:
        for fd in pair:
            os.close(fd)


def test_calls_come_in_their_order_and_no_sooner(reactor):
    called, begin = [], time.monotonic()

    def note(delay):
        assert time.monotonic() - begin >= delay - 0.001
        called.append(delay)

    for delay in (0.03, 0.0, 0.2, 0.0005, 0.1):
        reactor.callLater(delay, note, delay)
    reactor.callLater(0.25, reactor.stop)
    run(reactor)
    assert called == [0.0, 0.0005, 0.03, 0.1, 0.2]


def test_threads_wake_it(reactor):
    told = []

    def from_thread():
        for number in range(100):
            reactor.callFromThread(told.append, number)
        reactor.callFromThread(reactor.stop)

    reactor.callWhenRunning(threading.Timer(0.05, from_thread).start)
    begin = time.monotonic()
    run(reactor)
    assert told == list(range(100))
    assert time.monotonic() - begin < 10


def test_nobody_is_busy_while_nothing_happens(reactor):
    turns = []
    iterate = reactor.doIteration
    reactor.doIteration = lambda delay: (turns.append(delay), iterate(delay))
    reactor.callLater(0.5, reactor.stop)
    run(reactor)
    assert len(turns) < 20


def test_a_turn_by_hand(reactor):
    begin = time.monotonic()
    reactor.iterate(0.05)
    assert time.monotonic() - begin >= 0.049
    reactor.iterate()


def test_handles_of_pyuv_live_on_the_same_loop(reactor, tmp_path):
    told = []

    def tell(what):
        told.append(what)
        if len(told) == 2:
            reactor.callLater(0, reactor.stop)

    def ring(timer):
        timer.close()
        tell("timer")

    def begin():
        pyuv.Timer(reactor.uv).start(ring, 0.01, 0)
        pyuv.fs.stat(reactor.uv, str(tmp_path), callback=lambda request: tell(request.error))

    reactor.callWhenRunning(begin)
    run(reactor)
    assert sorted(told, key=str) == [None, "timer"]


def test_datagrams(reactor):
    received = []

    class Answers(protocol.DatagramProtocol):
        def datagramReceived(self, data, address):
            self.transport.write(data.upper(), address)

    class Asks(protocol.DatagramProtocol):
        def startProtocol(self):
            self.transport.write(b"text", ("127.0.0.1", port.getHost().port))

        def datagramReceived(self, data, address):
            received.append(data)
            reactor.stop()

    port = reactor.listenUDP(0, Answers(), interface="127.0.0.1")
    reactor.listenUDP(0, Asks(), interface="127.0.0.1")
    run(reactor)
    assert received == [b"TEXT"]


def test_processes():
    code = """
        import sys
        import pyuv.twisted
        reactor = pyuv.twisted.install()
        from twisted.internet import protocol

        class Child(protocol.ProcessProtocol):
            def connectionMade(self):
                self.transport.write(b"text" * 100_000)
                self.transport.closeStdin()
            def outReceived(self, data):
                received.append(data)
            def processEnded(self, reason):
                print(len(b"".join(received)), reason.value.exitCode)
                reactor.stop()

        received = []
        reactor.spawnProcess(Child(), "cat", ["cat"], env=None)
        reactor.run()
    """
    assert in_child(code) == ["400000 0"]


@pytest.mark.parametrize("installs", [True, False])
def test_ctrl_c_is_heard_while_it_sleeps(installs):
    code = """
        import signal, sys, time
        import pyuv.twisted
        reactor = pyuv.twisted.install()
        if sys.argv[1] == "False":
            signal.signal(signal.SIGINT, lambda number, frame: reactor.callFromThread(reactor.stop))
        reactor.callWhenRunning(print, "running", flush=True)
        reactor.run(installSignalHandlers=sys.argv[1] == "True")
        print("stopped")
    """
    child = start_child(code, str(installs))
    assert child.stdout.readline() == "running\n"
    time.sleep(0.1)
    begin = time.monotonic()
    child.send_signal(signal.SIGINT)
    assert finish(child)[:1] == ["stopped"]
    assert time.monotonic() - begin < 5


def test_many_reactors_leave_no_descriptor():
    def one():
        with a_reactor() as reactor:
            reactor.callLater(0, reactor.stop)
            run(reactor)

    one()
    before = open_fds()
    for _ in range(10):
        one()
    assert open_fds() == before


@defer.inlineCallbacks
def _sleeps(reactor, seconds):
    for _ in range(3):
        waited = defer.Deferred()
        reactor.callLater(seconds, waited.callback, seconds)
        assert (yield waited) == seconds
    reactor.stop()


def test_coroutines_of_deferreds(reactor):
    begin = time.monotonic()
    reactor.callWhenRunning(_sleeps, reactor, 0.01)
    run(reactor)
    assert time.monotonic() - begin >= 0.029
