"""Draws the plots of README and manual from benches/results: `python benches/plot.py [--out docs]`.

Bars are ratios to the reference of each panel, from zero; a whisker spans the rounds of the run.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

BENCHES = Path(__file__).resolve().parent
HERE = BENCHES / "results"
OUT = BENCHES.parent / "docs"


@dataclass(frozen=True)
class Panel:
    """One suite's part of the plot: which cases and clients, under which names."""

    suite: str
    title: str
    reference: str
    cases: dict[str, str]
    clients: dict[str, str]


# Okabe and Ito's colours, told apart with any eyesight; pyuv's is the strong one.
GREY, VERMILION = "#999999", "#D55E00"
BLUE, SKY, GREEN, YELLOW, PURPLE = "#0072B2", "#56B4E9", "#009E73", "#F0E442", "#CC79A7"

CORE = [
    Panel(
        "echo",
        "Echo requests per second, TCP, 16 connections",
        "C on libuv = 1",
        {
            "TCP, 64 B, 16 connections": "64 B",
            "TCP, 1 KiB, 16 connections": "1 KiB",
            "TCP, 16 KiB, 16 connections": "16 KiB",
            "TCP, 100 KiB, 16 connections": "100 KiB",
        },
        {
            "C on libuv": GREY,
            "pyuv": VERMILION,
            "uvloop protocol": SKY,
            "rloop protocol": YELLOW,
            "asyncio protocol": GREEN,
        },
    ),
    Panel(
        "dns",
        "DNS queries per second, one core",
        "c-ares in C = 1",
        {
            "1 in flight": "1 in flight",
            "10 in flight": "10",
            "100 in flight": "100",
            "1,000 in flight": "1,000",
        },
        {
            "c-ares in C": GREY,
            "pyuv": VERMILION,
            "pycares": BLUE,
            "aiodns": GREEN,
            "aiodns on uvloop": SKY,
            "dnspython": PURPLE,
        },
    ),
    Panel(
        "files",
        "File operations per second, 16 in flight",
        "direct calls in one thread = 1",
        {"stat": "stat", "open, read 4 KiB, close": "open, read\n4 KiB, close"},
        {
            "direct": GREY,
            "pyuv": VERMILION,
            "asyncfiles": YELLOW,
            "asyncio.to_thread on uvloop": SKY,
            "asyncio.to_thread": GREEN,
            "aiofiles": PURPLE,
        },
    ),
    Panel(
        "callbacks",
        "Callbacks per CPU second",
        "C on libuv = 1",
        {
            "1 idle callback": "idle",
            "20,000 timers, each starting itself again": "timers",
            "an Async that sends to itself": "Async",
        },
        {"C on libuv": GREY, "pyuv": VERMILION, "uvloop": SKY, "asyncio": GREEN},
    ),
]

LOOPS = {
    "asyncio": GREY,
    "pyuv.asyncio": VERMILION,
    "uvloop": SKY,
    "uvloop+aiofastnet": BLUE,
    "rloop": YELLOW,
    "zuvloop": PURPLE,
}
ASYNCIO = [
    Panel(
        "asyncio_echo",
        "Echo requests per second, 1 KiB",
        "asyncio = 1",
        {
            "protocol, 1 KiB": "protocol",
            "buffered protocol, 1 KiB": "buffered\nprotocol",
            "streams, 1 KiB": "streams",
            "sock methods, 1 KiB": "sock\nmethods",
        },
        LOOPS,
    ),
    Panel(
        "scheduler",
        "Operations per CPU second",
        "asyncio = 1",
        {
            "call_soon": "call_soon",
            "call_later": "call_later",
            "a timer made and cancelled": "timer and\ncancel",
            "sleep(0)": "sleep(0)",
            "a future set and awaited": "future",
            "a task in gather": "task in\ngather",
            "call_soon_threadsafe": "threadsafe",
        },
        LOOPS,
    ),
]

PLOTS = {"performance.svg": CORE, "asyncio.svg": ASYNCIO}


def draw(axes: Axes, panel: Panel, document: dict[str, Any]) -> None:
    rows = {(row["case"], row["client"]): row for row in document["lines"]}
    clients = [
        client
        for client in panel.clients
        if any(rows.get((case, client), {}).get("ratio") for case in panel.cases)
    ]
    width = 0.84 / max(1, len(clients))
    for place, client in enumerate(clients):
        for group, case in enumerate(panel.cases):
            row = rows.get((case, client))
            if row is None or row["ratio"] is None:
                continue
            ratio, left = row["ratio"], group + (place - (len(clients) - 1) / 2) * width
            spread = [[ratio - row["lowest"]], [row["highest"] - ratio]]
            axes.bar(
                left,
                ratio,
                width * 0.92,
                color=panel.clients[client],
                label=client if group == 0 or client not in axes.get_legend_handles_labels()[1] else None,
                yerr=None if ratio == 1 and spread == [[0], [0]] else spread,
                error_kw={"linewidth": 0.8, "ecolor": "#333333"},
            )
            axes.annotate(
                f"{ratio:.2g}",
                (left, row["highest"]),
                xytext=(0, 2),
                textcoords="offset points",
                ha="center",
                fontsize=6.5,
            )
    axes.axhline(1, color="#333333", linewidth=0.8, linestyle=":")
    axes.set_xticks(range(len(panel.cases)), list(panel.cases.values()))
    axes.set_ylim(bottom=0)
    axes.set_ylabel(panel.reference)
    axes.set_title(panel.title, fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=7, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2)


def footnote(document: dict[str, Any]) -> str:
    machine, settings = document["machine"], document["settings"]
    return (
        f"Medians of {settings['repeat']} interleaved rounds; whiskers: lowest and highest. "
        f"{machine['cpu']}, {machine['cores']} cores, {machine['python']}. Higher is better."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=HERE)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()

    plt.rcParams.update({"svg.hashsalt": "pyuv", "svg.fonttype": "none", "font.size": 8})
    options.out.mkdir(parents=True, exist_ok=True)
    drawn = [draw_all(options.results, panels, options.out / name) for name, panels in PLOTS.items()]
    if not any(drawn):
        parser.error(f"no results in {options.results}; run benches/run.py first")


def draw_all(results: Path, panels: list[Panel], out: Path) -> bool:
    """A file of the panels that have results, if any."""
    found = [
        (panel, json.loads(path.read_text()))
        for panel in panels
        if (path := results / f"{panel.suite}.json").exists()
    ]
    if not found:
        return False
    figure, plots = plt.subplots(
        1,
        len(found),
        figsize=(4.3 * len(found), 4.2),
        layout="constrained",
        squeeze=False,
        width_ratios=[len(panel.cases) + 0.5 for panel, _ in found],
    )
    for axes, (panel, document) in zip(plots[0], found, strict=True):
        draw(axes, panel, document)
    figure.supxlabel(footnote(found[0][1]), fontsize=7, color="#555555")
    # No date and no random ids: the same results draw the same file.
    figure.savefig(out, metadata={"Date": None})
    return True


if __name__ == "__main__":
    main()
