"""uvicorn with application.py as a process of its own, on pyuv's event loop, for a `with` block."""

import contextlib
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from serverprocess import READY_WITHIN
from tlsutil import CERTIFICATE

HERE = Path(__file__).parent
TLS = ["--ssl-certfile", str(CERTIFICATE), "--ssl-keyfile", str(CERTIFICATE)]
RUNNING = re.compile(r"Uvicorn running on (https?)://127\.0\.0\.1:(\d+)")
WRONG = re.compile(r"Traceback|ResourceWarning|RuntimeWarning|panicked")


class Uvicorn:
    """The process, with what it prints in `log`."""

    def __init__(self, folder, *options, warnings="error::ResourceWarning"):
        self.log = folder / "uvicorn.log"
        command = [sys.executable, "-X", "faulthandler", "-W", warnings, "-m", "uvicorn"]
        command += ["application:application", "--app-dir", HERE, "--port", "0", "--no-access-log"]
        self.command = [*command, "--loop", "pyuv.asyncio:new_event_loop", *options]

    def __enter__(self):
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(self.command, stdout=output, stderr=output)
        try:
            self.wait_for("Application startup complete")
            scheme, port = self.wait_for(RUNNING).groups()
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        self.address = ("127.0.0.1", int(port))
        self.url = f"{scheme}://localhost:{port}"
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.finish(signal.SIGTERM)

    def printed(self):
        return self.log.read_text(errors="replace")

    def wait_for(self, pattern):
        """Waits until it has printed this."""
        until = time.monotonic() + READY_WITHIN
        while not (found := re.search(pattern, self.printed())):
            assert self.process.poll() is None, self.printed()
            assert time.monotonic() < until, self.printed()
            time.sleep(0.02)
        return found

    def finish(self, number):
        """Sends the signal; the exit status, and what was printed."""
        self.process.send_signal(number)
        try:
            status = self.process.wait(30)
        except subprocess.TimeoutExpired:
            # faulthandler prints where it hangs.
            self.process.send_signal(signal.SIGABRT)
            self.process.wait()
            raise AssertionError(self.printed()) from None
        printed = self.printed()
        assert not WRONG.search(printed), printed
        return status, printed

    def get(self, path):
        """The body of a response, by a connection of its own."""
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        with contextlib.closing(socket.create_connection(self.address)) as connection:
            connection.sendall(request.encode())
            response = b"".join(iter(lambda: connection.recv(100_000), b""))
        return response.partition(b"\r\n\r\n")[2]
