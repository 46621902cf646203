"""The programs of a page of the manual, each run as one. A program's first line says its name."""

import contextlib
import pathlib
import re
import socket
import subprocess
import sys
import urllib.request

from util import finish

MANUAL = pathlib.Path(__file__).parents[1] / "docs"


class Page:
    """The programs of a page, by name."""

    def __init__(self, name):
        text = (MANUAL / name).read_text()
        programs = re.findall(r"^```py\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
        self.programs = {re.search(r"python (\w+)\.py", program)[1]: program for program in programs}

    def start(self, folder, name, *arguments):
        """Starts one."""
        program = folder / f"{name}.py"
        program.write_text(self.programs[name])
        command = [sys.executable, "-W", "error", program, *arguments]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    @contextlib.contextmanager
    def serving(self, folder, name, status=0):
        """Starts a server; gives the port that it says it listens on, and ends it by SIGTERM."""
        child = self.start(folder, name)
        try:
            said = child.stdout.readline()
            yield int(re.fullmatch(r"listening on port (\d+)\n", said)[1])
        finally:
            child.terminate()
            assert finish(child, status) == []

    def echoes(self, folder, status=0):
        """Its server `echo` sends back what it gets."""
        data = bytes(range(256)) * 4000
        with (
            self.serving(folder, "echo", status) as port,
            socket.create_connection(("127.0.0.1", port), 20) as peer,
        ):
            peer.sendall(data)
            peer.shutdown(socket.SHUT_WR)
            with peer.makefile("rb") as back:
                assert back.read() == data

    def says_hello(self, folder, status=0):
        """Its server `hello` does so, again and again."""
        with self.serving(folder, "hello", status) as port:
            for _ in range(3):
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as answer:
                    assert answer.read() == b"hello world\n"
