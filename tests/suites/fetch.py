"""Source distributions, for the tests in them: fetched by name, with the version and hash of a lock file."""

from __future__ import annotations

import re
import shutil
import tarfile
import tempfile
from pathlib import Path

from beside import Beside
from bootstrap import BUILD, say

SOURCES = BUILD / "suites" / "sources"
# Where projects have their packages. They are taken away: what the tests import is what is installed.
PACKAGES = ("src", "{project}")


def requirement(project: str, environment: Beside) -> str:
    """What the lock file says of a project: version and hashes."""
    text = environment.lock().read_text()
    found = re.search(rf"^{re.escape(project)}==(?:.*\\\n)*.*\n", text, re.MULTILINE)
    assert found, f"{project} is not in {environment.lock().name}"
    return found[0]


def version(project: str, environment: Beside) -> str:
    """The version of a project."""
    return requirement(project, environment).split()[0].partition("==")[2]


def source(project: str, environment: Beside) -> Path:
    """The folder of a project, downloaded and unpacked if it is not there yet."""
    name = f"{project}-{version(project, environment)}"
    folder = SOURCES / name
    if folder.is_dir():
        return folder
    say(f"fetching {name}")
    SOURCES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=SOURCES) as temporary:
        pinned = Path(temporary, "requirement.txt")
        pinned.write_text(requirement(project, environment))
        options = ["--no-deps", "--require-hashes", "--no-binary", project, "--dest", temporary]
        environment.pip("download", *options, "-r", pinned)
        (archive,) = Path(temporary).glob("*.tar.gz")
        with tarfile.open(archive) as tar:
            # Debian's 3.11.2 has no filters yet; the archive's hash has been checked.
            tar.extraction_filter = getattr(tarfile, "data_filter", None)
            tar.extractall(temporary)
        (unpacked,) = (path for path in Path(temporary).iterdir() if path.is_dir())
        for package in PACKAGES:
            shutil.rmtree(unpacked / package.format(project=project), ignore_errors=True)
        unpacked.rename(folder)  # last, so that what is interrupted is done again
    return folder
