"""A server from Debian's packages as a process of its own, on loopback with an ephemeral port, for a `with`
block.

Everything it writes is in a temporary folder, which goes with the block. The benchmarks use this module too:
standard library only.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Self

import debian

HOST = "127.0.0.1"
READY_WITHIN = 60.0
# Another program can take the port between the choice and the start.
ATTEMPTS = 5


class ServerProcess:
    """A server's process, from `__enter__` to `__exit__`."""

    program: str
    package: str
    user: str | None = None
    """Whose process it is, where this one is root's and it refuses root."""

    def __init__(self) -> None:
        self.host = HOST
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._resources = contextlib.ExitStack()

    @property
    def address(self) -> str:
        """``address:port``."""
        return f"{self.host}:{self.port}"

    def executable(self, program: str) -> str:
        """What is started; `program` is what the package puts where users look."""
        return program

    def prepare(self, program: str, folder: Path) -> None:
        """What comes once before the start."""

    def configure(self, folder: Path) -> list[str]:
        """Writes the configuration for `self.port` and returns the program's arguments."""
        raise NotImplementedError

    def wait_until_ready(self, log: Path) -> bool:
        """True when it serves, False when it ended first; `log` is what it prints."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        program = debian.program(self.program, self.package)
        with contextlib.ExitStack() as resources:
            name = f"pyuv-{self.program}-"
            folder = Path(resources.enter_context(tempfile.TemporaryDirectory(prefix=name)))
            if self.changes_user:
                shutil.chown(folder, self.user)
            log = folder / "log"
            self.prepare(program, folder)
            for _ in range(ATTEMPTS):
                self.port = free_port()
                command = [self.executable(program), *self.configure(folder)]
                with log.open("wb") as output:
                    self._process = subprocess.Popen(
                        command, stdout=output, stderr=output, **self.process_options(folder)
                    )
                if self.wait_until_ready(log):
                    self._resources = resources.pop_all()
                    return self
                self._end()
            raise RuntimeError(f"{self.program} did not start: {log.read_text(errors='replace')}")

    def __exit__(self, *_: object) -> None:
        self._end()
        self._resources.close()

    @property
    def pid(self) -> int:
        """The process's number."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def changes_user(self) -> bool:
        return self.user is not None and os.geteuid() == 0

    def process_options(self, folder: Path) -> dict[str, Any]:
        """How its processes are started."""
        options: dict[str, Any] = {"cwd": folder}
        if self.changes_user:
            options |= {"user": self.user, "group": self.user, "extra_groups": []}
        return options

    def _end(self) -> None:
        if self._process is not None:
            process, self._process = self._process, None
            process.terminate()
            process.wait(30)


class TellingServer(ServerProcess):
    """One that says in its log when it is ready."""

    ready: str

    def wait_until_ready(self, log: Path) -> bool:
        until = time.monotonic() + READY_WITHIN
        while self.running and time.monotonic() < until:
            if self.ready in log.read_text(errors="replace"):
                return True
            time.sleep(0.02)
        return False


def free_port() -> int:
    """A port that is free for UDP and TCP alike, for now."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
            udp.bind((HOST, 0))
            port: int = udp.getsockname()[1]
            with contextlib.suppress(OSError):
                tcp.bind((HOST, port))
                return port
