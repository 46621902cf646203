"""A pyuv loop inside other event loops, as docs/embedding.md has it: Qt's, Tk's and the page's own."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing

import pytest
import pyuv
from callbacks import KINDS, THREADS, Place
from display import display
from hosts import QT, TK, Any, Qt, Tk
from pyuv import fs
from serverprocess import READY_WITHIN
from streams import LOCALHOST, listener

from util import Recorder

pytest_plugins = ["channel_fixtures"]

# Where something does not come, a test ends and fails.
PATIENCE = 20.0
# For how long it is counted what an idle loop does.
IDLE = 0.3
A_FEW = 5
# What is called in each round, and is no reason for one.
WITH_A_ROUND = {"prepare", "check"}


@pytest.fixture(scope="session")
def screen():
    """DISPLAY, for Tk."""
    with display() as name, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DISPLAY", name)
        yield name


@pytest.fixture(scope="session")
def qt():
    pytest.importorskip("PySide6", reason="PySide6 is installed for Python 3.13 alone")
    return Qt()


@pytest.fixture(scope="session")
def tk(request):
    pytest.importorskip("tkinter", reason="this Python is without tkinter")
    request.getfixturevalue("screen")
    host = Tk()
    yield host
    host.root.destroy()


@pytest.fixture(scope="session")
def any_host():
    host = Any()
    yield host
    host.host.descriptors.close()


@pytest.fixture(scope="session", params=["qt", "tk", "any_host"])
def host(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["qt", "tk"])
def window_host(request):
    return request.getfixturevalue(request.param)


class CountingLoop(pyuv.Loop):
    rounds = 0

    def run(self, mode=pyuv.UV_RUN_DEFAULT):
        self.rounds += 1
        return super().run(mode)


@pytest.fixture
def loop():
    unexpected = Recorder()
    with CountingLoop() as loop:
        loop.excepthook = unexpected
        yield loop
    assert [error for _, error, _ in unexpected.calls] == []


@pytest.fixture
def embedded(host, loop):
    with closing(host.embed(loop)) as embedded:
        yield embedded


@pytest.fixture
def run(host):
    """Runs the host until it is stopped, which has to happen in time."""

    def run():
        def late():
            if not over:
                over.append("late")
                host.stop()

        over = []
        host.later(PATIENCE, late)
        host.run()
        assert not over, "the host was not stopped"
        over.append("in time")

    return run


@pytest.fixture
def idle(host, loop, run):
    """Runs the host for a while; how many rounds of pyuv's loop that took."""

    def idle(seconds=IDLE):
        before = loop.rounds
        host.later(seconds, host.stop)
        run()
        return loop.rounds - before

    return idle


def every(host, seconds, callback):
    """Has the host call back again and again while this is true."""

    def again():
        if callback():
            host.later(seconds, again)

    host.later(seconds, again)


def test_all_of_it_goes_on_beside_the_host_s_timers(host, loop, embedded, run, make_channel, tmp_path):
    data = os.urandom(1 << 20)
    missing = {"timer", "echo", "file", "name", "work"}
    ticks, echoed = [], bytearray()

    def tick():
        ticks.append(None)
        if missing or len(ticks) < 10:
            return True
        host.stop()
        return False

    def on_connection(server, error):
        peer = pyuv.TCP(loop)
        server.accept(peer)
        peer.start_read(lambda peer, data, error: peer.write(data) if error is None else peer.close())
        server.close()

    def on_data(client, part, error):
        echoed.extend(part)
        if len(echoed) == len(data):
            missing.discard("echo")
            client.close()

    def on_timer(timer):
        beats.append(None)
        if len(beats) == 10:
            missing.discard("timer")
            timer.close()

    beats = []
    pyuv.Timer(loop).start(on_timer, 0.01, 0.01)
    server, client = listener(loop, on_connection), pyuv.TCP(loop)
    client.connect(server.getsockname(), lambda client, error: client.write(data))
    client.start_read(on_data)
    path, read = tmp_path / "file", []

    def on_written(request):
        fs.read_file(loop, path, callback=on_read)

    def on_read(request):
        read.append(request.result)
        missing.discard("file")

    fs.write_file(loop, path, data, callback=on_written)
    answers = []

    def on_answer(result, error):
        answers.append((result.answer[0].data.addr, error))
        missing.discard("name")

    make_channel().query("example.com", "A", on_answer)
    loop.queue_work(lambda: time.sleep(0.05), lambda error: missing.discard("work"))
    host.started(embedded)
    every(host, 0.005, tick)
    run()
    assert bytes(echoed) == data
    assert read == [data]
    assert answers == [("192.0.2.1", None)]
    assert len(beats) == 10


def test_what_a_callback_of_the_host_s_starts_is_called(host, run, dns_server, tmp_path):
    """Each kind of callback, and no timer of the host's has pyuv's loop looked at."""

    def comes(kind, folder):
        def on_host_s_callback():
            KINDS[kind][1](loop, on_callback, place)
            host.started(embedded)

        def on_callback(*arguments):
            calls.append(arguments)
            host.stop()

        def make_channel(**options):
            return pyuv.dns.Channel(loop, **{"servers": [dns_server.address]} | options)

        folder.mkdir()
        calls, place = [], Place(folder, make_channel)
        with place.stack, pyuv.Loop() as loop, closing(host.embed(loop)) as embedded:
            waiting = pyuv.Async(loop, lambda handle: None)
            host.later(0.01, on_host_s_callback)
            run()
        assert waiting.closed
        return {len(arguments) for arguments in calls}

    kinds = [kind for kind in KINDS if kind not in THREADS | WITH_A_ROUND]
    # The name of a socket has to be short.
    seen = [(kind, comes(kind, tmp_path / str(number))) for number, kind in enumerate(kinds)]
    assert seen == [(kind, {KINDS[kind][0]}) for kind in kinds]


def test_a_timer_that_a_callback_of_the_host_s_starts_is_not_early(host, loop, embedded, run, idle):
    def on_host_s_callback():
        started.append(time.monotonic())
        loop.update_time()
        pyuv.Timer(loop).start(on_timer, 0.1)
        host.started(embedded)

    def on_timer(timer):
        took.append(time.monotonic() - started[0])
        host.stop()

    started, took = [], []
    pyuv.Timer(loop).start(lambda timer: None, 60)
    host.started(embedded)
    host.later(0.2, on_host_s_callback)
    run()
    # The loop counts in milliseconds.
    assert 0.099 <= took[0] < PATIENCE / 2


def test_a_timer_is_not_put_off_while_the_host_is_armed_again_and_again(host, loop, embedded, run):
    def on_timer(timer):
        called.append(timer)
        host.stop()

    def arm():
        if called:
            return False
        host.started(embedded)
        return True

    called = []
    pyuv.Timer(loop).start(on_timer, 0.1)
    host.started(embedded)
    every(host, 0.01, arm)
    run()
    assert len(called) == 1


def test_a_loop_that_only_waits_costs_nothing(host, loop, embedded, idle):
    server = listener(loop, lambda server, error: None)
    pyuv.Timer(loop).start(lambda timer: None, 60)
    host.started(embedded)
    idle(0.05)
    busy = time.process_time()
    assert idle() <= A_FEW
    assert time.process_time() - busy < IDLE / 2
    assert not server.closed


def test_a_loop_with_nothing_referenced_left_costs_nothing(host, loop, embedded, run, idle):
    """Its descriptor is readable all the time."""
    received = Recorder(lambda *arguments: host.stop())
    udp = pyuv.UDP(loop)
    udp.bind(LOCALHOST)
    udp.start_recv(received)
    host.started(embedded)
    idle(0.05)
    udp.ref = False
    host.started(embedded)
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        sender.sendto(b"data", udp.getsockname()[:2])
    assert idle() <= A_FEW
    assert len(received) == 0
    udp.ref = True
    host.started(embedded)
    run()
    assert received.calls[0][3] == b"data"


def test_a_loop_that_never_sleeps_leaves_the_host_its_turns(host, loop, embedded, run):
    """Also those that it takes when nothing else is due, as Tk does to draw."""

    def tick():
        ticks.append(None)
        if len(ticks) < 10:
            host.later(0.001, lambda: host.at_leisure(tick))
        else:
            host.stop()

    called, ticks = Recorder(), []
    pyuv.Idle(loop).start(called)
    host.started(embedded)
    host.later(0.001, lambda: host.at_leisure(tick))
    run()
    assert len(called) >= len(ticks)


def test_a_loop_that_has_ended_goes_on_with_what_comes_next(host, loop, embedded, run, idle):
    for _ in range(2):
        timer = pyuv.Timer(loop)
        timer.start(lambda timer: timer.close(lambda timer: host.stop()), 0.01)
        host.started(embedded)
        run()
        assert not loop.alive
        assert idle(0.1) <= A_FEW


def test_another_thread_wakes_the_host(host, loop, embedded, run):
    def on_wake(handle):
        threads.append(threading.current_thread())
        host.stop()

    threads = []
    wake = pyuv.Async(loop, on_wake)
    host.started(embedded)
    sender = threading.Timer(0.05, wake.send)
    sender.start()
    run()
    sender.join()
    assert threads == [threading.main_thread()]


def test_what_a_callback_raises_goes_to_the_hook_and_the_host_goes_on(host, loop, embedded, run):
    def beat(timer):
        if len(raised) == 2:
            host.later(0, host.stop)
            timer.close()

    loop.excepthook = raised = Recorder()
    for _ in range(2):
        pyuv.Timer(loop).start(lambda timer: 1 / 0, 0.01)
    pyuv.Timer(loop).start(beat, 0.001, 0.001)
    host.started(embedded)
    run()
    assert [kind for kind, _, _ in raised.calls] == [ZeroDivisionError] * 2


def test_an_event_loop_in_a_callback_of_the_host_s_runs_pyuv_s_too(host, loop, embedded, run):
    def on_host_s_callback():
        before, until = len(beats), time.monotonic() + PATIENCE / 2
        while len(beats) < before + 3 and time.monotonic() < until:
            host.wait(0.05)
        inside.append(len(beats) - before)
        host.stop()

    inside, beats = [], Recorder()
    pyuv.Timer(loop).start(beats, 0.01, 0.01)
    host.started(embedded)
    host.later(0.01, on_host_s_callback)
    run()
    assert inside[0] >= 3


def test_an_event_loop_in_a_callback_of_pyuv_s_is_the_host_s_alone(host, loop, embedded, run):
    """It does not turn in circles for what is there for pyuv's, which goes on afterwards."""

    def on_timer(timer):
        with socket.socket(type=socket.SOCK_DGRAM) as sender:
            sender.sendto(b"data", udp.getsockname()[:2])
        pyuv.Timer(loop).start(lambda timer: host.stop(), 0.01)
        host.started(embedded)
        host.later(0.01, lambda: ticks.append(None))
        before, busy = loop.rounds, time.process_time()
        host.wait(IDLE)
        inside.append((loop.rounds - before, len(ticks), len(received)))
        assert time.process_time() - busy < IDLE / 2

    inside, ticks, received = [], [], Recorder()
    udp = pyuv.UDP(loop)
    udp.bind(LOCALHOST)
    udp.start_recv(received)
    pyuv.Timer(loop).start(on_timer, 0.01)
    host.started(embedded)
    run()
    assert inside == [(0, 1, 0)]
    assert received.calls[0][3] == b"data"


def test_the_host_ends_first(host, loop, run, idle, make_channel):
    channel = make_channel()
    closed, told = Recorder(), Recorder()
    with loop, closing(host.embed(loop)) as embedded:
        server = listener(loop, lambda server, error: None)
        client = pyuv.TCP(loop)
        client.connect(server.getsockname(), lambda client, error: None)
        pyuv.Timer(loop).start(lambda timer: None, 0.001, 0.001)
        channel.query("timeout.example.com", "A", told)
        host.started(embedded)
        host.later(0.05, host.stop)
        run()
        loop.queue_work(lambda: None, told)
        server.close(closed)
        assert len(closed) == len(told) == 0
    assert loop.closed
    assert channel.closed
    assert client.closed
    assert closed.calls == [(server,)]
    assert len(told) == 2
    # Nothing of it is left with the host.
    assert idle(0.05) == 0


def test_a_click_on_the_page_s_window_ends_the_host(window_host, loop):
    """Half a second later, however long the loop has been idle."""
    host = window_host

    def click():
        clicked.append(time.monotonic())
        host.click(window)

    clicked = []
    with loop, closing(host.embed(loop)) as embedded:
        window = host.window(embedded)
        host.later(0.2, click)
        host.run()
        assert time.monotonic() - clicked[0] >= 0.499
        assert host.text(window) == "bye"


def program(folder, code):
    """A program of the page, in a file."""
    path = folder / "window.py"
    path.write_text(code)
    return [sys.executable, "-X", "dev", "-W", "error", path]


@pytest.mark.parametrize(
    ("host", "environment"),
    [("qt", {}), ("qt", {"QT_NO_GLIB": "1"}), ("tk", {})],
    ids=["qt on glib", "qt without glib", "tk"],
)
def test_the_page_s_program_echoes_and_ctrl_c_ends_it(host, environment, request, tmp_path):
    request.getfixturevalue(host)
    code = {"qt": QT, "tk": TK}[host]
    data = bytes(range(256)) * 100
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(program(tmp_path, code), env=os.environ | environment, **pipes) as process:
        try:
            said = process.stdout.readline()
            if found := re.fullmatch(r"listening on port (\d+)\n", said):
                with socket.create_connection(("127.0.0.1", int(found[1])), PATIENCE) as peer:
                    peer.sendall(data)
                    with peer.makefile("rb") as back:
                        assert back.read(len(data)) == data
                process.send_signal(signal.SIGINT)
                process.wait(READY_WITHIN)
        finally:
            process.kill()
        complaints = process.stderr.read()
    assert found, f"it says {said!r}\n{complaints}"
    assert (process.returncode, complaints) == (0, "")


@pytest.mark.parametrize("name", ["tk", "any_host"])
def test_system_exit_leaves_the_host_s_loop(name, request):
    host, loop = request.getfixturevalue(name), request.getfixturevalue("loop")
    with loop, closing(host.embed(loop)) as embedded:
        pyuv.Timer(loop).start(lambda timer: sys.exit(3), 0.01)
        host.started(embedded)
        with pytest.raises(SystemExit):
            host.run()


RAISING = """
def interrupt(timer):
    timer.start(leave, 0.01)
    raise KeyboardInterrupt

def leave(timer):
    raise SystemExit(3)

application = QApplication([])
loop = pyuv.Loop()
embedded = Embedded(loop)
pyuv.Timer(loop).start(interrupt, 0.01)
application.exec()
print("not reached")
"""


def test_system_exit_ends_qt_s_process_and_a_keyboard_interrupt_is_printed(qt, tmp_path):
    code = QT.partition('if __name__ == "__main__":')[0] + RAISING
    done = subprocess.run(program(tmp_path, code), capture_output=True, text=True, timeout=READY_WITHIN)
    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1] == "KeyboardInterrupt"
