"""Random programs against pyuv: `python tests/fuzz [--seconds 60] [--jobs 1] [--seed N ...] [--shrink]`.

Each seed is a program of its own, run in a process of its own. A process that is killed, aborts, hangs,
panics or keeps loops that nobody has is a finding: its program is kept in --out, and cut down with --shrink.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

import verdict
from generator import Program
from idioms import IDIOMS
from shrink import shrink, tidy


def fresh_seeds() -> Iterator[int]:
    first = random.SystemRandom().randrange(1 << 32)
    print(f"seeds from {first}", flush=True)
    return itertools.count(first)


def judge(text: str, patience: float = verdict.PATIENCE) -> verdict.Verdict:
    with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
        file.write(text)
        file.flush()
        return verdict.run(Path(file.name), patience)


def again(text: str, wrong: str, tries: int) -> bool:
    return any(judge(text, verdict.PATIENCE / 3).wrong == wrong for _ in range(tries))


def report(name: str, text: str, found: verdict.Verdict, options: argparse.Namespace) -> None:
    print(f"{name}: {found.wrong}", flush=True)
    options.out.mkdir(parents=True, exist_ok=True)
    place = options.out / f"{name}.py"
    place.write_text(f"# {found.wrong}\n{text}")
    place.with_suffix(".log").write_text(found.output)
    if options.shrink:
        small = place.with_suffix(".small.py")
        shrink(text, lambda smaller: again(smaller, found.wrong, options.tries), small.write_text)
        small.write_text(tidy(small.read_text()))
        print(f"cut down: {small}", flush=True)


def fuzz(seeds: Iterable[int], options: argparse.Namespace) -> int:
    """Runs programs until the time is over, and says how many went wrong."""
    deadline = time.monotonic() + options.seconds
    without = frozenset(options.without)
    ran = wrong = 0
    pending: dict[Future[verdict.Verdict], tuple[int, str]] = {}
    seeds = iter(seeds)
    with ThreadPoolExecutor(options.jobs) as pool:
        while True:
            while len(pending) < options.jobs and time.monotonic() < deadline:
                seed = next(seeds, None)
                if seed is None:
                    break
                text = Program(seed, without).text()
                pending[pool.submit(judge, text)] = (seed, text)
            if not pending:
                break
            done, _ = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                seed, text = pending.pop(future)
                ran += 1
                if future.result().wrong:
                    wrong += 1
                    report(str(seed), text, future.result(), options)
    print(f"{ran} programs, {wrong} findings")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=60, help="for how long")
    parser.add_argument("--jobs", type=int, default=1, help="how many at a time")
    parser.add_argument("--seed", type=int, action="append", help="this program, and no others")
    parser.add_argument("--without", action="append", default=[], choices=IDIOMS, help="leave a kind out")
    parser.add_argument("--program", type=Path, help="a program that was kept: run it, or cut it down")
    parser.add_argument(
        "--print", action="store_true", help="show the programs of the seeds, do not run them"
    )
    parser.add_argument("--shrink", action="store_true", help="cut findings down")
    parser.add_argument("--tries", type=int, default=3, help="how often a smaller program may succeed")
    parser.add_argument("--out", type=Path, default=Path("build/fuzz"), help="where findings go")
    options = parser.parse_args()
    if options.print:
        for seed in options.seed or [0]:
            print(Program(seed, frozenset(options.without)).text())
        return 0
    if options.program:
        text = options.program.read_text()
        found = next((found for found in (judge(text) for _ in range(options.tries)) if found.wrong), None)
        if found:
            report(options.program.stem, text, found, options)
        return found is not None
    return bool(fuzz(options.seed or fresh_seeds(), options))


if __name__ == "__main__":
    sys.exit(main())
