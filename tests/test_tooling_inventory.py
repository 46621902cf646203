"""The inventory of tests: what it reads from the runners, and which differences it reports."""

import inventory
import outcomes
import pytest
from inventory import Entry
from outcomes import Outcome

pytest_plugins = ["pytester"]

PASSED = Outcome("passed")


def differences(entries, where="3.12", **run):
    return list(inventory.differences(entries, where, run))


def test_agreement_is_silent():
    assert differences([Entry("a"), Entry("b")], a=PASSED, b=Outcome("failed")) == []


def test_a_vanished_test_is_reported():
    assert differences([Entry("a"), Entry("b")], a=PASSED) == ["did not run: b"]


def test_an_unlisted_test_is_reported():
    assert differences([Entry("a")], a=PASSED, b=PASSED) == ["not in the inventory: b"]


def test_a_new_skip_is_reported_with_its_reason():
    assert differences([Entry("a")], a=Outcome("skipped", "why")) == ["newly skipped: a (why)"]


def test_a_skip_is_allowed_only_where_it_is_listed():
    entries = [Entry("a", frozenset({"3.11"}), "why")]
    skipped = {"a": Outcome("skipped", "why")}
    assert differences(entries, "3.11", **skipped) == []
    assert differences(entries, "3.12", **skipped) == ["newly skipped: a (why)"]


def test_cargo_and_pytest_are_compared_apart():
    entries = [Entry("cargo pyuv: a"), Entry("tests/b.py::b")]
    assert list(inventory.differences(entries, "cargo", {"cargo pyuv: a": PASSED})) == []
    assert list(inventory.differences(entries, "3.12", {"tests/b.py::b": PASSED})) == []


def test_what_is_recorded_has_no_differences(tmp_path):
    runs = {
        "cargo": {"cargo pyuv: c": PASSED},
        "3.11": {"a": PASSED, "b[x y]": Outcome("skipped", "not\nhere")},
        "3.12": {"a": PASSED, "b[x y]": PASSED},
    }
    path = tmp_path / "inventory.txt"
    inventory.dump(inventory.record(runs), path)
    assert path.read_text() == "a\nb[x y]\t3.11\tnot here\ncargo pyuv: c\n"
    for where, run in runs.items():
        assert list(inventory.differences(inventory.load(path), where, run)) == []


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


def test_a_file_that_skips_itself_is_recorded(run_pytest):
    source = "import pytest\npytest.skip('not here', allow_module_level=True)"
    assert run_pytest(source) == {"test_it.py": Outcome("skipped", "not here")}


def test_a_file_that_cannot_be_imported_is_recorded(run_pytest):
    assert run_pytest("import no_such_module") == {"test_it.py": Outcome("failed")}
