"""docs/coverage.toml says what has become of every function, and it is true."""

import re

import api_coverage
import api_headers
import api_rows
import pytest
import vendored
from api_rows import Row

GOOD = {
    "python": Row(
        "uv_run", "python", "pyuv.Loop.run", "tests/test_loop.py::test_run_goes_on_until_nothing_is_active"
    ),
    "python, in another way": Row(
        "uv_mutex_lock",
        "python",
        "pyuv.thread.Mutex.lock",
        "tests/test_thread_mutex.py::test_misuse_of_a_mutex_raises",
        note="otherwise",
    ),
    "a file": Row("uv_freeaddrinfo", "rust", "dns/src/getaddrinfo.rs::cleanup"),
    "a folder": Row("uv_freeaddrinfo", "rust", "dns/src::cleanup"),
    "through the crate": Row(
        "ares_dns_record_query_add", "rust", "dns/src/engine.rs::to_c_ares", via="query_add"
    ),
    "through a method of the crate's own": Row(
        "ares_dns_rr_get_name", "rust", "dns/src/record.rs::fmt", via="fmt"
    ),
    "a reason": Row("uv_sleep", "reason", "time.sleep"),
}

TEST = "tests/test_loop.py::test_run_goes_on_until_nothing_is_active"
BAD = {
    "no attribute": (Row("uv_run", "python", "pyuv.Gone.run", TEST), "there is no pyuv.Gone.run"),
    "no test": (Row("uv_run", "python", "pyuv.Loop.run"), "there is no test"),
    "no file": (Row("uv_run", "python", "pyuv.Loop.run", "tests/gone.py::test_run"), "no tests/gone.py"),
    "no function": (Row("uv_run", "python", "pyuv.Loop.run", "tests/test_loop.py::test_gone"), "test_gone"),
    "another test": (Row("uv_now", "python", "pyuv.Loop.now", TEST), "does not use pyuv.Loop.now"),
    "no call and no note": (Row("uv_tty_init_ex", "python", "pyuv.Loop.run", TEST), "nothing calls"),
    "no Rust file": (Row("uv_close", "rust", "src/gone.rs::close"), "there is no src/gone.rs"),
    "no Rust function": (Row("uv_freeaddrinfo", "rust", "dns/src/getaddrinfo.rs::gone"), "has no gone"),
    "no call there": (Row("uv_tty_init_ex", "rust", "src/handle/mod.rs::close"), "has no close beside a use"),
    "not in the crate": (
        Row("ares_dns_rr_get_u8", "rust", "dns/src/engine.rs::to_c_ares", via="query_add"),
        "does not call it in query_add",
    ),
}


def test_every_public_function_has_a_row_and_every_row_is_true():
    assert api_coverage.check() == []


def test_the_headers_are_read_whole():
    for library, described in api_headers.LIBRARIES.items():
        folder = vendored.crates()[described.crate].folder
        texts = [(folder / header).read_text() for header in described.headers]
        declared = sum(len(re.findall(rf"^{described.marker}\b", text, re.MULTILINE)) for text in texts)
        names = api_headers.functions(library)
        assert len(names) >= declared > 100
        assert all(re.fullmatch(r"(uv|ares)_[a-z0-9_]+", name) for name in names)
        assert len(names) == len(set(names))
    assert len(api_headers.functions("libuv")) == 319


def test_declarations_of_every_shape_are_found():
    header = """
        #define API __attribute__((visibility("default"))) \\
            API_again(x)
        API int
        first(int (*callback)(void));
        API const char*   second (void); /* API int not_this(void); */
        API CARES_DEPRECATED_FOR(
            first) void third(int x);
        typedef int (*fourth)(void);
        static int fifth(void);
    """
    assert api_headers.parse(header, "API") == ["first", "second", "third"]


@pytest.mark.parametrize("row", GOOD.values(), ids=GOOD)
def test_a_true_row_passes(row):
    assert list(api_rows.verify(row)) == []


@pytest.mark.parametrize(("row", "problem"), BAD.values(), ids=BAD)
def test_a_row_that_is_not_true_is_named(row, problem):
    problems = list(api_rows.verify(row))
    assert len(problems) == 1, problems
    assert problems[0].startswith(f"{row.function}: ")
    assert problem in problems[0]


def test_missing_unknown_and_double_rows_are_named():
    rows, problems = api_rows.read(
        {
            "room": {"uv_a": {"reason": "so"}, "uv_gone": {"reason": "so"}},
            "other": {"uv_a": {"reason": "so"}},
        }
    )
    assert problems == []
    assert list(api_rows.compare(rows, ["uv_a", "uv_b"])) == [
        "uv_b: has no row",
        "uv_a: has more than one row",
        "uv_gone: is no public function",
    ]


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"reason": ""},
        {"reason": 1},
        {"reason": "so", "rust": "src::x"},
        {"reason": "so", "test": TEST},
        {"rust": "src::x", "tset": TEST},
    ],
)
def test_a_row_that_cannot_be_understood_is_named(entry):
    rows, problems = api_rows.read({"room": {"uv_a": entry}})
    assert rows == {"room": []}
    assert [problem.split(":")[0] for problem in problems] == ["uv_a"]


def test_a_page_that_is_out_of_date_is_named(tmp_path, monkeypatch):
    page = tmp_path / "coverage.md"
    monkeypatch.setattr(api_coverage, "PAGE", page)
    old = api_coverage.check()
    assert old == ["docs/coverage.md is out of date: make coverage"]
    libraries, _ = api_coverage.load()
    page.write_text(api_coverage.page(libraries))
    assert api_coverage.check() == []
