"""The 1.4.0 gate: pyuv 1.4.0's own tests, unmodified, against the pyuv that a Python has installed.

    gate.py --python PYTHON [--update] [--json FILE] [FILE ...]

Its source distribution is fetched by name with pip into build/gate, once. Each test file runs in a process of
its own, one after another (they share fixed ports), in a fresh copy of the tests. What passes must be exactly
the list expected.txt: a listed test that does not pass and a passing test that is not listed both fail.
`--update` rewrites the list instead. With FILEs (test_timer.py ...) only those are run and compared.

Of the 235 tests, 4 can never pass: test_async.py and test_signal.py use `async` as a name, so Python 3.7 and
later cannot compile them.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CACHE = ROOT / "build" / "gate"
EXPECTED = HERE / "expected.txt"
REQUIREMENT = ROOT / "requirements" / "gate.txt"
TIME_LIMIT = 60.0  # seconds for one file; the slowest takes 6 on pyuv 1.4.0
SHOWN = 12  # lines of a failure's traceback
# They spawn Python as another user, which root alone can do; others skip them.
AS_ROOT = {
    "test_process.ProcessTest.test_process_uid_fail",
    "test_process.ProcessTest.test_process_uid_gid",
}


@dataclass
class FileResult:
    """What one file's process reported, and how it ended."""

    file: str
    passed: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    unfinished: list[str] = field(default_factory=list)
    problem: str = ""
    seconds: float = 0.0


def fetch_tests(python: Path) -> Path:
    """The folder of the suite, downloaded and unpacked under build/gate if it is not there yet."""
    tests = CACHE / "tests"
    if tests.is_dir():
        return tests
    CACHE.mkdir(parents=True, exist_ok=True)
    pip: list[str | Path] = [
        python,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
    ]
    hashed: list[str | Path] = ["--require-hashes", "--no-binary", "pyuv", "--dest", CACHE, "-r", REQUIREMENT]
    subprocess.run([*pip, *hashed], check=True)
    (archive,) = CACHE.glob("pyuv-*.tar.gz")
    with tempfile.TemporaryDirectory(dir=CACHE) as folder, tarfile.open(archive) as tar:
        # Debian's 3.11.2 has no filters yet; the archive's hash has been checked.
        tar.extraction_filter = getattr(tarfile, "data_filter", None)
        tar.extractall(folder)
        (unpacked,) = Path(folder).glob("*/tests")
        unpacked.rename(tests)  # last, so that an interrupted download is tried again
    return tests


def run_file(python: Path, tests: Path, name: str, limit: float = TIME_LIMIT) -> FileResult:
    """Run one file in a copy of the suite; whatever its process does, the answer is a result."""
    with tempfile.TemporaryDirectory(prefix="pyuv-gate-") as folder:
        copy = Path(folder, "tests")
        shutil.copytree(tests, copy)
        # As root, two tests spawn Python as another user: `nobody` must be able to read the folder, and an
        # unknown user, who is left with root's group, must not.
        for path in (Path(folder), copy):
            path.chmod(0o705)
        report = Path(folder, "report")
        report.touch()
        started = time.monotonic()
        problem, output = _run_process(
            [python, HERE / "child.py", copy / name, report], copy, python.parent, limit
        )
        result = read_report(name, report.read_text().splitlines())
        result.seconds = round(time.monotonic() - started, 2)
        if problem or result.problem:
            result.problem = "\n".join(filter(None, [problem or result.problem, output]))
        return result


@functools.cache
def python_for_everybody(python: Path) -> Path | None:
    """A Python that `nobody` can run: this one, or the system's where this one is in root's home.

    None where there is none, and for whoever cannot run anything as `nobody`.
    """
    if os.getuid() != 0:
        return None
    names = ("python3", *(f"python3.{minor}" for minor in range(11, 16)))
    on_path = filter(None, (shutil.which(name, path=os.defpath) for name in names))
    for candidate in [python, *map(Path, on_path)]:
        with contextlib.suppress(OSError):
            ended = subprocess.run([candidate, "-c", ""], user="nobody", extra_groups=[], capture_output=True)
            if ended.returncode == 0:
                return candidate
    return None


def read_report(file: str, lines: Iterable[str]) -> FileResult:
    """Turn a child's events into a result; what began and did not end is `unfinished`."""
    result = FileResult(file)
    running: list[str] = []
    done = False
    for event, *rest in map(json.loads, lines):
        if event == "begin":
            running.append(rest[0])
        elif event == "done":
            done = True
        else:
            name, kind, detail = rest
            running.remove(name)
            if kind == "passed":
                result.passed.append(name)
            else:
                (result.skipped if kind == "skipped" else result.failed)[name] = detail
    result.unfinished = running
    if not done:
        result.problem = "ended before its last test"
    return result


def compare(expected: set[str], results: list[FileResult]) -> Iterator[str]:
    """A line for each difference from the list, and for each process that did not end well."""
    states = {name: "passed" for result in results for name in result.passed}
    for result in results:
        states |= dict.fromkeys(result.failed, "failed")
        states |= dict.fromkeys(result.skipped, "was skipped")
        states |= dict.fromkeys(result.unfinished, "did not finish")
    passed = {name for name, state in states.items() if state == "passed"}
    files = {result.file.removesuffix(".py") for result in results}
    missing = expected - passed
    if python_for_everybody(Path(sys.executable)) is None:
        missing -= AS_ROOT
    for name in sorted(missing):
        if name.partition(".")[0] in files:
            yield f"expected to pass, but {states.get(name, 'did not run')}: {name}"
    for name in sorted(passed - expected):
        yield f"passes, but is not in {EXPECTED.name} (run with --update): {name}"
    for result in results:
        # A file with nothing expected of it may fail as it likes: those are the ones still to come.
        if result.problem and any(name.startswith(f"{result.file[:-3]}.") for name in expected):
            yield f"{result.file}: {result.problem.splitlines()[0]}"


def read_expected(path: Path) -> set[str]:
    return set(path.read_text().split())


def _run_process(command: list[str | Path], cwd: Path, bin_folder: Path, limit: float) -> tuple[str, str]:
    """Run with a terminal as standard input; returns what went wrong, if anything, and the output's end."""
    env = {**os.environ, "PYUV_INSIDE_TOX": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    env["PATH"] = os.pathsep.join([str(bin_folder), env.get("PATH", os.defpath)])
    env.pop("PYTHONPATH", None)
    if for_others := python_for_everybody(Path(sys.executable)):
        env["PYUV_GATE_PYTHON"] = str(for_others)
    # A child that prints a line by halves is killed by the test that closes its pipe after the first.
    env.pop("PYTHONUNBUFFERED", None)
    master, terminal = pty.openpty()
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=env,
            stdin=terminal,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        problem = ""
        try:
            status = process.wait(limit)
            if status < 0:
                problem = f"killed by {signal.Signals(-status).name}"
            elif status:
                problem = f"exit status {status}"
        except subprocess.TimeoutExpired:
            problem = f"no end after {limit:g} s"
        finally:
            # The process is the leader of its own group: whatever it left running ends with it.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            os.close(master)
            os.close(terminal)
        output.seek(0)
        return problem, _tail(output.read())


def _tail(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-SHOWN:])


def _print(result: FileResult) -> None:
    counts = f"{len(result.passed)} passed, {len(result.failed)} failed"
    print(f"{result.file:24} {counts}, {len(result.skipped)} skipped  {result.seconds:.1f} s")
    for name, detail in result.failed.items():
        print(f"  failed: {name}")
        print("    " + _tail(detail).replace("\n", "\n    "))
    for name, reason in result.skipped.items():
        print(f"  skipped: {name} ({reason})")
    for name in result.unfinished:
        print(f"  did not finish: {name}")
    if result.problem:
        print("  problem: " + result.problem.replace("\n", "\n    "))
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description="pyuv 1.4.0's own tests against this pyuv")
    # Not resolved: the name of a virtual environment's Python is what makes it that environment's.
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="whose pyuv")
    parser.add_argument("--update", action="store_true", help="rewrite the expected-pass list")
    parser.add_argument("--json", type=Path, help="write the counts here")
    parser.add_argument("files", nargs="*", help="test_timer.py ...; all if none is named")
    options = parser.parse_args()

    python = options.python.absolute()
    tests = fetch_tests(Path(sys.executable))
    names = options.files or sorted(path.name for path in tests.glob("test_*.py"))
    results = []
    for name in names:
        results.append(run_file(python, tests, name))
        _print(results[-1])

    expected = read_expected(EXPECTED)
    if options.update:
        modules = {name.removesuffix(".py") for name in names}
        kept = {name for name in expected if name.partition(".")[0] not in modules}
        expected = kept | {name for result in results for name in result.passed}
        if python_for_everybody(Path(sys.executable)) is None:
            expected |= AS_ROOT
        EXPECTED.write_text("".join(f"{name}\n" for name in sorted(expected)))
    problems = list(compare(expected, results))
    passed = sum(len(result.passed) for result in results)
    skipped = sum(len(result.skipped) for result in results)
    if options.json:
        counts = {"passed": passed, "failed": len(problems), "skipped": skipped}
        options.json.write_text(json.dumps(counts))
    for problem in problems:
        print(problem)
    print(f"1.4.0 gate: {passed} tests pass, {len(expected)} are expected to")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
