"""Finding the Pythons: what is taken, and what is passed over."""

import json
import os
import sys
from pathlib import Path

import interpreters
import pytest
from interpreters import Interpreter


def script(path, body):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def python(version, *, path="python", **facts):
    return Interpreter(Path(path), version, **facts)


def answer(**facts):
    """What the probe prints on a Python with these facts."""
    usual = {
        "path": "/python",
        "version": [3, 12, 1],
        "implementation": "cpython",
        "has_gil": True,
        "has_venv": True,
        "has_test": True,
    }
    return f"echo '{json.dumps(usual | facts)}'"


def test_probe_describes_the_running_python():
    found = interpreters.probe(Path(sys.executable))
    assert found is not None
    assert found.version == sys.version_info[:3]
    assert found.name in interpreters.KNOWN


def test_probe_of_a_virtual_environment_gives_the_python_it_was_made_from():
    found = interpreters.probe(Path(sys.executable))
    assert found is not None
    assert found.path.resolve() == Path(sys.executable).resolve()


@pytest.mark.parametrize("body", ["exit 127", "echo not JSON", "kill -9 $$"])
def test_probe_rejects_what_does_not_run(tmp_path, body):
    assert interpreters.probe(script(tmp_path / "python3.12", body)) is None


def test_probe_rejects_what_is_not_executable(tmp_path):
    (tmp_path / "python3.12").write_text("")
    assert interpreters.probe(tmp_path / "python3.12") is None


@pytest.mark.parametrize(
    "facts",
    [{"implementation": "graalpy"}, {"has_gil": False}, {"version": [3, 10, 1]}],
    ids=["implementation", "GIL", "version"],
)
def test_probe_rejects_pythons_that_are_not_supported(tmp_path, facts):
    assert interpreters.probe(script(tmp_path / "python3.12", answer(**facts))) is None


@pytest.mark.parametrize(
    ("facts", "name", "folder"),
    [
        ({}, "3.12", "py3.12"),
        ({"version": [3, 14, 2], "has_gil": False}, "3.14t", "py3.14t"),
        ({"version": [3, 11, 17], "implementation": "pypy"}, "pypy3.11", "pypy3.11"),
    ],
)
def test_probe_tells_the_kinds_apart(tmp_path, facts, name, folder):
    found = interpreters.probe(script(tmp_path / "python", answer(**facts)))
    assert (found.name, found.folder) == (name, folder)


def test_pythons_that_are_named_come_first(tmp_path, monkeypatch):
    named = [tmp_path / "here" / "python", tmp_path / "there" / "python"]
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", os.fspath(tmp_path))
    monkeypatch.setenv("PYUV_PYTHONS", os.pathsep.join(map(os.fspath, named)))
    assert list(interpreters.candidates()) == named


def test_pypy_without_tests_of_cpython_is_complete():
    assert python((3, 11, 17), implementation="pypy", has_test=False).is_complete
    assert not python((3, 11, 17), has_test=False).is_complete


def test_the_usual_pythons_come_before_those_without_gil_and_pypy():
    found = [
        python((3, 11, 17), implementation="pypy"),
        python((3, 14, 2), has_gil=False),
        python((3, 15, 0)),
        python((3, 11, 2)),
    ]
    assert [each.name for each in interpreters.best(found)] == ["3.11", "3.15", "3.14t", "pypy3.11"]


def test_candidates_come_from_path_and_from_pyenv(tmp_path, monkeypatch):
    on_path = script(tmp_path / "bin" / "python3.12", "exit 0")
    in_pyenv = script(tmp_path / "pyenv" / "versions" / "3.13.0" / "bin" / "python3.13", "exit 0")
    monkeypatch.setenv("PATH", os.fspath(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", os.fspath(tmp_path / "pyenv"))
    assert list(interpreters.candidates()) == [on_path, in_pyenv]


def test_best_is_one_per_minor_version_oldest_first():
    found = [python((3, 13, 0)), python((3, 11, 2)), python((3, 11, 7)), python((3, 11, 4))]
    assert [each.version for each in interpreters.best(found)] == [(3, 11, 7), (3, 13, 0)]


def test_best_prefers_a_complete_python_to_a_newer_trimmed_one():
    found = [python((3, 11, 2)), python((3, 11, 9), has_venv=False), python((3, 11, 8), has_test=False)]
    assert [each.version for each in interpreters.best(found)] == [(3, 11, 2)]
