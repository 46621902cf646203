"""Has mypy look at every example: those of the manual and of the README, and the programs in examples/.

    examples_types.py FOLDER

Each example of the manual becomes a file in FOLDER, named after its page and its place there, so that it is
checked as a reader pastes it: alone. Not those that are marked `py`: they are for packages that the
environment of the tools is without.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
EXAMPLE = re.compile(r"^```(?:\{testcode\}|python)\n(?!:hide:)(.*?)^```", re.DOTALL | re.MULTILINE)


def examples() -> Iterator[tuple[str, str]]:
    """The name of each example, and what it says."""
    for page in [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"]:
        for number, text in enumerate(EXAMPLE.findall(page.read_text()), 1):
            yield f"{page.stem.replace('-', '_').lower()}_{number}", text
    for program in sorted((ROOT / "examples").glob("*.py")):
        yield program.stem, program.read_text()


def main(folder: Path) -> int:
    """Write the examples to the folder, and check them all at once."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, text in examples():
        (folder / f"{name}.py").write_text(text)
    return subprocess.run(["mypy", "--strict", "--config-file=", folder], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
