"""The suites: which parts they have, how a part is run, and which are run each time."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import fetch
from beside import Beside
from redisserver import Redis

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Suite:
    """The tests of one project. A part of them runs in a process of its own."""

    project: str
    # The lock file that it is in, of requirements/.
    lock: str
    # The parts that `make test` runs.
    shard: tuple[str, ...]
    # What the project runs on by itself.
    own: str = "asyncio's loop"
    # Of the process.
    variables: Mapping[str, str] = field(default_factory=dict)

    def folder(self, environment: Beside) -> Path:
        """Where a part is run."""
        raise NotImplementedError

    def parts(self, environment: Beside) -> list[str]:
        """The names of all parts."""
        raise NotImplementedError

    def command(self, environment: Beside, part: str) -> list[str | Path]:
        """What runs a part, in that folder."""
        raise NotImplementedError

    def server(self) -> AbstractContextManager[list[str]]:
        """What a process has to itself while it runs, and what its command is told of that."""
        return nullcontext([])


@dataclass(frozen=True)
class PytestSuite(Suite):
    """Files for pytest in a source distribution; the project itself is the one that is installed."""

    # Where the files are, and those of them that are not run.
    files: tuple[str, ...] = ("tests/test_*.py",)
    without: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    def folder(self, environment: Beside) -> Path:
        return fetch.source(self.project, environment)

    def parts(self, environment: Beside) -> list[str]:
        folder = self.folder(environment)
        out = {path for pattern in self.without for path in folder.glob(pattern)}
        found = {path for pattern in self.files for path in folder.glob(pattern)}
        return sorted(str(path.relative_to(folder)) for path in found - out)

    def command(self, environment: Beside, part: str) -> list[str | Path]:
        # A test that hangs ends the process: nothing less ends what waits in C.
        limits = ["--timeout=60", "--timeout-method=thread"]
        plugins = ["-p", "of_pytest", "-p", "no:cacheprovider"]
        return [environment.bin / "pytest", "-q", *plugins, *self.options, *limits, part]


class RedisSuite(PytestSuite):
    """Tests that ask a Redis."""

    @contextmanager
    def server(self) -> Iterator[list[str]]:
        with Redis() as server:
            yield [f"--redis-url=redis://{server.address}/0"]


class InstalledSuite(Suite):
    """Tests that are installed with their project. A program of ours runs a part of them."""

    runner: ClassVar[str]

    def folder(self, environment: Beside) -> Path:
        return environment.path

    def command(self, environment: Beside, part: str) -> list[str | Path]:
        return [environment.python, HERE / self.runner, part]

    def printed(self, environment: Beside, program: str) -> str:
        """What a program of the environment prints."""
        command = [environment.python, "-c", program]
        said = subprocess.run(command, check=True, capture_output=True, text=True)
        return said.stdout.strip()


class TornadoSuite(InstalledSuite):
    """The modules that Tornado's own runner knows, and the manual's page."""

    runner = "of_tornado.py"

    def parts(self, environment: Beside) -> list[str]:
        say = "from tornado.test.runtests import TEST_MODULES as names; print(*names)"
        return [*self.printed(environment, say).split(), "tornado_page"]


class TwistedSuite(InstalledSuite):
    """The packages of Twisted's tests."""

    runner = "of_twisted.py"

    def parts(self, environment: Beside) -> list[str]:
        package = Path(self.printed(environment, "import twisted; print(*twisted.__path__)"))
        folders = {path.parent.relative_to(package.parent) for path in package.rglob("test/test_*.py")}
        return sorted(".".join(folder.parts) for folder in folders)


class GeventSuite(InstalledSuite):
    """The modules of gevent's tests; each is a program."""

    runner = "of_gevent.py"
    # Two run others by themselves, one tests gevent's own loops and one their backends by name, others ask
    # the network for names.
    without = frozenset(
        f"test__{name}"
        for name in (
            "_monkey_patching",
            "close_backend_fd",
            "core",
            "examples",
            "getaddrinfo_import",
            "socket_dns",
            "socket_dns6",
        )
    )

    def parts(self, environment: Beside) -> list[str]:
        tests = Path(self.printed(environment, "import gevent.tests; print(*gevent.tests.__path__)"))
        return sorted({path.stem for path in tests.glob("test__*.py")} - self.without)


SUITES: dict[str, Suite] = {
    "anyio": PytestSuite(
        project="anyio",
        lock="suites",
        shard=("tests/streams/test_tls.py", "tests/test_signals.py", "tests/test_subprocesses.py"),
        files=("tests/test_*.py", "tests/*/test_*.py"),
        options=("-m", "not network"),
    ),
    "aiohttp": PytestSuite(
        project="aiohttp",
        lock="suites",
        shard=("tests/test_web_server.py", "tests/test_run_app.py"),
        without=("tests/test_benchmarks_*.py",),
        # Without what its settings add: coverage, doctests, processes of its own.
        options=("-o", "addopts=", "-m", "not dev_mode and not autobahn and not internal"),
    ),
    "redis": RedisSuite(
        project="redis",
        lock="suites-redis",
        shard=tuple(f"tests/test_asyncio/test_{name}.py" for name in ("lock", "monitor", "pipeline")),
        files=(
            "tests/test_asyncio/test_*.py",
            "tests/test_asyncio/*/test_*.py",
            "tests/maint_notifications/test_async_*.py",
        ),
        # What asks modules that Debian's Redis has not, and whole installations.
        without=(
            "tests/maint_notifications/test_async_cluster_*.py",
            "tests/test_asyncio/test_bloom.py",
            "tests/test_asyncio/test_cluster_transaction.py",
            "tests/test_asyncio/test_command_parser.py",
            "tests/test_asyncio/test_command_policies.py",
            "tests/test_asyncio/test_json.py",
            "tests/test_asyncio/test_multidb/test_integration.py",
            "tests/test_asyncio/test_scenario/*",
            "tests/test_asyncio/test_search.py",
            "tests/test_asyncio/test_ssl.py",
            "tests/test_asyncio/test_timeseries.py",
            "tests/test_asyncio/test_vsets.py",
        ),
        options=("-m", "not onlycluster and not redismod and not cp_integration and not ssl"),
    ),
    "tornado": TornadoSuite(
        project="tornado",
        lock="suites-tornado",
        shard=("tornado.test.asyncio_test", "tornado.test.ioloop_test", "tornado_page"),
        variables={"ASYNC_TEST_TIMEOUT": "25"},
    ),
    "gevent": GeventSuite(
        project="gevent",
        lock="suites-gevent",
        shard=tuple(
            f"test__{name}"
            for name in ("core_watcher", "greenlet", "hub", "order", "os", "select", "server", "socket")
        ),
        own="its loop on libev",
    ),
    "twisted": TwistedSuite(
        project="twisted",
        lock="suites-twisted",
        shard=("twisted.internet.test", "twisted.names.test"),
        own="its reactor on epoll",
    ),
}
