"""The package is for the main interpreter; what another one does with it is not noticed there."""

import sys

import pytest

from util import finish, start_child

MODULE = "_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters"

PRELUDE = f"""
import {MODULE} as interpreters

def attempt(kind):
    # Older Pythons know isolated ones and, by another name, legacy ones.
    try:
        interpreter = interpreters.create(kind)
    except TypeError:
        interpreter = interpreters.create(isolated=kind == "isolated")
    code = '''
try:
    import pyuv
except ImportError as error:
    assert "interpreter" in str(error) or "subinterpreters" in str(error), error
else:
    raise AssertionError("it was imported")
'''
    run = getattr(interpreters, "exec", None) or interpreters.run_string
    failure = run(interpreter, code)
    if failure is not None:
        print(failure)
    interpreters.destroy(interpreter)
"""

WORKS = """
import threading
import pyuv
loop, ran = pyuv.Loop(), []
loop.queue_work(lambda: ran.append("ran"), lambda error: ran.append(error))
pyuv.Timer(loop).start(lambda timer: ran.append("timer"), 0.01)
loop.run()
def turn():
    other = pyuv.Loop()
    pyuv.Timer(other).start(lambda timer: ran.append("thread"), 0.01)
    other.run()
thread = threading.Thread(target=turn)
thread.start()
thread.join()
print(sorted(ran, key=str))
"""


@pytest.mark.parametrize("kind", ["legacy", "isolated"])
@pytest.mark.parametrize("first", ["main", "sub"])
def test_a_subinterpreter_gets_an_import_error(kind, first):
    imported = "import pyuv\n" if first == "main" else ""
    code = f"{PRELUDE}{imported}attempt({kind!r})\n{WORKS}"
    assert finish(start_child(code)) == ["[None, 'ran', 'thread', 'timer']"]
