"""docs/assertions.toml has a row for each assertion of libuv's, and every row is true."""

import libuv_assertions
import pytest


def test_each_assertion_has_its_row_and_each_row_its_assertion_and_test():
    assert libuv_assertions.check() == []


def test_as_many_are_found_as_there_are_words():
    words = 0
    for path in libuv_assertions.sources():
        for word in ("assert", "abort", "UNREACHABLE"):
            words += sum(
                1
                for line in path.read_text().splitlines()
                for part in line.split(word)[1:]
                if part.lstrip().startswith("(") and not line.split(word)[0][-1:].isidentifier()
            )
    assert libuv_assertions.found().total() == words > 400


SOURCES = {
    "f: assert(a == b)": "static int f(int a,\n             int b) {\n  assert(a ==\n         b);\n}\n",
    "f: abort()": "void f(void) {\n  /* assert(0); */\n  if (g())\n    abort();\n}\n",
    "M: assert(x > 0)": "#define M(x) \\\n  do { \\\n    assert(x > \\\n           0); \\\n  } while (0)\n",
    "g: UNREACHABLE()": "void f(void);\nint* g(char* p) {\n  STATIC_ASSERT(1);\n  UNREACHABLE();\n}\n",
}


@pytest.mark.parametrize("assertion", SOURCES)
def test_what_a_source_asserts(assertion):
    found = list(libuv_assertions.assertions_in(SOURCES[assertion]))
    assert [f"{function}: {text}" for function, text in found] == [assertion]
