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
    path = tmp_path / "pypy.toml"
    path.write_text(
        '[[skip]]\nreason = "counts"\ntests = ["tests/test_a.py::test_1", "tests/test_a.py::test_2[x]"]\n'
        '[[skip]]\nreason = "whole"\ntests = ["tests/test_b.py"]\n'
    )
    monkeypatch.setattr(python_differences, "TABLE", path)


def test_a_row_stands_for_a_test_one_of_its_parameters_or_a_file(table):
    names = ["test_a.py::test_1[p]", "test_a.py::test_2[x]", "test_a.py::test_2[y]", "test_b.py::test_3"]
    items = [Item(f"tests/{name}") for name in names]
    used = python_differences.skip(items)
    assert [item.reason for item in items] == ["counts", "counts", None, "whole"]
    assert len(used) == 3


def test_a_row_without_a_test_is_found_where_its_file_is_collected(table):
    used = python_differences.skip([Item("tests/test_a.py::test_1")])
    assert python_differences.stale(used, {"tests/test_a.py"}) == ["tests/test_a.py::test_2[x]"]
    assert python_differences.stale(used, set()) == []


def test_a_stale_row_ends_a_run_on_pypy(table, monkeypatch):
    monkeypatch.setattr(python_differences.sys, "implementation", SimpleNamespace(name="pypy"))
    config = SimpleNamespace(args=["tests"])
    with pytest.raises(pytest.UsageError, match=r"no such test: tests/test_a\.py::test_2\[x\]"):
        python_differences.pytest_collection_modifyitems(config, [Item("tests/test_a.py::test_1")])


def test_other_pythons_skip_nothing(table, monkeypatch):
    monkeypatch.setattr(python_differences.sys, "implementation", SimpleNamespace(name="cpython"))
    items = [Item("tests/test_a.py::test_1")]
    python_differences.pytest_collection_modifyitems(SimpleNamespace(args=["tests"]), items)
    assert items[0].reason is None


def test_every_row_has_a_reason_and_a_file():
    rows = python_differences.reasons()
    for test, reason in rows.items():
        assert len(reason) > 20, test
        assert python_differences.TABLE.parent.parent.joinpath(test.partition("::")[0]).is_file(), test
