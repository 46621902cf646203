import gc
import os
import threading
import weakref
from pathlib import Path

import pytest
import pyuv
from fsutil import FOREIGN_FD, block_pool, code_of
from pyuv import errno, fs

from util import in_child


def test_a_request_tells_what_it_is_about(loop, file, tmp_path):
    link = str(tmp_path / "link")
    one = fs.stat(loop, file, lambda request: None)
    two = fs.symlink(loop, b"x", link, 0, lambda request: None)
    three = fs.fstat(loop, FOREIGN_FD, lambda request: None)
    assert (one.path, one.path2, one.fd) == (file, None, None)
    assert one.path is file
    assert (two.path, two.path2, two.fd) == (b"x", link, None)
    assert (three.path, three.path2, three.fd) == (None, None, FOREIGN_FD)
    assert one.loop is loop
    loop.run()
    assert (one.error, two.error, three.error) == (None, None, errno.UV_EBADF)
    assert one.result.st_size == 10


def test_a_request_carries_attributes_and_is_weakly_referenced(loop):
    seen = []
    request = fs.stat(loop, "/", lambda request: seen.append(request.note))
    request.note = "mine"
    dies = weakref.ref(request)
    loop.run()
    assert seen == ["mine"]
    assert dies() is request
    del request
    assert dies() is None


def test_a_request_is_not_made_by_hand():
    with pytest.raises(TypeError, match="FSRequest"):
        fs.FSRequest()


def test_a_request_lives_until_it_is_called(loop):
    seen = []
    fs.stat(loop, "/", seen.append)
    gc.collect()
    loop.run()
    assert seen[0].result.st_mode


def test_the_callback_is_let_go_when_it_was_called(loop):
    class Callback:
        def __call__(self, request):
            pass

    callback = Callback()
    dies = weakref.ref(callback)
    request = fs.stat(loop, "/", callback)
    del callback
    assert dies() is not None
    loop.run()
    assert dies() is None
    assert request.error is None


def test_a_request_in_a_cycle_is_collected(loop):
    class Callback:
        def __call__(self, request):
            self.request = request
            request.callback = self

    callback = Callback()
    dies = weakref.ref(fs.stat(loop, "/", callback))
    loop.run()
    del callback
    gc.collect()
    assert dies() is None


def test_operations_chain(loop, file):
    steps = []

    def opened(request):
        steps.append("opened")
        fs.read(loop, request.result, 100, -1, lambda read: got(request.result, read))

    def got(fd, request):
        steps.append(request.result)
        fs.close(loop, fd, closed)

    def closed(request):
        steps.append(request.error)

    fs.open(loop, file, os.O_RDONLY, 0, opened)
    loop.run()
    assert steps == ["opened", b"0123456789", None]


def test_many_at_once_each_get_their_own_result(loop, tmp_path):
    for size in range(100):
        (tmp_path / str(size)).write_bytes(bytes(size))
    told = {}

    def note(request):
        told[int(Path(request.path).name)] = request.result.st_size

    for size in range(100):
        fs.stat(loop, tmp_path / str(size), note)
    loop.run()
    assert told == {size: size for size in range(100)}


def test_an_exception_in_a_callback_goes_to_the_excepthook(loop):
    seen = []
    loop.excepthook = lambda kind, value, traceback: seen.append((kind, str(value)))

    def bad(request):
        raise ZeroDivisionError("on purpose")

    fs.stat(loop, "/", bad)
    fs.stat(loop, "/", lambda request: seen.append(request.error))
    loop.run()
    assert sorted(seen, key=str) == [(ZeroDivisionError, "on purpose"), None]


def test_what_waits_can_be_cancelled(loop, file):
    go_on = block_pool(loop)
    order = []
    request = fs.unlink(loop, file, order.append)
    assert request.cancel() is True
    assert request.cancel() is False
    assert request.error is None
    go_on()
    loop.run()
    assert order == [request]
    assert (request.error, request.result) == (errno.UV_ECANCELED, None)
    assert file.exists()


def test_what_is_over_cannot_be_cancelled(loop):
    request = fs.stat(loop, "/", lambda request: None)
    loop.run()
    assert request.cancel() is False
    assert request.error is None


def test_what_is_running_cannot_be_cancelled(loop):
    out, into = os.pipe()
    request = fs.read(loop, out, 1, -1, lambda request: None)
    # A worker has it as soon as cancel says no; until then nothing else would tell.
    begun = fs.fstat(loop, into, lambda request: None)
    while begun.error is None and begun.result is None:
        loop.run(pyuv.UV_RUN_ONCE)
    cancelled = request.cancel()
    os.write(into, b"x")
    loop.run()
    os.close(out)
    os.close(into)
    if cancelled:
        assert request.error == errno.UV_ECANCELED
    else:
        assert request.result == b"x"


def test_written_memory_is_locked_until_the_callback(loop):
    out, into = os.pipe()
    data = bytearray(1 << 20)
    request = fs.write(loop, into, data, -1, lambda request: None)
    with pytest.raises(BufferError):
        data.append(1)

    def drain():
        left = len(data)
        while left:
            left -= len(os.read(out, left))

    reader = threading.Thread(target=drain)
    reader.start()
    loop.run()
    reader.join()
    assert request.result == len(data)
    data.append(1)
    os.close(out)
    os.close(into)


def test_memory_of_a_refused_write_is_let_go(loop):
    data = bytearray(b"x")
    assert code_of(fs.write, loop, -1, data, -1, pytest.fail) == errno.UV_EBADF
    assert code_of(fs.write, loop, -1, data) == errno.UV_EBADF
    data.append(1)


def test_a_loop_with_requests_in_flight_does_not_close(loop):
    fs.stat(loop, "/", lambda request: None)
    with pytest.raises(Exception, match="request"):
        loop.close()
    loop.run()
    loop.close()


def test_a_closed_loop_takes_no_request(loop):
    loop.close()
    with pytest.raises(RuntimeError, match="closed"):
        fs.stat(loop, "/", pytest.fail)


def test_a_request_outlives_its_loop(file):
    loop = pyuv.Loop()
    request = fs.stat(loop, file, lambda request: None)
    loop.run()
    loop.close()
    assert request.cancel() is False
    assert request.result.st_size == 10


def test_a_dropped_loop_lets_go_of_what_is_in_flight():
    class Callback:
        def __call__(self, request):
            pytest.fail("called")

    loop = pyuv.Loop()
    callback = Callback()
    callback.loop = loop
    data = bytearray(b"x")
    callback.request = fs.write(loop, FOREIGN_FD, data, -1, callback)
    fs.stat(loop, "/", callback)
    dies = [weakref.ref(loop), weakref.ref(callback)]
    del loop, callback
    while any(ref() is not None for ref in dies):
        gc.collect()
    # The pool may still have been at work; loops are freed with the next ones.
    while True:
        pyuv.Loop().close()
        try:
            data.append(1)
        except BufferError:
            continue
        break
    assert len(data) == 2


def test_a_second_thread_may_not_submit_while_the_loop_runs(loop):
    errors = []
    out, into = os.pipe()

    def other():
        try:
            fs.stat(loop, "/", pytest.fail)
        except RuntimeError as error:
            errors.append(str(error))
        finally:
            os.write(into, b"x")

    thread = threading.Thread(target=other)
    fs.read(loop, out, 1, -1, lambda request: None)
    fs.stat(loop, "/", lambda request: thread.start())
    loop.run()
    thread.join()
    os.close(out)
    os.close(into)
    assert len(errors) == 1
    assert "thread" in errors[0]


def test_other_threads_run_while_a_call_blocks(loop):
    out, into = os.pipe()
    thread = threading.Thread(target=lambda: os.write(into, b"x"))
    thread.start()
    assert fs.read(loop, out, 1) == b"x"
    thread.join()
    os.close(out)
    os.close(into)


def test_ctrl_c_ends_a_read_that_blocks():
    assert in_child(
        """
        import os, signal, threading, pyuv
        loop = pyuv.Loop()
        out, into = os.pipe()
        seen = []
        signal.signal(signal.SIGUSR1, lambda *rest: seen.append("handled"))

        def interrupt(number):
            signal.pthread_kill(threading.main_thread().ident, number)

        def twice():
            # Sent again until it meets the read, which goes on after the first kind.
            while not seen:
                interrupt(signal.SIGUSR1)
                pause.wait(0.01)
            while not done.wait(0.01):
                interrupt(signal.SIGINT)

        pause, done = threading.Event(), threading.Event()
        thread = threading.Thread(target=twice)
        thread.start()
        try:
            pyuv.fs.read(loop, out, 1)
        except KeyboardInterrupt:
            done.set()
            print("KeyboardInterrupt")
        print(seen[0])
        """
    ) == ["KeyboardInterrupt", "handled"]
