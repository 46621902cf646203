"""pyuv.trio: child processes, and the streams of their pipes."""

import os
import signal
import subprocess
import sys
import time
from functools import partial

import pytest
import trio
from pyuv.error import ProcessError
from pyuv.trio import open_process, run_process
from trioutil import run

from util import children, open_fds, wait_for

PIPES = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}


@pytest.fixture(autouse=True)
def _nothing_is_left():
    before = children()
    run(trio.lowlevel.checkpoint)
    fds = open_fds()
    yield
    assert children() == before
    assert open_fds() == fds


def python(code):
    return [sys.executable, "-S", "-c", code]


def test_what_a_program_writes_is_kept():
    async def main():
        code = (
            "import sys; data = sys.stdin.read(); print(data.upper(), end=''); print('no', file=sys.stderr)"
        )
        kept = await run_process(python(code), stdin=b"text", capture_stdout=True, capture_stderr=True)
        assert (kept.returncode, kept.stdout, kept.stderr) == (0, b"TEXT", b"no\n")
        assert kept.args[0] == sys.executable
        both = await run_process(
            "echo out; echo err >&2", shell=True, capture_stdout=True, stderr=subprocess.STDOUT
        )
        assert both.stdout == b"out\nerr\n"
        assert both.stderr is None

    run(main)


def test_much_goes_through_pipes_both_ways():
    data = os.urandom(3_000_000)

    async def main():
        assert (await run_process(["cat"], stdin=data, capture_stdout=True)).stdout == data

    run(main)


def test_a_program_that_does_not_read_is_no_error():
    async def main():
        assert (await run_process(["true"], stdin=bytes(1_000_000))).returncode == 0

    run(main)


def test_what_fails_is_raised():
    async def main():
        with pytest.raises(subprocess.CalledProcessError) as error:
            await run_process("echo some; exit 3", shell=True, capture_stdout=True)
        assert (error.value.returncode, error.value.stdout) == (3, b"some\n")
        assert (await run_process(["false"], check=False)).returncode == 1
        with pytest.raises(FileNotFoundError) as missing:
            await run_process(["/no/such/program"], capture_stdout=True)
        assert isinstance(missing.value, ProcessError)
        for wrong in ("true", b"true"):
            with pytest.raises(TypeError, match="list of arguments"):
                await open_process(wrong)
        with pytest.raises(TypeError, match="list of arguments"):
            await open_process(["true"], shell=True)
        with pytest.raises(ValueError, match="STDOUT is for stderr"):
            await open_process(["true"], stdout=subprocess.STDOUT)
        with pytest.raises(ValueError, match="captured"):
            await run_process(["true"], stdout=1, capture_stdout=True)

    run(main)


def test_a_conversation():
    async def main():
        process = await open_process(["cat"], **PIPES)
        async with process.stdin, process.stdout:
            for number in range(100):
                await process.stdin.send_all(b"%d\n" % number)
                assert await process.stdout.receive_some() == b"%d\n" % number
            await process.stdin.send_all(b"123456")
            received = b""
            while len(received) < 6:
                some = await process.stdout.receive_some(2)
                assert 1 <= len(some) <= 2
                received += some
            assert received == b"123456"
            assert process.returncode is None
            assert f"pid {process.pid}" in repr(process)
            await process.stdin.aclose()
            assert await process.stdout.receive_some() == b""
            assert await process.stdout.receive_some() == b""
        assert await process.wait() == 0
        assert process.poll() == 0
        process.kill()
        assert "exited with 0" in repr(process)

    run(main)


def test_signals_end_it():
    async def main():
        for end, status in (("terminate", -signal.SIGTERM), ("kill", -signal.SIGKILL)):
            process = await open_process(["sleep", "100"])
            async with trio.open_nursery() as nursery:
                for _ in range(3):
                    nursery.start_soon(process.wait)
                await trio.testing.wait_all_tasks_blocked()
                getattr(process, end)()
            assert process.returncode == status

    run(main)


def test_whoever_is_cancelled_ends_what_it_runs():
    async def main():
        begin = trio.current_time()
        with trio.move_on_after(0.1) as scope:
            await run_process("exec sleep 100", shell=True, capture_stdout=True)
        assert scope.cancelled_caught
        assert trio.current_time() - begin < 5

    run(main)


def test_a_program_that_is_fed_and_waits_for_the_end_is_ended_too():
    async def main():
        # It takes SIGTERM as no reason, and its input's end as one.
        code = (
            "import os, signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
            "os.write(1, b'on'); size = len(sys.stdin.buffer.read()); "
            "os.write(1, b'end %d' % (size < 9_000_000))"
        )
        read, write = os.pipe()
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(partial(run_process, python(code), stdin=bytes(9_000_000), stdout=write))
                await trio.lowlevel.wait_readable(read)
                assert os.read(read, 9) == b"on"
                scope.cancel()
        os.close(write)
        assert os.read(read, 9) == b"end 1"
        os.close(read)

    begin = time.monotonic()
    run(main)
    assert time.monotonic() - begin < 4


def test_a_child_s_number_stays():
    async def main():
        process = await open_process(["true"])
        number = process.pid
        await process.wait()
        assert process.pid == number > 0

    run(main)


def test_a_system_task_that_is_shielded_has_its_child_end():
    ended = []

    async def tidy():
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                ended.append(await run_process(["echo", "end"], capture_stdout=True))

    async def main():
        trio.lowlevel.spawn_system_task(tidy)
        await run_process(["true"])

    run(main)
    assert ended[0].stdout == b"end\n"


def test_a_task_that_waits_for_data_is_cancelled_and_loses_none():
    async def main():
        process = await open_process(["cat"], **PIPES)
        async with process.stdin, process.stdout:
            with trio.move_on_after(0.02) as scope:
                await process.stdout.receive_some()
            assert scope.cancelled_caught
            await process.stdin.send_all(b"later")
            assert await process.stdout.receive_some() == b"later"
        await process.wait()

    run(main)


def test_streams_are_one_task_s_and_end_with_who_closes_them():
    async def main():
        process = await open_process(["cat"], **PIPES)
        async with trio.open_nursery() as nursery:
            told = []

            async def receive():
                try:
                    await process.stdout.receive_some()
                except trio.ClosedResourceError:
                    told.append("closed")

            nursery.start_soon(receive)
            await trio.testing.wait_all_tasks_blocked()
            with pytest.raises(trio.BusyResourceError):
                await process.stdout.receive_some()
            with pytest.raises(ValueError, match="at least 1"):
                await process.stdout.receive_some(0)
            await process.stdout.aclose()
        assert told == ["closed"]
        for use in (process.stdout.receive_some, process.stdout.receive_some):
            with pytest.raises(trio.ClosedResourceError):
                await use()
        process.kill()
        await process.wait()
        with pytest.raises(trio.BrokenResourceError):
            await process.stdin.send_all(bytes(1_000_000))
        await process.stdin.aclose()
        with pytest.raises(trio.ClosedResourceError):
            await process.stdin.send_all(b"")

    run(main)


def test_a_pipe_that_is_full_holds_up_its_writer():
    async def main():
        process = await open_process(["sleep", "100"], **PIPES)
        with trio.move_on_after(0.05) as scope:
            await process.stdin.send_all(bytes(10_000_000))
        assert scope.cancelled_caught
        process.kill()
        await process.wait()
        await process.stdin.aclose()
        await process.stdout.aclose()

    run(main)


def test_a_child_goes_on_when_its_run_ends():
    async def main():
        process = await open_process(["sleep", "100"])
        return process.pid

    pid = run(main)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    wait_for(lambda: pid not in children())


def test_many_at_once():
    async def main():
        async def ask(number):
            kept = await run_process(["echo", str(number)], capture_stdout=True)
            assert kept.stdout == b"%d\n" % number

        async with trio.open_nursery() as nursery:
            for number in range(40):
                nursery.start_soon(ask, number)

    run(main)
