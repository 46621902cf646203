"""The programs of a page of the manual, each run as one. A program's first line says its name."""

import contextlib
import pathlib
import re
import subprocess
import sys

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
