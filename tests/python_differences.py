"""The tests of what PyPy cannot show, from tests/pypy.toml: there they are skipped, each for its reason."""

import fnmatch
import pathlib
import sys
import tomllib

import pytest

TABLE = pathlib.Path(__file__).with_name("pypy.toml")


def reasons():
    """Why not, by the test's id; an id without parameters stands for all of its parameters, a file's for all
    of its tests, and a pattern for those of all files that it matches."""
    rows = tomllib.loads(TABLE.read_text())["skip"]
    return {test: row["reason"] for row in rows for test in row["tests"]}


def names(nodeid):
    """What a row may call a test: with its parameters, or without them."""
    yield nodeid
    yield nodeid.partition("[")[0]


def reason_for_file(path):
    """Why none of a file's tests runs; None if they do."""
    name = path.relative_to(TABLE.parent.parent).as_posix()
    found = (reason for row, reason in reasons().items() if "::" not in row and fnmatch.fnmatch(name, row))
    return next(found, None)


def skip(items):
    """Marks the tests that the table names; gives the rows that it has used."""
    table = reasons()
    used = set()
    for item in items:
        if row := next((name for name in names(item.nodeid) if name in table), None):
            used.add(row)
            item.add_marker(pytest.mark.skip(reason=table[row]))
    return used


def stale(used, files):
    """The rows about tests of these files that no test was found for."""
    return sorted(row for row in reasons().keys() - used if row.partition("::")[0] in files)


class Absent(pytest.Module):
    """A file that is not imported: what it imports may not be there."""

    def collect(self):
        # xdist tells of one file where several say the same.
        pytest.skip(f"{reason_for_file(self.path)} ({self.path.name})", allow_module_level=True)


def pytest_configure(config):
    if sys.implementation.name == "pypy":
        # The garbage of one test is collected during another.
        config.addinivalue_line("filterwarnings", "ignore::pytest.PytestUnraisableExceptionWarning")


def pytest_pycollect_makemodule(module_path, parent):
    if sys.implementation.name == "pypy" and reason_for_file(module_path):
        return Absent.from_parent(parent, path=module_path)
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    if sys.implementation.name != "pypy":
        return
    used = skip(items)
    files = {item.nodeid.partition("::")[0] for item in items}
    # Where single tests are asked for, the others were not collected.
    if not any("::" in argument for argument in config.args) and (rows := stale(used, files)):
        raise pytest.UsageError(f"{TABLE.name}: no such test: {', '.join(rows)}")
