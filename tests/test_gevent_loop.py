"""pyuv.gevent: the loop of a hub, in programs of their own."""

import os
import signal
import time

import pytest

from util import finish, in_child, start_child

ENVIRONMENT = os.environ | {"GEVENT_LOOP": "pyuv.gevent.loop"}
PATCHED = "from gevent import monkey; monkey.patch_all()\n"


def run(code, *arguments, **options):
    """What a program prints whose hub is on pyuv."""
    return in_child(code, *arguments, env=ENVIRONMENT, **options)


def test_it_is_imported_by_nothing_else():
    code = """
        import sys, pyuv, pyuv.dns, pyuv.fs, pyuv.util
        print("gevent" in sys.modules, "pyuv.gevent" in sys.modules)
        import pyuv.gevent
        print("pyuv.asyncio" in sys.modules)
    """
    assert in_child(code) == ["False False", "False"]


def test_a_hub_runs_on_it():
    code = """
        import gevent, gevent.core, pyuv.gevent
        loop = gevent.get_hub().loop
        print(isinstance(loop, pyuv.gevent.loop), loop.default, type(loop.uv).__name__)
        print(gevent.core.loop is pyuv.gevent.loop, gevent.core.READ, gevent.core.WRITE)
        print(gevent.core.get_version().startswith("pyuv-"))
    """
    assert run(code) == ["True True Loop", "True 1 2", "True"]


def test_servers_and_clients_by_the_hundred():
    code = """
        import os
        import gevent
        from gevent import socket
        from gevent.server import StreamServer

        def echo(peer, address):
            while data := peer.recv(65536):
                peer.sendall(data)

        def ask(size):
            message = os.urandom(size)
            with socket.create_connection(server.address) as peer:
                gevent.spawn(peer.sendall, message)
                received = bytearray()
                while len(received) < size:
                    received += peer.recv(65536)
            return bytes(received) == message

        server = StreamServer(("127.0.0.1", 0), echo, backlog=300)
        server.start()
        asked = [gevent.spawn(ask, size) for size in [1, 1000, 300_000] * 70]
        gevent.joinall(asked, timeout=30)
        print(sum(one.value is True for one in asked))
    """
    assert run(code) == ["210"]


def test_several_watch_one_descriptor():
    code = """
        import os, socket
        from pyuv.gevent import loop as Loop
        loop = Loop()
        ours, theirs = socket.socketpair()
        told = []
        first, second = loop.io(ours.fileno(), 1), loop.io(ours.fileno(), 1)
        both, writes = loop.io(ours.fileno(), 3), loop.io(ours.fileno(), 2)
        first.start(told.append, "first")
        second.start(told.append, "second")
        both.start(told.append, "both")
        writes.start(lambda events: told.append(f"writes {events}"), pass_events=True)
        loop.run(once=True)
        print(sorted(told)); told.clear()
        writes.stop()
        both.stop()
        loop.run(nowait=True)
        print(told)
        theirs.send(b"x")
        loop.run(once=True)
        print(sorted(told)); told.clear()
        first.stop()
        loop.run(once=True)
        print(told)
        second.stop()
        loop.run()
        print(loop.activecnt)
    """
    assert run(code) == ["['both', 'writes 2']", "[]", "['first', 'second']", "['second']", "0"]


def test_a_number_that_comes_again_is_watched_anew():
    code = """
        import os
        from pyuv.gevent import loop as Loop
        loop = Loop()
        told = []
        for number in range(20):
            reading, writing = os.pipe()
            watcher = loop.io(reading, 1)
            watcher.start(told.append, number)
            loop.run(nowait=True)
            os.write(writing, b"x")
            loop.run(once=True)
            watcher.stop()
            os.close(reading)
            os.close(writing)
        print(told == list(range(20)))
    """
    assert run(code) == ["True"]


def test_a_regular_file_is_always_ready(tmp_path):
    (tmp_path / "file").write_text("text")
    code = """
        import os, sys
        from pyuv.gevent import loop as Loop
        loop = Loop()
        fd = os.open(sys.argv[1], os.O_RDONLY)
        watcher, told = loop.io(fd, 1), []

        def read():
            told.append(os.read(fd, 2))
            if not told[-1]:
                watcher.stop()

        watcher.start(read)
        loop.run()
        print(told)
    """
    assert run(code, str(tmp_path / "file")) == ["[b'te', b'xt', b'']"]


def test_timers():
    code = """
        import time
        from pyuv.gevent import loop as Loop
        loop = Loop()
        told, begin = [], time.monotonic()

        def note(name, least):
            assert time.monotonic() - begin >= least - 0.001
            told.append(name)

        timers = [loop.timer(after) for after in (0.05, 0.0, 0.02)]
        for timer, after in zip(timers, (0.05, 0.0, 0.02)):
            timer.start(note, after, after)
        stopped = loop.timer(0.01)
        stopped.start(told.append, "stopped")
        stopped.stop()
        repeats, count = loop.timer(0.01, repeat=0.01), []

        def again():
            count.append(1)
            if len(count) == 3:
                repeats.stop()

        repeats.start(again)
        loop.run()
        print(told, len(count), time.monotonic() - begin < 5)
        print([timer.active for timer in timers], timers[0].callback, loop.activecnt)
        restarted = loop.timer(0.001)
        left = [3]

        def restart():
            left[0] -= 1
            if left[0]:
                restarted.start(restart)

        restarted.start(restart)
        loop.run()
        print(left)
        unreferenced = loop.timer(100, ref=False)
        unreferenced.start(print)
        loop.run()
        for _ in range(1000):
            loop.timer(100).start(print)
        print(loop.activecnt)
    """
    assert run(code) == ["[0.0, 0.02, 0.05] 3 True", "[False, False, False] None 0", "[0]", "1000"]


def test_who_is_first():
    code = """
        from pyuv.gevent import loop as Loop
        loop = Loop()
        told = []
        for priority in (-1, 2, 0):
            watcher = loop.timer(0, priority=priority)
            watcher.start(told.append, priority)
        prepare, check, idle = loop.prepare(), loop.check(), loop.idle()
        prepare.start(told.append, "prepare")
        check.start(told.append, "check")
        loop.run_callback(told.append, "callback")
        loop.run(once=True)
        print(told); told.clear()
        prepare.stop(); check.stop()
        idle.start(told.append, "idle")
        loop.run(nowait=True)
        print(told, idle.active)
        try:
            idle.priority = 1
        except AttributeError as error:
            print(error)
    """
    assert run(code) == [
        "['prepare', 'callback', 2, 0, 'check', -1]",
        "['idle'] True",
        "Cannot set priority of an active watcher",
    ]


def test_callbacks_that_never_end_keep_nobody_waiting():
    code = """
        import time
        from pyuv.gevent import loop as Loop
        loop = Loop()
        end = time.monotonic() + 20

        def again():
            if timer.active:
                loop.run_callback(again)

        timer = loop.timer(0.05)
        timer.start(lambda: None)
        loop.run_callback(again)
        loop.run()
        print(time.monotonic() < end, timer.active)
    """
    assert run(code) == ["True False"]


def test_what_a_callback_raises_goes_to_the_hub_and_all_goes_on():
    code = """
        import gevent
        loop = gevent.get_hub().loop
        told = []

        def handle_error(context, type, value, traceback):
            told.append((type.__name__, str(value)))

        gevent.get_hub().handle_error = handle_error

        def fails(name):
            raise LookupError(name)

        timer = loop.timer(0.01)
        timer.start(fails, "timer")
        loop.run_callback(fails, "callback")
        gevent.sleep(0.05)
        print(told, timer.active)
    """
    assert run(code) == ["[('LookupError', 'callback'), ('LookupError', 'timer')] False"]


def test_greenlets_switch_in_every_kind_of_event():
    code = """
        import os, signal, socket
        import gevent
        from gevent.event import Event
        hub = gevent.get_hub()
        loop = hub.loop
        counts = {}

        def waits(name, make, happens):
            for _ in range(ROUNDS):
                with make() as watcher:
                    happens(watcher)
                    hub.wait(watcher)
                counts[name] = counts.get(name, 0) + 1

        ROUNDS = 1500
        ours, theirs = socket.socketpair()
        jobs = [
            gevent.spawn(waits, "io", lambda: loop.io(ours.fileno(), 2), lambda _: None),
            gevent.spawn(waits, "timer", lambda: loop.timer(0), lambda _: None),
            gevent.spawn(waits, "again", lambda: loop.timer(0.0001), lambda _: None),
            gevent.spawn(waits, "check", loop.check, lambda _: None),
            gevent.spawn(waits, "prepare", loop.prepare, lambda _: None),
            gevent.spawn(waits, "async", loop.async_, lambda watcher: gevent.spawn(watcher.send)),
            gevent.spawn(
                waits,
                "signal",
                lambda: loop.signal(signal.SIGUSR1),
                lambda _: gevent.spawn(os.kill, os.getpid(), signal.SIGUSR1),
            ),
        ]
        gevent.joinall(jobs, timeout=40)
        print(sum(counts.values()), len(counts))
    """
    assert run(code) == ["10500 7"]


def test_threads_have_hubs_of_their_own_and_wake_each_other():
    code = """
        import threading, time
        import gevent
        from gevent.event import Event
        hub, told, event = gevent.get_hub(), [], Event()

        def other():
            mine = gevent.get_hub()
            gevent.sleep(0.05)
            told.append((mine is not hub, mine.loop.default))
            hub.loop.run_callback_threadsafe(event.set)
            mine.destroy(destroy_loop=True)

        thread = threading.Thread(target=other)
        thread.start()
        begin = time.monotonic()
        event.wait(10)
        print(told, time.monotonic() - begin < 5)
        thread.join()
        print(hub.threadpool.apply(lambda: threading.current_thread() is threading.main_thread()))
    """
    assert run(code) == ["[(True, False)] True", "False"]


@pytest.mark.parametrize("patched", ["", PATCHED])
def test_ctrl_c_is_heard_at_once(patched):
    code = f"""{patched}
import gevent, time
print("sleeping", flush=True)
try:
    gevent.sleep(100)
except KeyboardInterrupt:
    print("interrupted")
"""
    child = start_child(code, env=ENVIRONMENT)
    assert child.stdout.readline() == "sleeping\n"
    time.sleep(0.1)
    begin = time.monotonic()
    child.send_signal(signal.SIGINT)
    assert finish(child) == ["interrupted"]
    assert time.monotonic() - begin < 5


def test_signal_watchers():
    code = """
        import os, signal, time
        import gevent
        told = []
        handler = gevent.signal_handler(signal.SIGUSR2, told.append, "signal")
        begin = time.monotonic()
        os.kill(os.getpid(), signal.SIGUSR2)
        while not told:
            gevent.sleep(0.001)
        print(told, time.monotonic() - begin < 5)
        handler.cancel()
        print(signal.getsignal(signal.SIGUSR2) is signal.SIG_DFL)
    """
    assert run(code) == ["['signal'] True", "True"]


def test_children_are_waited_for_and_those_of_others_are_not():
    code = """
        import os
        foreign = os.posix_spawn("/bin/sh", ["sh", "-c", "exit 5"], os.environ)
        import gevent
        from gevent import subprocess
        print(subprocess.run(["sh", "-c", "cat; exit 3"], input=b"text", capture_output=True))
        many = [gevent.spawn(subprocess.call, ["sh", "-c", f"exit {n}"]) for n in range(30)]
        gevent.joinall(many, timeout=30)
        print([one.value for one in many] == list(range(30)))
        pid = gevent.os.fork_and_watch()
        if not pid:
            gevent.sleep(0.01)
            os._exit(7)
        print(os.waitstatus_to_exitcode(gevent.os.waitpid(pid, 0)[1]))
        print(os.waitstatus_to_exitcode(os.waitpid(foreign, 0)[1]))
    """
    assert run(code) == [
        "CompletedProcess(args=['sh', '-c', 'cat; exit 3'], returncode=3, stdout=b'text', stderr=b'')",
        "True",
        "7",
        "5",
    ]


def test_a_fork_is_noticed():
    code = """
        import os
        import gevent
        from gevent import socket as gevent_socket
        hub, told = gevent.get_hub(), []
        watcher = hub.loop.fork(ref=False)
        watcher.start(told.append, "fork")
        ours, theirs = gevent_socket.socketpair()
        reader = gevent.spawn(ours.recv, 10)
        gevent.sleep(0.01)
        pid = os.fork()
        if not pid:
            gevent.sleep(0.01)
            theirs.send(b"child")
            status = 0 if (reader.get(timeout=10), told) == (b"child", ["fork"]) else 1
            os._exit(status)
        print(os.waitpid(pid, 0)[1], told)
    """
    assert run(code) == ["0 []"]


def test_nobody_is_busy_while_all_sleep():
    code = """
        import time
        import gevent
        gevent.sleep(0.01)
        before = time.process_time()
        gevent.sleep(1)
        print(time.process_time() - before < 0.1)
    """
    assert run(code) == ["True"]


def test_a_loop_that_is_destroyed_leaves_nothing():
    code = """
        import gc, os, time
        import pyuv
        from pyuv.gevent import loop as Loop

        def one():
            loop = Loop()
            reading, writing = os.pipe()
            watchers = [loop.io(reading, 1), loop.timer(100), loop.async_(), loop.signal(10), loop.stat("/")]
            for watcher in watchers:
                watcher.start(print)
            loop.run(nowait=True)
            print(loop.destroy(), loop.destroy(), loop.ptr, loop.default)
            os.close(reading)
            os.close(writing)
            for refused in loop.run, loop.now, loop.idle, lambda: loop.run_callback(print):
                try:
                    refused()
                except ValueError as error:
                    assert "destroyed" in str(error)
                else:
                    raise AssertionError(refused)

        def count():
            # What the pool was at work for goes when there is the next loop.
            gc.collect()
            pyuv.Loop().close()
            return len(os.listdir("/proc/self/fd"))

        one()
        time.sleep(0.2)
        before = count()
        for _ in range(3):
            one()
        end = time.monotonic() + 20
        while count() > before and time.monotonic() < end:
            time.sleep(0.01)
        print(count() == before)
    """
    assert run(code) == ["True None None False"] * 4 + ["True"]


def test_what_is_wrong_is_refused():
    code = """
        import os
        from pyuv.gevent import loop as Loop
        loop = Loop()
        wrong = [
            lambda: loop.io(-1, 1),
            lambda: loop.io(0, 4),
            lambda: loop.io(999, 1),
            lambda: loop.timer(1, repeat=-1),
            lambda: loop.signal(0),
            lambda: loop.signal(1000),
            lambda: loop.timer(1).start(None),
            lambda: loop.timer(1).start(5),
            lambda: Loop(default=False).child(1),
        ]
        for function in wrong:
            try:
                function()
            except (OSError, TypeError, ValueError) as error:
                print(type(error).__name__)
    """
    assert run(code) == [*["ValueError"] * 2, "OSError", *["ValueError"] * 3, *["TypeError"] * 3]
