"""The words the suites are written in: cells, samples, columns, limits."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Protocol

SUITES = (
    "callbacks",
    "echo",
    "connections",
    "scheduler",
    "asyncio_echo",
    "asyncio_io",
    "asyncio_tls",
    "asyncio_transports",
    "asyncio_dns",
    "asyncio_fs",
    "trio_fs",
    "frameworks",
    "dns",
    "dns_tcp",
    "dns_answers",
    "dns_bulk",
    "files",
    "whole_files",
    "large_file",
    "trees",
    "queue",
    "pypy",
)
"""Modules of `suites`, in the order of the report."""

MEMORY = "memory"
"""A suite of its own: it is run once, when asked for."""


@dataclass(frozen=True)
class Cell:
    """One program measured: a row (`client`) under a heading (`case`)."""

    case: str
    client: str
    command: tuple[str, ...]
    core: int | None = None
    """The core it runs on; None lets it use all of them."""
    peer: bool = False
    """Left out of a run without peers."""


@dataclass(frozen=True)
class Sample:
    """What one run of a cell printed."""

    operations: int
    errors: int
    seconds: float
    user: float
    system: float
    version: str
    rss_kib: list[int]
    p50_us: float = 0.0
    p99_us: float = 0.0
    """Latency, where it was measured."""
    round: int = 0
    load: float = 0.0

    @property
    def rate(self) -> float:
        return self.operations / self.seconds

    @property
    def user_us(self) -> float:
        return self.user / self.operations * 1e6

    @property
    def system_us(self) -> float:
        return self.system / self.operations * 1e6

    @property
    def cpu_ns(self) -> float:
        """User and system together: their sum is exact where their split is sampled by ticks."""
        return (self.user + self.system) / self.operations * 1e9


def together(samples: Sequence[Sample]) -> Sample:
    """The rounds of a cell as one: user CPU is sampled by ticks, of which a short round sees few."""
    return replace(
        samples[0],
        operations=sum(sample.operations for sample in samples),
        errors=sum(sample.errors for sample in samples),
        seconds=sum(sample.seconds for sample in samples),
        user=sum(sample.user for sample in samples),
        system=sum(sample.system for sample in samples),
    )


def ratio(sample: Sample, reference: Sample) -> float:
    return sample.rate / reference.rate


@dataclass(frozen=True)
class Column:
    title: str
    value: Callable[[Sample], float]
    digits: int = 0

    def text(self, samples: list[Sample]) -> str:
        return f"{median(self.value(sample) for sample in samples):,.{self.digits}f}"


@dataclass(frozen=True)
class Limit:
    """What a case must show, as the median of the rounds of one run."""

    title: str
    case: str
    value: Callable[[Sample, Sample], float]
    """Of a client's sample and the reference's in the same round."""
    at_least: float | None = None
    at_most: float | None = None
    digits: int = 2
    client: str = "pyuv"
    against: str | None = None
    """Another client than the suite's reference."""
    of_all: bool = False
    """Of all rounds together, instead of the median of each."""

    def holds(self, value: float) -> bool:
        if self.at_least is not None:
            return value >= self.at_least
        return self.at_most is not None and value <= self.at_most

    @property
    def bound(self) -> str:
        if self.at_least is not None:
            return f"at least {self.at_least:g}"
        return f"at most {self.at_most:g}"


@dataclass(frozen=True)
class Settings:
    """What the command line chose."""

    python: str
    """Interpreter of the measured programs."""
    c: Path
    """Folder of the C references."""
    programs: Path
    seconds: float
    warmup: float
    repeat: int
    peers: bool

    def program(self, name: str, *arguments: object) -> tuple[str, ...]:
        return (self.python, str(self.programs / f"{name}.py"), *map(str, arguments))

    def reference(self, name: str, *arguments: object) -> tuple[str, ...]:
        return (str(self.c / name), *map(str, arguments))

    @property
    def timing(self) -> tuple[str, ...]:
        return ("--seconds", f"{self.seconds:g}", "--warmup", f"{self.warmup:g}")


class Suite(Protocol):
    """A module of suites/: its docstring is the method.

    One that compares something else than `Sample.rate` has a function `rate(sample)`; more is better. One
    that is long has `REPEAT` and `SECONDS`, the most that it is run for.
    """

    NAME: str
    TITLE: str
    REFERENCE: str
    """The client that the ratios are taken to."""
    COLUMNS: list[Column]
    LIMITS: list[Limit]

    def cells(self, settings: Settings) -> AbstractContextManager[list[Cell]]:
        """Sets up what the cells need (servers, files) for as long as the context lasts."""
        ...


def rate_of(suite: Suite, sample: Sample) -> float:
    """What the ratios compare."""
    own: Callable[[Sample], float] | None = getattr(suite, "rate", None)
    return own(sample) if own else sample.rate


@dataclass
class Results:
    """Samples by cell, in the order of the cells."""

    samples: dict[Cell, list[Sample]] = field(default_factory=dict)
    failures: dict[Cell, str] = field(default_factory=dict)

    def find(self, case: str, client: str) -> list[Sample]:
        for cell, samples in self.samples.items():
            if (cell.case, cell.client) == (case, client):
                return samples
        return []

    def pairs(self, case: str, client: str, reference: str) -> Iterator[tuple[Sample, Sample]]:
        """Samples of a client and of the reference taken in the same round."""
        others = {sample.round: sample for sample in self.find(case, reference)}
        for sample in self.find(case, client):
            if sample.round in others:
                yield sample, others[sample.round]
