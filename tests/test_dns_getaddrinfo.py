import socket
import threading
import weakref

import pytest
import pyuv
from pyuv import dns, errno
from pyuv.error import UVError

from util import Recorder, collect, in_child, time_limit

NUMERIC = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV


def outcome(loop, function, *arguments, **options):
    """What the callback of a call gets."""
    recorder = Recorder()
    request = function(loop, *arguments, callback=recorder, **options)
    assert type(request) is dns.DNSRequest
    assert len(recorder) == 0
    with time_limit(loop):
        loop.run()
    assert len(recorder) == 1
    return recorder.calls[0]


def test_util_has_the_same_functions():
    assert pyuv.util.getaddrinfo is dns.getaddrinfo
    assert pyuv.util.getnameinfo is dns.getnameinfo


@pytest.mark.parametrize(
    "arguments",
    [
        ("127.0.0.1", 80),
        (b"127.0.0.1", b"80"),
        ("127.0.0.1", "http"),
        ("127.0.0.1", None),
        ("127.0.0.1",),
        ("::1", 80),
        ("localhost", 80, socket.AF_INET),
        ("127.0.0.1", 80, 0, socket.SOCK_STREAM),
        ("127.0.0.1", 80, socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_UDP),
        ("127.0.0.1", 80, 0, 0, 0, socket.AI_CANONNAME),
        (None, 80),
        (None, 80, 0, 0, 0, socket.AI_PASSIVE),
    ],
)
def test_getaddrinfo_gives_what_socket_gives(loop, arguments):
    expected = socket.getaddrinfo(*arguments, *([None] if len(arguments) == 1 else []))
    found = dns.getaddrinfo(loop, *arguments)
    assert found == expected
    assert [type(item) for item in found[0]] == [type(item) for item in expected[0]]
    assert outcome(loop, dns.getaddrinfo, *arguments) == (expected, None)


def test_a_host_that_is_not_ascii_is_looked_up_in_idna(loop):
    with pytest.raises(UVError) as caught:
        dns.getaddrinfo(loop, "b\u00fccher.invalid", flags=socket.AI_NUMERICHOST)
    assert caught.value.args[0] == errno.UV_EAI_NONAME


def test_what_is_not_found_is_a_code_for_the_callback_and_an_exception_without(loop):
    arguments = ("no.number", 80, 0, 0, 0, socket.AI_NUMERICHOST)
    assert outcome(loop, dns.getaddrinfo, *arguments) == (None, errno.UV_EAI_NONAME)
    with pytest.raises(UVError, match=r"no\.number") as caught:
        dns.getaddrinfo(loop, *arguments)
    assert caught.value.args[0] == errno.UV_EAI_NONAME


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        (("a\0b",), ValueError, "NUL"),
        ((b"\xff",), ValueError, "UTF-8"),
        (("\ud800",), ValueError, "UTF-8"),
        ((5,), TypeError, "host"),
        (("127.0.0.1", 65536), ValueError, "port 65536"),
        (("127.0.0.1", -1), ValueError, "port -1"),
        (("127.0.0.1", 1.5), TypeError, "port"),
        (("127.0.0.1", "a\0b"), ValueError, "NUL"),
        (("127.0.0.1", 80, "AF_INET"), TypeError, "family"),
    ],
)
def test_wrong_arguments_are_named(loop, arguments, error, text):
    for callback in (None, print):
        with pytest.raises(error, match=text):
            dns.getaddrinfo(loop, *arguments, callback=callback)
    assert loop.run() is False


def test_names_that_cannot_be_looked_up_are_errors_at_once(loop):
    for host in ("", "a" * 300):
        for callback in (None, print):
            with pytest.raises(UVError):
                dns.getaddrinfo(loop, host, callback=callback)
    assert loop.run() is False


@pytest.mark.parametrize("family", [-1, 12345])
def test_a_family_that_is_none_is_an_error(loop, family):
    with pytest.raises(UVError) as caught:
        dns.getaddrinfo(loop, "127.0.0.1", 80, family)
    assert caught.value.args[0] == errno.UV_EAI_FAMILY


@pytest.mark.parametrize("address", [("127.0.0.1", 80), ("::1", 80), ("::1", 80, 0), ("::1", 80, 0, 0)])
def test_getnameinfo_gives_what_socket_gives(loop, address):
    for flags in (NUMERIC, socket.NI_NUMERICHOST):
        expected = socket.getnameinfo(address, flags)
        assert dns.getnameinfo(loop, address, flags) == expected
        assert outcome(loop, dns.getnameinfo, address, flags) == (expected, None)


def test_getnameinfo_with_flags_that_are_none_is_an_error(loop):
    with pytest.raises(UVError, match=r"127\.0\.0\.1:80"):
        dns.getnameinfo(loop, ("127.0.0.1", 80), -1)


@pytest.mark.parametrize(
    ("address", "error", "text"),
    [
        ("127.0.0.1", TypeError, r"127\.0\.0\.1"),
        ((), ValueError, "2 to 4"),
        (("127.0.0.1",), ValueError, "2 to 4"),
        (("localhost", 80), ValueError, "localhost"),
        (("127.0.0.1", 80, 0), ValueError, "2 items"),
        (("127.0.0.1", 65536), ValueError, "port 65536"),
        (("127.0.0.1", "80"), TypeError, "port"),
        (("::1", 80, 1 << 20), ValueError, "flowinfo"),
        (("::1", 80, 0, -1), ValueError, "scope_id -1"),
        (("127.0.0.1\0", 80), ValueError, "numbers"),
        ((None, 80), TypeError, "host"),
    ],
)
def test_a_wrong_address_is_named(loop, address, error, text):
    for callback in (None, print):
        with pytest.raises(error, match=text):
            dns.getnameinfo(loop, address, callback=callback)


def test_a_callback_must_be_callable(loop):
    with pytest.raises(TypeError, match="'nothing'"):
        dns.getaddrinfo(loop, "127.0.0.1", callback="nothing")
    with pytest.raises(TypeError, match="'nothing'"):
        dns.getnameinfo(loop, ("127.0.0.1", 80), callback="nothing")


def test_an_exception_in_a_callback_goes_to_excepthook(loop):
    loop.excepthook = hook = Recorder()
    dns.getnameinfo(loop, ("127.0.0.1", 80), NUMERIC, callback=lambda result, errorno: 1 / 0)
    loop.run()
    assert [call[0] for call in hook.calls] == [ZeroDivisionError]


def test_requests_that_have_not_begun_can_be_cancelled(loop):
    recorder, gate = Recorder(), threading.Event()
    # More than the thread pool has threads, so that what comes after has to wait.
    for _ in range(64):
        loop.queue_work(gate.wait)
    requests = [
        dns.getnameinfo(loop, ("127.0.0.1", 80), NUMERIC, callback=recorder),
        dns.getaddrinfo(loop, "127.0.0.1", callback=recorder),
    ]
    assert [request.cancel() for request in requests] == [True, True]
    assert [request.cancel() for request in requests] == [False, False]
    gate.set()
    with time_limit(loop):
        loop.run()
    assert recorder.calls == [(None, errno.UV_EAI_CANCELED)] * 2
    assert [request.cancel() for request in requests] == [False, False]


def test_a_request_in_flight_is_kept_by_its_loop_and_let_go_after(loop):
    recorder = Recorder()
    request = dns.getaddrinfo(loop, "127.0.0.1", callback=recorder)
    reference = weakref.ref(request)
    del request
    collect()
    assert reference() is not None
    loop.run()
    assert recorder.calls[0][1] is None
    collect()
    assert reference() is None


def test_a_closed_loop_says_so():
    loop = pyuv.Loop()
    loop.close()
    for callback in (None, print):
        with pytest.raises(RuntimeError, match="closed"):
            dns.getaddrinfo(loop, "127.0.0.1", callback=callback)
        with pytest.raises(RuntimeError, match="closed"):
            dns.getnameinfo(loop, ("127.0.0.1", 80), callback=callback)


def test_the_process_ends_with_requests_in_flight():
    lines = in_child(
        """
        import pyuv

        loop = pyuv.Loop()
        for _ in range(100):
            pyuv.dns.getaddrinfo(loop, "127.0.0.1", callback=print)
        print("asked")
        """
    )
    assert lines == ["asked"]
