"""The table of what PyPy cannot show: its rows are tests, each with a reason."""

from types import SimpleNamespace

import pytest
import python_differences


class Item:
    def __init__(self, nodeid):
        self.nodeid = nodeid
        self.reason = None

    def add_marker(self, mark):
        self.reason = mark.kwargs["reason"]


@pytest.fixture
def table(tmp_path, monkeypatch):
    path = tmp_path / "tests" / "pypy.toml"
    path.parent.mkdir()
    path.write_text(
        '[[skip]]\nreason = "counts"\ntests = ["tests/test_a.py::test_1", "tests/test_a.py::test_2[x]"]\n'
        '[[skip]]\nreason = "whole"\ntests = ["tests/test_b.py", "tests/test_c_*.py"]\n'
    )
    monkeypatch.setattr(python_differences, "TABLE", path)
    return path


def on(monkeypatch, implementation):
    monkeypatch.setattr(python_differences.sys, "implementation", SimpleNamespace(name=implementation))


def test_a_row_stands_for_a_test_or_for_one_of_its_parameters(table):
    items = [Item(f"tests/test_a.py::{name}") for name in ("test_1[p]", "test_2[x]", "test_2[y]")]
    used = python_differences.skip(items)
    assert [item.reason for item in items] == ["counts", "counts", None]
    assert len(used) == 2


@pytest.mark.parametrize(
    ("name", "reason"),
    [("test_a.py", None), ("test_b.py", "whole"), ("test_c.py", None), ("test_c_1.py", "whole")],
)
def test_a_row_stands_for_a_file_or_for_those_of_a_pattern(table, name, reason):
    assert python_differences.reason_for_file(table.parent / name) == reason


@pytest.mark.parametrize("implementation", ["pypy", "cpython"])
def test_a_file_that_is_left_out_is_not_imported(table, monkeypatch, implementation, request):
    on(monkeypatch, implementation)
    parent = request.node.parent.parent
    made = python_differences.pytest_pycollect_makemodule(table.parent / "test_b.py", parent)
    if implementation == "cpython":
        assert made is None
        return
    with pytest.raises(pytest.skip.Exception, match="whole"):
        made.collect()


def test_a_row_without_a_test_is_found_where_its_file_is_collected(table):
    used = python_differences.skip([Item("tests/test_a.py::test_1")])
    assert python_differences.stale(used, {"tests/test_a.py"}) == ["tests/test_a.py::test_2[x]"]
    assert python_differences.stale(used, set()) == []


def test_a_stale_row_ends_a_run_on_pypy(table, monkeypatch):
    on(monkeypatch, "pypy")
    config = SimpleNamespace(args=["tests"])
    with pytest.raises(pytest.UsageError, match=r"no such test: tests/test_a\.py::test_2\[x\]"):
        python_differences.pytest_collection_modifyitems(config, [Item("tests/test_a.py::test_1")])


def test_other_pythons_skip_nothing(table, monkeypatch):
    on(monkeypatch, "cpython")
    items = [Item("tests/test_a.py::test_1")]
    python_differences.pytest_collection_modifyitems(SimpleNamespace(args=["tests"]), items)
    assert items[0].reason is None


def test_every_row_has_a_reason_and_a_file():
    root = python_differences.TABLE.parent.parent
    for test, reason in python_differences.reasons().items():
        assert len(reason) > 20, test
        assert list(root.glob(test.partition("::")[0])), test
