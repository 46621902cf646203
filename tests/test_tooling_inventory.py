"""The inventory of tests: what it reads from the runners, and which differences it reports."""

import inventory
import outcomes
import pytest
from inventory import Group, Inventory, Skip
from outcomes import Outcome

pytest_plugins = ["pytester"]

PASSED = Outcome("passed")
# pytest in a process of its own is slow to start, on PyPy above all.
starts_pytest = pytest.mark.timeout(180)


def recorded(*names, skips=None):
    """The inventory of tests that all passed, with the skips that are allowed."""
    runs = {}
    for name in names:
        where = "cargo" if name.startswith("cargo ") else "3.11"
        runs.setdefault(where, {})[name] = PASSED
    whole = inventory.record(runs, Inventory())
    whole.skips = skips or {}
    return whole


def differences(whole, where="3.12", *, part=False, **run):
    run = {f"t.py::{name}": outcome for name, outcome in run.items()}
    return list(inventory.differences(whole, where, run, part=part))


def test_agreement_is_silent():
    assert differences(recorded("t.py::a", "t.py::b"), a=PASSED, b=Outcome("failed")) == []


def test_a_vanished_test_is_reported():
    seen = differences(recorded("t.py::a", "t.py::b"), a=PASSED)
    assert seen == ["not as in the inventory: t.py (2 tests recorded, 1 ran)"]


def test_an_unlisted_test_is_reported():
    seen = differences(recorded("t.py::a"), a=PASSED, b=PASSED)
    assert seen == ["not as in the inventory: t.py (1 tests recorded, 2 ran)"]


def test_another_name_is_reported():
    seen = differences(recorded("t.py::a"), b=PASSED)
    assert seen == ["not as in the inventory: t.py (1 tests, of other names)"]


def test_a_file_that_vanished_or_is_not_recorded_is_reported():
    seen = differences(recorded("s.py::a"), a=PASSED)
    assert seen == ["did not run: s.py", "not in the inventory: t.py"]


def test_of_a_part_only_what_ran_is_looked_at():
    whole = recorded("s.py::a", "t.py::a")
    assert differences(whole, part=True, a=PASSED) == []
    seen = differences(whole, part=True, b=PASSED)
    assert seen == ["not as in the inventory: t.py (1 tests, of other names)"]


def test_a_new_skip_is_reported_with_its_reason():
    seen = differences(recorded("t.py::a"), a=Outcome("skipped", "why"))
    assert seen == ["newly skipped: t.py::a (why)"]


def test_a_skip_is_allowed_only_where_it_is_listed():
    whole = recorded("t.py::a", skips={"t.py::a": Skip(frozenset({"3.11"}), "why")})
    assert differences(whole, "3.11", a=Outcome("skipped", "why")) == []
    assert differences(whole, "3.12", a=Outcome("skipped", "why")) == ["newly skipped: t.py::a (why)"]


def test_cargo_and_pytest_are_compared_apart():
    whole = recorded("cargo pyuv: a", "tests/b.py::b")
    assert list(inventory.differences(whole, "cargo", {"cargo pyuv: a": PASSED})) == []
    assert list(inventory.differences(whole, "3.12", {"tests/b.py::b": PASSED})) == []


def test_what_is_recorded_has_no_differences(tmp_path):
    runs = {
        "cargo": {"cargo pyuv: c": PASSED, "cargo pyuv: timer::tests::d": PASSED},
        "3.11": {"t.py::a": PASSED, "t.py::b[x y]": Outcome("skipped", "not\nhere")},
        "3.12": {"t.py::a": PASSED, "t.py::b[x y]": PASSED},
    }
    path = tmp_path / "inventory.txt"
    inventory.dump(inventory.record(runs, Inventory()), path)
    names = [line.split("\t")[:2] for line in path.read_text().splitlines()]
    groups = [["cargo pyuv", "1"], ["cargo pyuv: timer", "1"], ["t.py", "2"]]
    assert names == [*groups, ["skip", "t.py::b[x y]"]]
    for where, run in runs.items():
        assert list(inventory.differences(inventory.load(path), where, run)) == []


def test_a_file_that_skips_itself_is_a_skip_and_no_group():
    runs = {"3.11": {"t.py::a": PASSED}, "pypy3.11": {"t.py": Outcome("skipped", "why")}}
    whole = inventory.record(runs, Inventory())
    assert whole.groups == {"t.py": Group.of(["t.py::a"])}
    assert whole.skips == {"t.py": Skip(frozenset({"pypy3.11"}), "why")}
    assert list(inventory.differences(whole, "pypy3.11", runs["pypy3.11"])) == []
    assert list(inventory.differences(whole, "3.12", runs["pypy3.11"])) == ["newly skipped: t.py (why)"]


def test_a_run_brings_up_to_date_what_it_is_about():
    skipped = Outcome("skipped", "why")
    runs = {"cargo": {"cargo pyuv: a": PASSED}, "3.11": {"t.py::a": skipped}, "3.12": {"t.py::a": skipped}}
    before = inventory.record(runs, Inventory())
    after = inventory.record({"3.12": {"t.py::a": PASSED, "t.py::b": PASSED}}, before)
    assert after.groups == {**before.groups, "t.py": Group.of(["t.py::a", "t.py::b"])}
    assert after.skips == {"t.py::a": Skip(frozenset({"3.11"}), "why")}


def test_a_line_that_is_none_of_the_inventory_is_refused(tmp_path):
    path = tmp_path / "inventory.txt"
    path.write_text("t.py::a\n")
    with pytest.raises(ValueError, match="not a line of the inventory"):
        inventory.load(path)


def test_cargo_output_is_read_with_binaries_reasons_and_examples_told_apart():
    output = """\
     Running unittests src/lib.rs (target/testing/deps/pyuv_dns-0123456789abcdef)
running 3 tests
test channel::tests::asks ... ok
test channel::tests::slow ... ignored, takes a minute
test channel::tests::wrong ... FAILED
test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out
   Doc-tests pyuv
test src/timer.rs - timer::Timer (line 10) ... ok
test src/timer.rs - timer::Timer (line 20) ... ok
"""
    assert outcomes.parse_cargo(output.splitlines()) == {
        "cargo pyuv_dns: channel::tests::asks": PASSED,
        "cargo pyuv_dns: channel::tests::slow": Outcome("skipped", "takes a minute"),
        "cargo pyuv_dns: channel::tests::wrong": Outcome("failed"),
        "cargo pyuv doc: src/timer.rs - timer::Timer": PASSED,
        "cargo pyuv doc: src/timer.rs - timer::Timer #2": PASSED,
    }


@pytest.fixture
def run_pytest(pytester, monkeypatch):
    # As the plugin is used: named on the command line, in front of xdist.
    def run(source, *arguments):
        pytester.makepyfile(test_it=source)
        pytester.runpytest_subprocess(
            "-p", "pytest_outcomes", "--outcomes", "out.json", "-p", "no:cacheprovider", *arguments
        )
        return outcomes.read_pytest(pytester.path / "out.json")

    scripts = [path for path in pytester._request.config.getini("pythonpath") if path.name == "scripts"]
    monkeypatch.setenv("PYTHONPATH", str(pytester._request.config.rootpath / scripts[0]))
    return run


@starts_pytest
@pytest.mark.parametrize("arguments", [[], ["-n", "2"]], ids=["alone", "xdist"])
def test_pytest_outcomes_are_recorded(run_pytest, arguments):
    source = """
        import pytest
        @pytest.fixture
        def broken():
            yield
            raise ValueError
        @pytest.mark.parametrize("n", [1, 2])
        def test_passes(n): pass
        def test_fails(): assert False
        def test_skips(): pytest.skip("no reason")
        @pytest.mark.xfail(reason="known")
        def test_expected(): assert False
        def test_teardown(broken): pass
    """
    assert run_pytest(source, *arguments) == {
        "test_it.py::test_passes[1]": PASSED,
        "test_it.py::test_passes[2]": PASSED,
        "test_it.py::test_fails": Outcome("failed"),
        "test_it.py::test_skips": Outcome("skipped", "no reason"),
        "test_it.py::test_expected": Outcome("skipped", "expected failure: known"),
        "test_it.py::test_teardown": Outcome("failed"),
    }


@starts_pytest
def test_a_file_that_skips_itself_is_recorded(run_pytest):
    source = "import pytest\npytest.skip('not here', allow_module_level=True)"
    assert run_pytest(source) == {"test_it.py": Outcome("skipped", "not here")}


@starts_pytest
def test_a_file_that_cannot_be_imported_is_recorded(run_pytest):
    assert run_pytest("import no_such_module") == {"test_it.py": Outcome("failed")}


def test_real_programs_have_an_inventory_of_their_own():
    program = "tests/programs/test_x.py::a"
    runs = {"3.13": {"t.py::a": PASSED}, "programs-3.13": {program: PASSED}}
    whole = inventory.record(runs, Inventory())
    for where, run in runs.items():
        assert list(inventory.differences(whole, where, run)) == []
    assert list(inventory.differences(whole, "programs-3.13", {"tests/programs/test_y.py::a": PASSED})) == [
        "did not run: tests/programs/test_x.py",
        "not in the inventory: tests/programs/test_y.py",
    ]
    assert list(inventory.differences(whole, "3.13", {})) == ["did not run: t.py"]
    # A run of the one kind leaves what is recorded of the other.
    again = inventory.record({"3.13": runs["3.13"]}, whole)
    assert again.groups == whole.groups
