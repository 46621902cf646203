"""The examples of the manual can be pasted: each runs by itself, as it stands."""

import pathlib
import re

import pytest

MANUAL = pathlib.Path(__file__).parents[1] / "docs"
EXAMPLE = re.compile(r"^```\{testcode\}\n(?!:hide:)(.*?)^```", re.DOTALL | re.MULTILINE)
EXAMPLES = [
    pytest.param(page.name, example, id=f"{page.stem}-{number}")
    for page in sorted(MANUAL.glob("*.md"))
    for number, example in enumerate(EXAMPLE.findall(page.read_text()), 1)
]


@pytest.mark.parametrize(("page", "example"), EXAMPLES)
def test_an_example_runs_as_it_stands(page, example, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(compile(example, page, "exec"), {"__name__": "__main__"})


def test_the_manual_has_examples():
    assert len(EXAMPLES) >= 50
