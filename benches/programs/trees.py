"""Goes through, copies or removes a tree in one of the ways there are, again and again.

    trees.py --client NAME --case walk|du|copytree|rmtree --folder FOLDER

The tree is FOLDER/tree; copies are made beside it.
"""

import argparse
import os
import platform
import resource
import shutil
import subprocess
import time
from collections.abc import Callable

from measure import Meter, report

Job = Callable[[str, str], int | None]
"""Does the case once, with the tree and the place of the copy; gives the number of entries if it knows."""


class Sum(Meter):
    """Wall and CPU seconds of several stretches, with those of child processes."""

    def __enter__(self) -> None:
        self._begin = self._now()

    def __exit__(self, *exception: object) -> None:
        seconds, user, system = (now - begin for now, begin in zip(self._now(), self._begin, strict=True))
        self.seconds += seconds
        self.user += user
        self.system += system

    @staticmethod
    def _now() -> tuple[float, float, float]:
        usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return (
            time.perf_counter(),
            sum(usage.ru_utime for usage in usages),
            sum(usage.ru_stime for usage in usages),
        )


def coreutils(case: str) -> tuple[Job, str]:
    def run(tree: str, copy: str) -> None:
        commands = {
            "walk": ["du", "-s", tree],
            "du": ["du", "-s", tree],
            "copytree": ["cp", "-r", tree, copy],
            "rmtree": ["rm", "-r", copy],
        }
        subprocess.run(commands[case], stdout=subprocess.DEVNULL, check=True)

    shown = subprocess.run(["du", "--version"], stdout=subprocess.PIPE, text=True, check=True)
    return run, shown.stdout.splitlines()[0]


def pyuv_jobs(case: str, *, at_once: bool) -> tuple[Job, str]:
    import pyuv
    from pyuv import fs

    calls = {"walk": fs.walk, "du": fs.du, "copytree": fs.copytree, "rmtree": fs.rmtree}

    def run(tree: str, copy: str) -> int:
        arguments = {"copytree": (tree, copy), "rmtree": (copy,)}.get(case, (tree,))
        loop = pyuv.Loop()
        if at_once:
            result = calls[case](loop, *arguments)
        else:
            request = calls[case](loop, *arguments, callback=lambda request: None)
            loop.run()
            result = request.result
        if case == "walk":
            return 1 + sum(len(entries) for _, entries in result.folders)
        return int(result.files + result.folders)

    return run, f"pyuv {pyuv.__version__}"


def os_walk(case: str) -> tuple[Job, str]:
    def walk(tree: str, copy: str) -> int:
        return 1 + sum(len(folders) + len(files) for _, folders, files in os.walk(tree))

    def du(tree: str, copy: str) -> int:
        total, count = os.lstat(tree).st_blocks, 1
        for folder, folders, files in os.walk(tree):
            for name in folders + files:
                total += os.lstat(os.path.join(folder, name)).st_blocks
                count += 1
        return count

    return (walk if case == "walk" else du), f"Python {platform.python_version()}"


def os_scandir(case: str) -> tuple[Job, str]:
    def walk(tree: str, copy: str = "") -> int:
        count = 1
        with os.scandir(tree) as entries:
            for entry in entries:
                count += walk(entry.path) if entry.is_dir(follow_symlinks=False) else 1
        return count

    def du(tree: str, copy: str = "") -> int:
        total, count = 0, 1
        with os.scandir(tree) as entries:
            for entry in entries:
                total += entry.stat(follow_symlinks=False).st_blocks
                count += du(entry.path) if entry.is_dir(follow_symlinks=False) else 1
        return count

    return (walk if case == "walk" else du), f"Python {platform.python_version()}"


def shutil_jobs(case: str) -> tuple[Job, str]:
    def run(tree: str, copy: str) -> None:
        if case == "copytree":
            shutil.copytree(tree, copy, symlinks=True)
        else:
            shutil.rmtree(copy)

    return run, f"Python {platform.python_version()}"


CLIENTS: dict[str, Callable[[str], tuple[Job, str]]] = {
    "coreutils": coreutils,
    "pyuv": lambda case: pyuv_jobs(case, at_once=False),
    "pyuv, at once": lambda case: pyuv_jobs(case, at_once=True),
    "os.walk": os_walk,
    "os.scandir": os_scandir,
    "shutil": shutil_jobs,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--client", required=True, choices=[*CLIENTS])
    parser.add_argument("--case", required=True, choices=["walk", "du", "copytree", "rmtree"])
    parser.add_argument("--folder", required=True)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--warmup", type=float, default=0.2)
    options = parser.parse_args()
    tree, copy = os.path.join(options.folder, "tree"), os.path.join(options.folder, "copy")
    entries = int(
        subprocess.run(["du", "-s", "--inodes", tree], stdout=subprocess.PIPE, check=True).stdout.split()[0]
    )
    job, version = CLIENTS[options.client](options.case)
    meter = Sum()
    done = errors = 0
    if options.case in ("walk", "du"):
        # The others are the first to see their copy, whoever they are.
        job(tree, copy)
    while meter.seconds < options.seconds:
        if options.case == "rmtree":
            subprocess.run(["cp", "-r", tree, copy], check=True)
        with meter:
            count = job(tree, copy)
        done += entries
        errors += (count is not None and count != entries) + (
            os.path.exists(copy) is not (options.case == "copytree")
        )
        if options.case == "copytree":
            subprocess.run(["rm", "-r", copy], check=True)
    report(done, meter, version, errors)


main()
