"""From samples to tables: on the terminal, as JSON with each cell's medians, as Markdown for the manual."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from harness.model import Cell, Results, Suite, rate_of, together

FRAGMENT = "tables.md"
"""What docs/performance.md includes."""


@dataclass(frozen=True)
class Line:
    """One row of a suite's table."""

    case: str
    client: str
    figures: list[str]
    ratio: float | None = None
    """To the reference, the median over the rounds; with the lowest and highest."""
    lowest: float | None = None
    highest: float | None = None
    failure: str = ""

    @property
    def ratio_text(self) -> str:
        return "" if self.ratio is None else f"{self.ratio:.3g}"

    @property
    def range_text(self) -> str:
        return "" if self.lowest is None else f"{self.lowest:.3g} to {self.highest:.3g}"


@dataclass(frozen=True)
class Verdict:
    """A limit and what was read."""

    title: str
    bound: str
    value: str
    holds: bool


def lines(suite: Suite, results: Results) -> list[Line]:
    return [line(suite, results, cell) for cell in results.samples]


def line(suite: Suite, results: Results, cell: Cell) -> Line:
    if cell in results.failures:
        return Line(cell.case, cell.client, [], failure=results.failures[cell])
    figures = [column.text(results.samples[cell]) for column in suite.COLUMNS]
    pairs = results.pairs(cell.case, cell.client, suite.REFERENCE)
    ratios = [rate_of(suite, sample) / rate_of(suite, reference) for sample, reference in pairs]
    if not ratios:
        return Line(cell.case, cell.client, figures)
    return Line(cell.case, cell.client, figures, median(ratios), min(ratios), max(ratios))


def verdicts(suite: Suite, results: Results) -> list[Verdict]:
    """Of the limits whose cells were measured."""
    found = []
    for limit in suite.LIMITS:
        pairs = list(results.pairs(limit.case, limit.client, limit.against or suite.REFERENCE))
        if pairs:
            if limit.of_all:
                value = limit.value(*map(together, zip(*pairs, strict=True)))
            else:
                value = median(limit.value(*pair) for pair in pairs)
            text = f"{value:.{limit.digits}f}"
            found.append(Verdict(limit.title, limit.bound, text, limit.holds(value)))
    return found


def show(console: Console, suite: Suite, rows: list[Line], judged: list[Verdict]) -> None:
    table = Table(title=f"{suite.TITLE}: ratio to {suite.REFERENCE}, medians", title_justify="left")
    table.add_column("")
    for title in (*[column.title for column in suite.COLUMNS], "ratio", "range"):
        table.add_column(title, justify="right")
    for index, row in enumerate(rows):
        if index == 0 or rows[index - 1].case != row.case:
            table.add_section()
            table.add_row(row.case, style="bold")
        style = "green" if row.client == "pyuv" else "red" if row.failure else ""
        figures = row.figures or ["failed", *[""] * (len(suite.COLUMNS) - 1)]
        table.add_row(f"  {row.client}", *figures, row.ratio_text, row.range_text, style=style)
    console.print(table)
    for row in rows:
        if row.failure:
            console.print(f"{row.case}, {row.client} failed: {row.failure}", style="red", markup=False)
    if judged:
        limits = Table("limit", "bound", "read", "", title="Limits", title_justify="left")
        for verdict in judged:
            mark = "[green]holds[/]" if verdict.holds else "[red]broken[/]"
            limits.add_row(verdict.title, verdict.bound, verdict.value, mark)
        console.print(limits)


def write(
    folder: Path,
    suite: Suite,
    results: Results,
    machine: dict[str, Any],
    settings: dict[str, Any],
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    document = {
        "suite": suite.NAME,
        "title": suite.TITLE,
        "reference": suite.REFERENCE,
        "columns": [column.title for column in suite.COLUMNS],
        "method": method(suite),
        "machine": machine,
        "settings": settings,
        "versions": versions(results),
        "lines": [asdict(row) for row in lines(suite, results)],
        "limits": [asdict(verdict) for verdict in verdicts(suite, results)],
    }
    (folder / f"{suite.NAME}.json").write_text(on_lines(document))


def on_lines(document: dict[str, Any]) -> str:
    """JSON with a line for each entry, and for each of those in lists."""

    def text(value: Any) -> str:
        if not isinstance(value, list) or not value:
            return json.dumps(value)
        return "[\n" + ",\n".join(f"  {json.dumps(item)}" for item in value) + "\n ]"

    return (
        "{\n" + ",\n".join(f" {json.dumps(key)}: {text(value)}" for key, value in document.items()) + "\n}\n"
    )


def method(suite: Suite) -> str:
    return (suite.__doc__ or "").strip()


def versions(results: Results) -> dict[str, str]:
    return {cell.client: samples[0].version for cell, samples in results.samples.items() if samples}


def write_fragment(folder: Path, order: tuple[str, ...]) -> Path:
    """All suites that have results, so that running one again keeps the others."""
    documents = [
        json.loads((folder / f"{name}.json").read_text())
        for name in order
        if (folder / f"{name}.json").exists()
    ]
    path = folder / FRAGMENT
    path.write_text("\n".join(markdown(document) for document in documents))
    return path


def markdown(document: dict[str, Any]) -> str:
    machine, settings = document["machine"], document["settings"]
    text = [f"## {document['title']}", "", document["method"], ""]
    text += [
        f"{machine['cpu']}, {machine['cores']} cores, {machine['kernel']}, {machine['python']}; "
        f"{settings['repeat']} interleaved rounds of {settings['seconds']:g} s, medians; load "
        f"{machine['load_before']} before. Ratio: to {document['reference']} in the same round.",
        "",
    ]
    for case in dict.fromkeys(row["case"] for row in document["lines"]):
        heads = [case, *document["columns"], "ratio", "range"]
        text += [cells(heads), cells(["---", *["---:"] * (len(heads) - 1)])]
        for entry in document["lines"]:
            if entry["case"] == case:
                row = Line(**entry)
                figures = row.figures or ["failed", *[""] * (len(document["columns"]) - 1)]
                text.append(cells([row.client, *figures, row.ratio_text, row.range_text]))
        text.append("")
    if document["limits"]:
        text += [cells(["limit", "bound", "read", ""]), cells(["---", "---", "---:", "---"])]
        for verdict in document["limits"]:
            mark = "holds" if verdict["holds"] else "**broken**"
            text.append(cells([verdict["title"], verdict["bound"], verdict["value"], mark]))
        text.append("")
    known = ", ".join(f"{client}: {version}" for client, version in document["versions"].items())
    return "\n".join([*text, f"Versions: {known}.", ""])


def cells(values: list[str]) -> str:
    return f"| {' | '.join(values)} |"
