"""dask.distributed on pyuv's event loop: scheduler, workers and clients, and what docs/dask.md shows."""

import asyncio
import contextlib
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import dask.dataframe
import distributed
import numpy
import pandas
import pytest
from distributed.client import FutureCancelledError
from distributed.security import Security
from onloop import run
from serverprocess import READY_WITHIN
from tlsutil import CERTIFICATE

PAGE = (Path(__file__).resolve().parent.parent.parent / "docs" / "dask.md").read_text()
EXAMPLES = re.findall(r"```py\n(.*?)```\n\n```text\n(.*?)```", PAGE, re.DOTALL)
LOOP = "pyuv.asyncio._event_loop"

pytestmark = pytest.mark.timeout(180)


def security(protocol):
    if protocol == "tcp":
        return None
    roles = {
        f"tls_{role}_{part}": str(CERTIFICATE)
        for role in ("client", "scheduler", "worker")
        for part in ("cert", "key")
    }
    return Security(require_encryption=True, tls_ca_file=str(CERTIFICATE), **roles)


@contextlib.asynccontextmanager
async def cluster(protocol):
    """Scheduler and workers on the running loop, by real connections; a client of theirs."""
    options = {"n_workers": 3, "threads_per_worker": 2, "processes": False, "dashboard_address": None}
    options |= {"protocol": f"{protocol}://", "security": security(protocol), "host": "127.0.0.1"}
    async with (
        distributed.LocalCluster(asynchronous=True, silence_logs=False, **options) as local,
        distributed.Client(local, asynchronous=True) as client,
    ):
        assert client.loop.asyncio_loop is asyncio.get_running_loop()
        yield client


def square(number):
    return number * number


def frame(rows=100_000):
    keys = numpy.arange(rows)
    return pandas.DataFrame({"key": keys * 7919 % 1000, "value": keys, "half": keys / 2})


@pytest.mark.parametrize("protocol", ["tcp", "tls"])
def test_thousands_of_tasks(protocol):
    async def main():
        async with cluster(protocol) as client:
            squares = client.map(square, range(2000))
            total = client.submit(sum, squares)
            return await client.gather(squares), await total

    expected = [number * number for number in range(2000)]
    assert run(main()) == (expected, sum(expected))


def test_arrays_go_to_workers_and_back():
    arrays = [numpy.random.default_rng(seed).random(500_000) for seed in range(8)]

    async def main():
        async with cluster("tcp") as client:
            scattered = await client.scatter(arrays)
            doubled = client.map(lambda array: array * 2, scattered)
            # From one worker to another.
            joined = client.submit(numpy.concatenate, doubled)
            return await joined

    assert numpy.array_equal(run(main()), numpy.concatenate(arrays) * 2)


def test_rows_are_grouped_shuffled_and_merged():
    rows = frame()
    names = pandas.DataFrame({"key": range(1000), "name": [f"näme {key}" for key in range(1000)]})

    async def main():
        async with cluster("tcp") as client:
            parts = dask.dataframe.from_pandas(rows, npartitions=6)
            grouped = client.compute(parts.groupby("key").agg({"value": "sum", "half": "max"}))
            shuffled = client.compute(
                parts.shuffle("key", npartitions=6).map_partitions(lambda part: part.groupby("key").size())
            )
            merged = client.compute(parts.merge(dask.dataframe.from_pandas(names, npartitions=2), on="key"))
            return await grouped, await shuffled, await merged

    grouped, shuffled, merged = run(main())
    pandas.testing.assert_frame_equal(
        grouped.sort_index(), rows.groupby("key").agg({"value": "sum", "half": "max"})
    )
    # Each key is in one partition.
    pandas.testing.assert_series_equal(shuffled.sort_index(), rows.groupby("key").size(), check_names=False)
    expected = rows.merge(names, on="key").sort_values("value", ignore_index=True)
    pandas.testing.assert_frame_equal(
        merged.sort_values("value", ignore_index=True).astype({"name": object}),
        expected.astype({"name": object}),
    )


def test_tasks_that_fail_or_are_cancelled():
    async def main():
        async with cluster("tcp") as client:
            with pytest.raises(ZeroDivisionError):
                await client.submit(lambda: 1 / 0)
            end = await distributed.Event("end")
            waiting = client.map(lambda _: distributed.Event("end").wait(), range(20), pure=False)
            asking = asyncio.create_task(client.gather(waiting))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.shield(asking), 0.1)
            await client.cancel(waiting)
            with pytest.raises(FutureCancelledError):
                await asking
            await end.set()
            assert await client.submit(square, 12) == 144

    run(main())


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_the_page_s_examples(number, tmp_path):
    code, expected = EXAMPLES[number]
    script = tmp_path / "example.py"
    script.write_text(code)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == expected
    assert "Traceback" not in done.stderr, done.stderr


def test_the_page_has_its_examples():
    assert len(EXAMPLES) == 2


class Program:
    """One of dask's programs, as the page starts it."""

    def __init__(self, log, module, *options):
        command = ["-m", "pyuv.asyncio", "-m", module]
        assert f"python {' '.join(command)}" in PAGE
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, *command, *options], stdout=output, stderr=output, cwd=log.parent
            )

    def wait_for(self, pattern):
        until = time.monotonic() + READY_WITHIN
        while not (found := re.search(pattern, self.log.read_text())):
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < until, self.log.read_text()
            time.sleep(0.02)
        return found

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0, self.log.read_text()
        assert "Traceback" not in self.log.read_text(), self.log.read_text()


def test_the_programs_of_several_machines(tmp_path):
    # By its code: they have not this module.
    def loop_of(dask_worker=None, dask_scheduler=None):
        return type((dask_worker or dask_scheduler).loop.asyncio_loop).__module__

    async def main(address):
        async with distributed.Client(address, asynchronous=True) as client:
            await client.wait_for_workers(2)
            assert await client.run_on_scheduler(loop_of) == LOOP
            assert list((await client.run(loop_of)).values()) == [LOOP] * 2
            return await client.gather(client.map(pow, range(500), [3] * 500))

    options = ["--host", "127.0.0.1", "--dashboard-address", "127.0.0.1:0"]
    with Program(
        tmp_path / "scheduler", "distributed.cli.dask_scheduler", "--port", "0", *options
    ) as scheduler:
        address = scheduler.wait_for(r"tcp://127\.0\.0\.1:\d+")[0]
        worker = ["distributed.cli.dask_worker", address, "--no-nanny", *options]
        with Program(tmp_path / "one", *worker), Program(tmp_path / "two", *worker):
            assert run(main(address)) == [number**3 for number in range(500)]
