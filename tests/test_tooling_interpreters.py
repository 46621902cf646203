"""Finding the Pythons: what is taken, and what is passed over."""

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


def python(version, *, path="python", has_venv=True, has_test=True):
    return Interpreter(Path(path), version, has_venv, has_test)


def test_probe_describes_the_running_python():
    found = interpreters.probe(Path(sys.executable))
    assert found is not None
    assert found.version == sys.version_info[:3]
    assert found.name == f"{sys.version_info[0]}.{sys.version_info[1]}"


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
    ("field", "value"), [("cpython", "false"), ("has_gil", "false"), ("version", "[3, 10, 1]")]
)
def test_probe_rejects_pythons_that_are_not_supported(tmp_path, field, value):
    facts = {"cpython": "true", "has_gil": "true", "version": "[3, 12, 1]", field: value}
    extra = ", ".join(f'"{name}": {fact}' for name, fact in facts.items())
    answer = f'{{"path": "/python", "has_venv": true, "has_test": true, {extra}}}'
    assert interpreters.probe(script(tmp_path / "python3.12", f"echo '{answer}'")) is None


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
