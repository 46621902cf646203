"""Do loops, handles and channels give back what they took? `python benches/leak.py`

Each scenario runs in a process of its own and repeats one life many times. Afterwards the process
has as many file descriptors as before, and its resident size has grown by at most 1 MiB between the
second and the last tenth of the run (the first may fill pools). Prints a table; the exit status is 1
when a limit is broken, 2 when a scenario fails.

Standard library only, so that the tests can run a smaller version: `--divide 100`.
"""

import argparse
import gc
import itertools
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

LIMIT_KIB = 1024
TENTHS = 10

Life = Callable[[], None]


@contextmanager
def loops() -> Iterator[Life]:
    """A loop made, run and closed."""
    import pyuv

    def life() -> None:
        loop = pyuv.Loop()
        pyuv.Timer(loop).start(ignore, 0, 0)
        loop.run()
        loop.close()

    yield life


@contextmanager
def handles() -> Iterator[Life]:
    """One handle of each kind made, started and closed on one loop."""
    import pyuv

    loop = pyuv.Loop()
    near, far = socket.socketpair()

    def life() -> None:
        timer, idle, prepare = pyuv.Timer(loop), pyuv.Idle(loop), pyuv.Prepare(loop)
        check, sender, poll = pyuv.Check(loop), pyuv.Async(loop, ignore), pyuv.Poll(loop, near.fileno())
        timer.start(ignore, 1, 0)
        idle.start(ignore)
        prepare.start(ignore)
        check.start(ignore)
        sender.send()
        poll.start(pyuv.UV_READABLE, ignore)
        for handle in (timer, idle, prepare, check, sender, poll):
            handle.close(ignore)
        loop.run()

    with near, far:
        yield life
    loop.close()


@contextmanager
def signals() -> Iterator[Life]:
    """A signal handle made, started and closed on one loop."""
    import signal

    import pyuv

    loop = pyuv.Loop()

    def life() -> None:
        watcher = pyuv.Signal(loop)
        watcher.start(ignore, signal.SIGUSR2)
        watcher.close(ignore)
        loop.run()

    yield life
    loop.close()


@contextmanager
def dropped_handles() -> Iterator[Life]:
    """Handles that lose their last reference, inactive and never closed, on one loop."""
    import pyuv

    loop = pyuv.Loop()

    def life() -> None:
        for kind in (pyuv.Timer, pyuv.Idle, pyuv.Prepare, pyuv.Check):  # an Async is always active
            kind(loop)
        loop.run(pyuv.UV_RUN_NOWAIT)

    yield life
    loop.close()


@contextmanager
def channels() -> Iterator[Life]:
    """A channel made, asked, and closed with the query in flight."""
    import pyuv
    import pyuv.dns

    loop = pyuv.Loop()

    def life() -> None:
        channel = pyuv.dns.Channel(loop, servers=[server], timeout=5, tries=1)
        channel.query("name.test", "A", ignore)
        channel.close()
        loop.run()

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:  # a server that never answers
        silent.bind(("127.0.0.1", 0))
        server = f"127.0.0.1:{silent.getsockname()[1]}"
        yield life
    loop.close()


@contextmanager
def abandoned_loops() -> Iterator[Life]:
    """A loop dropped with an active Timer and an active Poll, never closed."""
    import pyuv

    near, far = socket.socketpair()
    lives = itertools.count(1)

    def life() -> None:
        if next(lives) % 100 == 0:  # only the collector ends these: let few wait for it
            gc.collect()
        loop = pyuv.Loop()
        pyuv.Timer(loop).start(ignore, 1000, 0)
        pyuv.Poll(loop, near.fileno()).start(pyuv.UV_READABLE, ignore)
        loop.run(pyuv.UV_RUN_NOWAIT)

    with near, far:
        yield life


@contextmanager
def processes() -> Iterator[Life]:
    """A program run to its end, and one that is missing, on one loop."""
    import pyuv

    loop = pyuv.Loop()
    stdio = [pyuv.StdIO(), pyuv.StdIO(fd=2, flags=pyuv.UV_INHERIT_FD)]

    def life() -> None:
        pyuv.Process.spawn(loop, "true", stdio=stdio, exit_callback=ignore)
        try:
            pyuv.Process.spawn(loop, "/no/such/program", stdio=stdio)
        except pyuv.error.ProcessError:
            loop.run()

    yield life
    loop.close()


@contextmanager
def connections() -> Iterator[Life]:
    """A TCP connection made, a message each way, ended by a reset; client and server on one loop."""
    import pyuv

    loop = pyuv.Loop()

    def accepted(server: Any, error: int | None) -> None:
        peer = pyuv.TCP(loop)
        server.accept(peer)
        peer.start_read(echo)

    def echo(peer: Any, data: bytes | None, error: int | None) -> None:
        if data is None:
            peer.close()
        else:
            peer.write(data)

    def connected(client: Any, error: int | None) -> None:
        client.write(b"hello")
        client.start_read(reset)

    def reset(client: Any, data: bytes | None, error: int | None) -> None:
        client.close_reset()
        loop.stop()

    server = pyuv.TCP(loop)
    server.bind(("127.0.0.1", 0))
    server.listen(accepted)
    address = server.getsockname()

    def life() -> None:
        pyuv.TCP(loop).connect(address, connected)
        loop.run()

    yield life
    server.close()
    loop.run()
    loop.close()


@contextmanager
def timers() -> Iterator[Life]:
    """A timer made, gone off and closed on one loop."""
    import pyuv

    loop = pyuv.Loop()

    def life() -> None:
        timer = pyuv.Timer(loop)
        timer.start(pyuv.Timer.close, 0, 0)
        loop.run()

    yield life
    loop.close()


def ignore(*arguments: Any) -> None:
    pass


SCENARIOS: dict[str, tuple[Callable[[], Any], int]] = {
    "loops": (loops, 100_000),
    "handles": (handles, 100_000),
    "signals": (signals, 100_000),
    "dropped-handles": (dropped_handles, 100_000),
    "channels": (channels, 100_000),
    "abandoned-loops": (abandoned_loops, 10_000),
    "processes": (processes, 10_000),
    "connections": (connections, 500_000),
    "timers": (timers, 1_000_000),
}


def live(name: str, count: int) -> dict[str, Any]:
    """Runs one scenario in this process."""
    scenario = SCENARIOS[name][0]
    resident = []
    with scenario() as life:
        for _ in range(max(1, count // 100)):  # what is made once (threads, pipes) is made here
            life()
        gc.collect()
        before = descriptors()
        for tenth in range(TENTHS):
            for _ in range(tenth * count // TENTHS, (tenth + 1) * count // TENTHS):
                life()
            gc.collect()
            resident.append(resident_kib())
        after = descriptors()
    return {"count": count, "descriptors": [before, after], "resident_kib": resident}


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def resident_kib() -> int:
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * (os.sysconf("SC_PAGE_SIZE") // 1024)


def judge(name: str, count: int) -> int:
    """Runs one scenario in a process of its own and prints its row; gives the exit status."""
    command = [sys.executable, __file__, "--live", name, str(count)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        print(f"{name:16} {count:>8,}  failed: {last[:200]}", flush=True)
        return 2
    read = json.loads(done.stdout)
    before, after = read["descriptors"]
    second, last_tenth = read["resident_kib"][1], read["resident_kib"][-1]
    growth = last_tenth - second
    held = after == before and growth <= LIMIT_KIB
    figures = f"{before:>5} {after:>5}  {second:>9,} {last_tenth:>9,} {growth:>+8,}"
    print(f"{name:16} {count:>8,}  {figures}  {'holds' if held else 'BROKEN'}", flush=True)
    return 0 if held else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenarios", nargs="*", help=f"which of {', '.join(SCENARIOS)}; all by default")
    parser.add_argument("--divide", type=int, default=1, help="repeat so many times less often")
    parser.add_argument("--live", nargs=2, metavar=("NAME", "COUNT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    unknown = set(options.scenarios) - set(SCENARIOS)
    if unknown:
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    if options.live:
        name, count = options.live
        print(json.dumps(live(name, int(count))))
        return 0
    print(f"{'scenario':16} {'lives':>8}  {'fds':>5} {'after':>5}  {'RSS KiB':>9} {'last':>9} {'growth':>8}")
    chosen = options.scenarios or list(SCENARIOS)
    return max(judge(name, max(TENTHS, SCENARIOS[name][1] // options.divide)) for name in chosen)


if __name__ == "__main__":
    sys.exit(main())
