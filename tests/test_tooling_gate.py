"""The 1.4.0 gate's own logic: reading a child's report, comparing with the list, bad ends of a process."""

import json
import sys
from pathlib import Path

import gate
import pytest

PYTHON = Path(sys.executable)


def report(*events):
    return gate.read_report("test_a.py", [json.dumps(event) for event in events])


def suite(folder, source):
    (folder / "test_a.py").write_text(source)
    return folder


def test_a_report_is_sorted_into_outcomes():
    result = report(
        ["begin", "test_a.A.x"],
        ["end", "test_a.A.x", "passed", ""],
        ["begin", "test_a.A.y"],
        ["end", "test_a.A.y", "failed", "why"],
        ["begin", "test_a.A.z"],
        ["end", "test_a.A.z", "skipped", "not here"],
        ["done"],
    )
    assert result.passed == ["test_a.A.x"]
    assert result.failed == {"test_a.A.y": "why"}
    assert result.skipped == {"test_a.A.z": "not here"}
    assert (result.unfinished, result.problem) == ([], "")


def test_what_began_and_did_not_end_is_unfinished():
    result = report(["begin", "test_a.A.x"])
    assert result.unfinished == ["test_a.A.x"]
    assert result.problem


def test_an_empty_report_is_a_problem():
    assert report().problem


@pytest.mark.parametrize(
    ("event", "state"),
    [
        (["end", "test_a.A.x", "failed", ""], "failed"),
        (["end", "test_a.A.x", "skipped", ""], "was skipped"),
        (["done"], "did not finish"),
    ],
)
def test_a_listed_test_must_pass(event, state):
    result = report(["begin", "test_a.A.x"], event, ["done"])
    assert f"expected to pass, but {state}: test_a.A.x" in list(gate.compare({"test_a.A.x"}, [result]))


def test_a_listed_test_must_run():
    differences = gate.compare({"test_a.A.x"}, [report(["done"])])
    assert list(differences) == ["expected to pass, but did not run: test_a.A.x"]


def test_a_passing_test_must_be_listed():
    result = report(["begin", "test_a.A.x"], ["end", "test_a.A.x", "passed", ""], ["done"])
    (difference,) = gate.compare(set(), [result])
    assert "test_a.A.x" in difference


def test_what_root_alone_can_do_must_pass_where_it_can(monkeypatch):
    results = [gate.read_report("test_process.py", [json.dumps(["done"])])]
    monkeypatch.setattr(gate, "python_for_everybody", lambda python: None)
    assert list(gate.compare(gate.AS_ROOT, results)) == []
    monkeypatch.setattr(gate, "python_for_everybody", lambda python: python)
    assert len(list(gate.compare(gate.AS_ROOT, results))) == len(gate.AS_ROOT) == 2


def test_a_file_that_was_not_run_is_not_compared():
    assert list(gate.compare({"test_b.B.x"}, [report(["done"])])) == []


def test_a_bad_end_of_a_file_with_listed_tests_is_a_difference():
    result = report(["begin", "test_a.A.x"], ["end", "test_a.A.x", "passed", ""])
    (difference,) = gate.compare({"test_a.A.x"}, [result])
    assert difference.startswith("test_a.py: ")


def test_removed_names_are_back_in_the_child(tmp_path):
    source = """
import os, sys, unittest
os.stat_float_times(False)
class A(unittest.TestCase):
    def test_names(self):
        self.assertEquals(1, 1)
    def test_terminal(self):
        self.assertTrue(sys.stdin.isatty())
    def test_folder(self):
        self.assertTrue(os.path.exists("test_a.py"))
"""
    result = gate.run_file(PYTHON, suite(tmp_path, source), "test_a.py")
    assert sorted(result.passed) == [f"test_a.A.test_{name}" for name in ("folder", "names", "terminal")]
    assert result.problem == ""


def test_a_crash_names_the_signal_and_the_test(tmp_path):
    source = "import os, unittest\nclass A(unittest.TestCase):\n    def test_x(self): os.abort()\n"
    result = gate.run_file(PYTHON, suite(tmp_path, source), "test_a.py")
    assert "SIGABRT" in result.problem
    assert result.unfinished == ["test_a.A.test_x"]


def test_a_hang_is_ended_and_named(tmp_path):
    source = (
        "import threading, unittest\n"
        "class A(unittest.TestCase):\n    def test_x(self): threading.Event().wait()\n"
    )
    result = gate.run_file(PYTHON, suite(tmp_path, source), "test_a.py", limit=2)
    assert result.problem.startswith("no end after 2 s")
    assert result.unfinished == ["test_a.A.test_x"]


def test_a_file_that_cannot_be_imported_is_a_problem_with_its_output(tmp_path):
    result = gate.run_file(PYTHON, suite(tmp_path, "import no_such_module"), "test_a.py")
    assert result.problem.startswith("exit status 1")
    assert "no_such_module" in result.problem
