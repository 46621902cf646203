"""One run: the chosen suites in turn, each set up, measured, shown and written."""

import argparse
import importlib
import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import cast

import debian
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from harness import environment, instructions, machine, report, schedule
from harness.kept import Kept
from harness.model import MEMORY, SUITES, Cell, Settings, Suite

MEMORY_TIME_LIMIT = 600.0
WIDTH = 130
"""Of tables that go to a file or a pipe."""


def measure(options: argparse.Namespace, references: Path) -> int:
    settings = Settings(
        python=sys.executable,
        c=references,
        programs=environment.BENCHES / "programs",
        seconds=options.seconds,
        warmup=min(0.3, options.seconds / 2),
        repeat=options.repeat,
        peers=not options.no_peers,
    )
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    good = True
    for name in options.suites:
        suite = cast(Suite, importlib.import_module(f"suites.{name}"))
        try:
            if options.instructions:
                good &= count(console, suite, settings, options)
            else:
                good &= compare(console, suite, settings, options)
        except (debian.SetupError, environment.SetupError) as problem:
            console.print(f"[red]{suite.TITLE}: {problem}")
            good = False
    if not options.instructions:
        report.write_fragment(options.results, (*SUITES, MEMORY))
    return 0 if good else 1


def compare(console: Console, suite: Suite, settings: Settings, options: argparse.Namespace) -> bool:
    described = machine.describe()
    once = suite.NAME == MEMORY
    settings = short(settings, suite)
    repeat = 1 if once else settings.repeat
    chosen_settings = {"seconds": settings.seconds, "warmup": settings.warmup, "repeat": repeat}
    about = chosen_settings | {"build": environment.build_of(Path(sys.executable)), "only": options.only}
    kept = Kept(environment.BUILD / "samples" / f"{suite.NAME}.jsonl", about, resume=options.resume)
    limit = MEMORY_TIME_LIMIT if once else settings.seconds + schedule.PATIENCE
    with suite.cells(settings) as cells, progress(console) as bar:
        chosen = selected(cells, settings, options.only)
        task = bar.add_task(suite.TITLE, total=len(chosen) * repeat)

        def tell(cell: Cell, number: int, done: int) -> None:
            text = f"{suite.TITLE}, round {number + 1}: {cell.case}, {cell.client}"
            bar.update(task, completed=done, description=text)

        results = schedule.run_rounds(chosen, repeat, limit, kept, tell)
    described["load_after"] = round(machine.load(), 2)
    judged = report.verdicts(suite, results)
    report.show(console, suite, report.lines(suite, results), judged)
    report.write(options.results, suite, results, described, chosen_settings)
    held = all(verdict.holds for verdict in judged) or not options.check
    return held and not results.failures


def short(settings: Settings, suite: Suite) -> Settings:
    """At most the rounds and seconds that the suite asks for."""
    repeat = min(settings.repeat, getattr(suite, "REPEAT", settings.repeat))
    seconds = min(settings.seconds, getattr(suite, "SECONDS", settings.seconds))
    return replace(settings, repeat=repeat, seconds=seconds, warmup=min(settings.warmup, seconds / 2))


def count(console: Console, suite: Suite, settings: Settings, options: argparse.Namespace) -> bool:
    """Instructions instead of time."""
    if not instructions.available():
        console.print("[red]--instructions needs valgrind: apt-get install valgrind")
        return False
    counted: dict[Cell, float] = {}
    failures: dict[Cell, str] = {}
    with suite.cells(settings) as cells, progress(console) as bar:
        chosen = selected(cells, settings, options.only)
        for cell in bar.track(chosen, description=f"{suite.TITLE}, instructions"):
            try:
                counted[cell] = instructions.per_operation(cell)
            except schedule.CellError as failure:
                failures[cell] = str(failure)
    base = {cell.case: value for cell, value in counted.items() if cell.client == suite.REFERENCE}
    table = Table("case", "client", title=f"{suite.TITLE}: user instructions", title_justify="left")
    table.add_column("per operation", justify="right")
    table.add_column(f"more than {suite.REFERENCE}", justify="right")
    rows = []
    for cell in chosen:
        value = counted.get(cell)
        more = value - base[cell.case] if value is not None and cell.case in base else None
        rows.append({"case": cell.case, "client": cell.client, "instructions": value, "more": more})
        table.add_row(
            cell.case,
            cell.client,
            f"failed: {failures[cell]}" if value is None else f"{value:,.0f}",
            "" if more is None else f"{more:+,.0f}",
        )
    console.print(table)
    options.results.mkdir(parents=True, exist_ok=True)
    document = {"suite": suite.NAME, "machine": machine.describe(), "instructions": rows}
    path = options.results / f"{suite.NAME}-instructions.json"
    path.write_text(json.dumps(document, indent=1) + "\n")
    return not failures


def selected(cells: list[Cell], settings: Settings, text: str | None) -> list[Cell]:
    return [cell for cell in cells if (settings.peers or not cell.peer) and re.search(text or "", cell.case)]


def progress(console: Console) -> Progress:
    return Progress(
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
        console=console,
        transient=True,
    )
