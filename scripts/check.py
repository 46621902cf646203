"""`make test`: every check of the tree, a summary, and one closing line `N passed, N failed`.

    check.py [--full | --inventory] [--python 3.12 ...] [--only STEP ...]

A failing step does not stop the ones after it. The oldest and the newest CPython run all of pytest's tests,
the Pythons between them the files of tests/shard.txt, PyPy those of tests/shard-pypy.txt. `--full` runs
everything on all of them, adds what takes longer, and writes tests/results/full.json. `--python` runs all
tests on the Pythons that it names. `--inventory` runs the tests only and brings tests/inventory.txt up to
date with what they did. `--only` runs the steps whose names begin so, for work on one of them.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import bootstrap
import debian
import interpreters
import inventory
import machine
import outcomes
import programs
from bootstrap import BUILD, ROOT, Command, Environment
from outcomes import Outcomes

LOGS = BUILD / "logs"
RESULTS = BUILD / "results"
INVENTORY = ROOT / "tests" / "inventory.txt"
SHARD = ROOT / "tests" / "shard.txt"
PYPY_SHARD = ROOT / "tests" / "shard-pypy.txt"
PROGRAMS_SHARD = ROOT / "tests" / "programs" / "shard.txt"
FULL = ROOT / "tests" / "results" / "full.json"
# What tests/nameservers.py and tests/opensslprogram.py start, and Debian's packages that hold it.
PEERS = {"knotd": "knot", "openssl": "openssl", "unbound": "unbound"}
# How long each of the two fuzz tests runs, unless the environment says otherwise.
FUZZ_SECONDS = "30"
# The random programs that are always run, for a minute at most; `make fuzz-programs` makes others each time.
PROGRAMS = range(9, 61)
PROGRAMS_SECONDS = "60"
# How many names and records are held against other implementations, in the full run.
FULL_EXAMPLES = "10000"
CARGO = ["--workspace", "--locked", "--profile", "testing"]
# The wheels that are built for another processor and tried in emulation.
EMULATED = ["--target", "aarch64", "--python", "3.15"]
# What a command ends with that cannot do its work here; its last line says why.
NOT_RUN = 77


@dataclass
class Result:
    """How one step ended. A step without tests of its own counts as one check."""

    name: str
    passed: bool
    seconds: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    not_run: str = ""

    def totals(self) -> Counter[str]:
        """Tests passed, failed and skipped; never 0 failed when the step failed."""
        totals = self.counts or Counter(passed=int(self.passed))
        if not self.passed and not totals["failed"]:
            totals = totals + Counter(failed=max(1, len(self.problems)))
        return totals


@dataclass(frozen=True)
class Step:
    """A name and what to do; the action gets the step's log file and returns the result."""

    name: str
    action: Callable[[Path], Result]


def not_run(name: str, log: Path) -> Result:
    """The result of a step that could not run, and whose last line says why."""
    reason = log.read_text().splitlines()[-1].removeprefix("not run: ")
    return Result(name, passed=True, counts=Counter(skipped=1), not_run=reason)


class Checks:
    """The steps, and the outcomes of the tests that they ran (by Python, and `cargo`)."""

    def __init__(self, environments: Sequence[Environment], *, rewriting: bool, chosen: bool) -> None:
        self.environments = environments
        # PyPy comes last, and free-threaded Pythons before it.
        usual = [environment for environment in environments if environment.interpreter.is_usual]
        self.newest = (usual or environments)[-1]
        self.tools = environments[0].tools
        self.env = self.tools.run_environment()
        self.rewriting = rewriting
        # Pythons were named, and nobody asks for the others.
        self.chosen = chosen
        self.runs: dict[str, Outcomes] = {}

    def command(self, name: str, *command: str | Path) -> Step:
        """A step that is one command with the tools on PATH."""

        def action(log: Path) -> Result:
            status = self.run(command, log)
            return not_run(name, log) if status == NOT_RUN else Result(name, status == 0)

        return Step(name, action)

    def steps(self, *, full: bool) -> Iterator[Step]:
        if not self.rewriting:
            yield from self.static_checks()
        yield Step("cargo test", self.cargo_test)
        every = self.environments
        for environment in every:
            ends = environment in (every[0], self.newest)
            whole = full or self.rewriting or self.chosen or ends
            yield self.pytest(environment, whole=whole, full=full)
        if not self.chosen:
            for name in interpreters.SUPPORTED:
                if name not in (environment.name for environment in every):
                    yield Step(f"pytest {name}", self.without(name))
        usual = [environment for environment in every if environment.interpreter.is_usual]
        for environment in usual if full else [programs.preferred(usual)] if usual else []:
            yield self.programs(environment, whole=full or self.rewriting or self.chosen)
        if self.rewriting:
            return
        yield Step("random programs", self.random_programs)
        for environment in every if full else [self.newest]:
            if environment.interpreter.is_cpython:
                yield self.gate(environment)
                yield self.asyncio_suite(environment)
        if usual:
            yield self.suites(programs.preferred(usual), whole=full)
        yield self.command("manual", "sphinx-build", "-qW", "-b", "html", "docs", "build/docs")
        yield self.command("manual's index", "python", "scripts/manual_index.py", "build/docs/objects.inv")
        doctest = ["sphinx-build", "-qW", "-b", "doctest", "docs", "build/doctest"]
        yield self.command("manual's examples", *doctest)
        yield self.command("demo", "python", "scripts/demo.py")
        if full:
            yield self.command("wheels", "python", "scripts/wheel.py")
            yield self.command("wheel on an older Debian", "python", "scripts/older_debian.py")
            yield self.command("wheels for aarch64", "python", "scripts/wheel.py", *EMULATED)
            yield self.command("source distribution", "python", "scripts/sdist.py")
            yield self.command("valgrind", "python", "scripts/valgrind.py")
            yield self.command("address sanitizer", "python", "scripts/sanitize.py")
            yield self.command("miri", "python", "scripts/sanitize.py", "miri")

    def static_checks(self) -> Iterator[Step]:
        yield self.command("rustfmt", "cargo", "fmt", "--all", "--check")
        clippy = ["cargo", "clippy", "--all-targets", *CARGO, "--", "-D", "warnings"]
        yield self.command("clippy", *clippy)
        yield self.command("ruff check", "ruff", "check")
        yield self.command("ruff format", "ruff", "format", "--check")
        yield self.command("actionlint", "actionlint")
        yield self.command("mypy", "mypy")
        examples = ["python", "scripts/examples_types.py", "build/examples"]
        yield self.command("mypy of the examples", *examples)
        yield self.command("stubtest", "stubtest", "pyuv", "--allowlist", "tests/stubtest-allowlist.txt")

    def cargo_test(self, log: Path) -> Result:
        env = {"PYUV_FUZZ_SECONDS": FUZZ_SECONDS, **self.env}
        status = self.run(["cargo", "test", "--no-fail-fast", *CARGO], log, env)
        tests = outcomes.parse_cargo(log.read_text().splitlines())
        return self.judge("cargo test", inventory.CARGO, tests, status)

    def without(self, python: str) -> Callable[[Path], Result]:
        """What is said of a Python that was not found."""
        row = Result(f"pytest {python}", passed=True, counts=Counter(skipped=1), not_run="no such Python")
        return lambda log: row

    def pytest(self, environment: Environment, *, whole: bool, full: bool) -> Step:
        """All of the tests, or the files of the shard."""
        name = f"pytest {environment.name}"
        shard = SHARD if environment.interpreter.is_cpython else PYPY_SHARD
        files = [] if whole else shard.read_text().split()

        def action(log: Path) -> Result:
            env = {}
            # One Python is enough: what is tried is the same.
            if full and environment is self.tools:
                env["PYUV_EXAMPLES"] = os.environ.get("PYUV_EXAMPLES", FULL_EXAMPLES)
            tests, status = self.run_pytest(environment, environment.name, log, *files, **env)
            return self.judge(name, environment.name, tests, status, part=not whole)

        return Step(name, action)

    def programs(self, tests_environment: Environment, *, whole: bool) -> Step:
        """Real programs on pyuv's event loop: all of their tests, or the files of their shard."""
        name = f"programs {tests_environment.name}"
        where = f"{inventory.PROGRAMS}{tests_environment.name}"
        files = ["tests/programs"] if whole else PROGRAMS_SHARD.read_text().split()

        def action(log: Path) -> Result:
            environment = programs.prepare(tests_environment, whole=whole)
            # A server is started once for a file's tests.
            chosen = ["--rootdir", ".", "--dist", "loadfile", *files]
            tests, status = self.run_pytest(environment, where, log, *chosen)
            return self.judge(name, where, tests, status, part=not whole)

        return Step(name, action)

    def run_pytest(
        self, environment: Environment, where: str, log: Path, *arguments: str, **env: str
    ) -> tuple[Outcomes, int]:
        """What came of tests, in several processes, and pytest's exit status."""
        report = RESULTS / f"pytest-{where}.json"
        report.unlink(missing_ok=True)
        plugin: Command = ["-p", "pytest_outcomes", "--outcomes", report]
        pytest: Command = [environment.bin / "pytest", "-q", "-n", "auto", *plugin, *arguments]
        env = {**environment.run_environment(), "PYTHONPATH": str(ROOT / "scripts"), **env}
        status = self.run(pytest, log, env)
        return outcomes.read_pytest(report) if report.exists() else {}, status

    def random_programs(self, log: Path) -> Result:
        """The same seeds each time, so that what fails is a change's doing and no chance finding."""
        fuzz: Command = [self.tools.python, "tests/fuzz", "--seconds", PROGRAMS_SECONDS]
        # PyO3 ends the process where there is no memory for an error's text, and CPython does elsewhere.
        fuzz += ["--without", "memory"]
        for seed in PROGRAMS:
            fuzz += ["--seed", str(seed)]
        status = self.run(fuzz, log)
        last = log.read_text().splitlines()[-1]
        print(f"random programs: seeds {PROGRAMS.start} to {PROGRAMS.stop - 1}", flush=True)
        found = re.fullmatch(r"(\d+) programs, (\d+) findings", last)
        ran, wrong = map(int, found.groups()) if found else (0, 0)
        return Result(
            "random programs", status == 0 and ran > 0, counts=Counter(passed=ran - wrong, failed=wrong)
        )

    def judge(self, name: str, where: str, tests: Outcomes, status: int, *, part: bool = False) -> Result:
        """A run passes if its runner says so, some test ran, and the inventory agrees."""
        self.runs[where] = tests
        problems = [] if tests else ["no test ran"]
        if not self.rewriting:
            problems += inventory.differences(inventory.load(INVENTORY), where, tests, part=part)
        counts = outcomes.count(tests)
        if status and not counts["failed"]:
            problems.append(f"exit status {status}")
        return Result(name, not status and not problems, counts=counts, problems=problems)

    def gate(self, environment: Environment) -> Step:
        name = f"1.4.0 gate {environment.name}"

        def action(log: Path) -> Result:
            report = RESULTS / f"gate-{environment.name}.json"
            report.unlink(missing_ok=True)
            gate: Command = [self.tools.python, "tests/gate/gate.py", "--json", report]
            status = self.run([*gate, "--python", environment.python], log)
            counts = Counter(json.loads(report.read_text()) if report.exists() else {})
            return Result(name, status == 0, counts=counts)

        return Step(name, action)

    def asyncio_suite(self, environment: Environment) -> Step:
        """CPython's own tests of asyncio, on pyuv's event loop."""
        name = f"asyncio suite {environment.name}"

        def action(log: Path) -> Result:
            report = RESULTS / f"asyncio-{environment.name}.json"
            report.unlink(missing_ok=True)
            suite: Command = [environment.python, "tests/asyncio_suite", "--json", report]
            status = self.run(suite, log, environment.run_environment())
            if status == NOT_RUN:
                return not_run(name, log)
            counts = Counter(json.loads(report.read_text()) if report.exists() else {})
            return Result(name, status == 0, counts=counts)

        return Step(name, action)

    def suites(self, environment: Environment, *, whole: bool) -> Step:
        """The test suites of other projects, on their own loops and on pyuv's: all, or a part of each."""
        name = f"suites {environment.name}"

        def action(log: Path) -> Result:
            report = RESULTS / f"suites-{environment.name}.json"
            report.unlink(missing_ok=True)
            suites: Command = [self.tools.python, "tests/suites", "--python", environment.name]
            status = self.run([*suites, "--json", report, *["--whole"] * whole], log)
            counts: Counter[str] = Counter()
            for suite in json.loads(report.read_text()).values() if report.exists() else ():
                counts["passed"] += suite["pyuv"]
                counts["failed"] += suite["problems"]
            return Result(name, status == 0, counts=counts)

        return Step(name, action)

    def run(self, command: Sequence[str | Path], log: Path, env: Mapping[str, str] | None = None) -> int:
        """Run with both streams in `log`; the environment is that of the tools unless one is given."""
        with log.open("w") as output:
            return subprocess.run(
                command,
                cwd=ROOT,
                env=env or self.env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            ).returncode


def perform(step: Step) -> Result:
    """Run one step, say how it ended, and show its log if it failed."""
    log = LOGS / f"{step.name.replace(' ', '-')}.log"
    log.unlink(missing_ok=True)
    print(f"{step.name} ...", flush=True)
    started = time.monotonic()
    try:
        result = step.action(log)
    except Exception as error:  # a broken step is a failed step; the others still run
        result = Result(step.name, passed=False, problems=[f"{type(error).__name__}: {error}"])
    result.seconds = round(time.monotonic() - started, 1)
    if not result.passed:
        if log.exists():
            print(log.read_text(errors="replace").rstrip())
        for problem in result.problems:
            print(f"{step.name}: {problem}")
        print(f"{step.name}: FAILED", flush=True)
    return result


def summary(results: Sequence[Result], seconds: float) -> str:
    """The table of all steps; its last line is the one that a machine reads."""
    total: Counter[str] = sum((result.totals() for result in results), Counter())
    lines = ["", f"{'step':22} {'':6} {'time':>8}   tests"]
    for result in results:
        verdict = "" if result.not_run else "ok" if result.passed else "FAILED"
        counts = ", ".join(f"{number} {kind}" for kind, number in result.counts.items() if number)
        tests = f"not run: {result.not_run}" if result.not_run else counts
        lines.append(f"{result.name:22} {verdict:6} {result.seconds:7.1f}s   {tests}".rstrip())
    lines.append(f"{'all':22} {'':6} {seconds:7.1f}s")
    skipped = f", {total['skipped']} skipped" if total["skipped"] else ""
    lines += ["", f"{total['passed']} passed, {total['failed']} failed{skipped}"]
    return "\n".join(lines)


def write_full(results: Sequence[Result], environments: Sequence[Environment]) -> None:
    """tests/results/full.json: what ran, with what, where."""
    rows = [
        {
            "step": result.name,
            "passed": result.passed,
            "seconds": result.seconds,
            "counts": dict(result.counts),
            **({"not run": result.not_run} if result.not_run else {}),
        }
        for result in results
    ]
    total: Counter[str] = sum((result.totals() for result in results), Counter())
    report = {
        "passed": all(result.passed for result in results),
        "totals": dict(total),
        "steps": rows,
        **machine.describe(environments),
    }
    FULL.parent.mkdir(parents=True, exist_ok=True)
    FULL.write_text(json.dumps(report, indent=2) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description="every check of the tree")
    parser.add_argument("--full", action="store_true", help="everything, on all Pythons")
    parser.add_argument("--inventory", action="store_true", help="bring tests/inventory.txt up to date")
    parser.add_argument("--python", action="append", default=[], metavar="3.X", help="only these")
    parser.add_argument("--only", action="append", default=[], metavar="STEP", help="only these")
    options = parser.parse_args()
    if options.inventory and options.full:
        parser.error("--inventory does not go with --full")

    started = time.monotonic()
    LOGS.mkdir(parents=True, exist_ok=True)
    RESULTS.mkdir(exist_ok=True)
    results = []
    environments: list[Environment] = []

    def set_up(_: Path) -> Result:
        # Before the tests, whose time is limited, ask for them.
        for program, package in PEERS.items():
            debian.program(program, package)
        if not Path("/etc/services").exists():
            # Names of services, which a minimal Debian is without.
            debian.install(["netbase"])
        environments.extend(bootstrap.prepare(options.python))
        return Result("set-up", passed=True)

    results.append(perform(Step("set-up", set_up)))
    if environments:
        checks = Checks(environments, rewriting=options.inventory, chosen=bool(options.python))
        for step in checks.steps(full=options.full):
            if not options.only or step.name.startswith(tuple(options.only)):
                results.append(perform(step))
    passed = all(result.passed for result in results)
    if options.inventory:
        if passed:
            inventory.dump(inventory.record(checks.runs, inventory.load(INVENTORY)), INVENTORY)
        else:
            print("the inventory is as it was: it is changed when every test passes")
    if options.full and not (options.only or options.python):
        write_full(results, environments)
    print(summary(results, time.monotonic() - started))
    return not passed


if __name__ == "__main__":
    sys.exit(main())
