"""`pyuv.dns.resolve`: asking without a loop."""

import os
import signal
import threading
import time

import pytest
from pyuv import dns

from util import finish, in_child, open_fds, start_child


@pytest.fixture
def resolve(dns_server):
    def resolve(*arguments, **options):
        return dns.resolve(*arguments, **{"servers": [dns_server.address], "timeout": 20} | options)

    return resolve


@pytest.fixture
def refused(resolve):
    def code(*arguments, **options):
        with pytest.raises(dns.DNSError) as caught:
            resolve(*arguments, **options)
        assert arguments[0] in caught.value.args[1]
        return caught.value.args[0]

    return code


def test_a_message_is_what_the_channel_would_give(resolve):
    message = resolve("www.example.com")
    assert type(message) is dns.Message
    assert [record.data for record in message.answer] == [dns.A("192.0.2.10")]
    assert {record.data.priority for record in resolve("example.com", "MX").answer} == {10, 20}
    assert resolve(b"www.example.com", dns.RecordType.AAAA).answer[0].data == dns.AAAA("2001:db8::10")
    assert resolve("b\u00fccher.wild.example.com").question[0].name == "xn--bcher-kva.wild.example.com"
    assert resolve("www.example.com", "A", "HS").question[0].record_class == dns.RecordClass.HS


def test_every_record_type(resolve):
    types = {record.type.name for record in resolve("example.com", "ANY").answer}
    assert {"SOA", "NS", "MX", "TXT", "CAA", "HINFO"} <= types


def test_errors_are_the_channels(refused):
    assert refused("no-such-name.example.com") == dns.ARES_ENOTFOUND
    assert refused("www.example.com", "MX") == dns.ARES_ENODATA
    assert refused("servfail.example.com", tries=1) == dns.ARES_ESERVFAIL
    assert refused("www.example.com", servers=[]) == dns.ARES_ENOSERVER


def test_an_answer_that_does_not_fit_comes_over_tcp(resolve):
    assert resolve("truncate.wild.example.com").answer[0].data.addr == "192.0.2.60"
    assert resolve("tcp-only.wild.example.com", flags=dns.ARES_FLAG_USEVC).answer


def test_the_timeout_is_for_all_of_it(refused):
    for timeout in (0, 0.1):
        start = time.monotonic()
        assert refused("timeout.example.com", timeout=timeout) == dns.ARES_ETIMEOUT
        assert timeout <= time.monotonic() - start < 1.5


def test_without_a_timeout_c_ares_gives_up(refused, udp_peer):
    assert refused("x.example", servers=[udp_peer.address], timeout=None, tries=1) == dns.ARES_ETIMEOUT


def test_a_port_for_servers_that_name_none(resolve, dns_server):
    for flags in (dns.ARES_FLAG_EDNS, dns.ARES_FLAG_USEVC):
        assert resolve("www.example.com", servers=dns_server.host, port=dns_server.port, flags=flags).answer


def test_other_threads_run_meanwhile(resolve):
    """One thread waits for an answer that comes after the others have theirs."""
    order = []

    def work(name):
        order.append(resolve(name).question[0].name)

    names = ["delay-500.wild.example.com", "www.example.com"]
    threads = [threading.Thread(target=work, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert order == names[::-1]


def test_many_threads_at_once(resolve):
    found = []

    def work(number):
        for each in range(10):
            name = f"n{number}-{each}.wild.example.com"
            found.append(resolve(name).question[0].name == name)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 80


def test_resolvers_are_few_however_many_servers_are_asked(udp_peer):
    for number in range(1, 30):
        with pytest.raises(dns.DNSError):
            dns.resolve("x.example", servers=[f"127.0.0.{number}:9"], timeout=0)
        if number == 10:
            before = open_fds(), len(os.listdir("/proc/self/task"))
    # Sockets to a server that nobody waits for any more may be open or closed.
    after = open_fds(), len(os.listdir("/proc/self/task"))
    assert after[1] == before[1]
    assert after[0] <= before[0] + 4


@pytest.mark.parametrize(
    ("arguments", "options", "error", "text"),
    [
        (("",), {}, ValueError, "empty"),
        (("a..b",), {}, ValueError, "a..b"),
        ((5,), {}, TypeError, "int"),
        (("x", "BOGUS"), {}, ValueError, "BOGUS"),
        (("x", "A", "BOGUS"), {}, ValueError, "BOGUS"),
        (("x", "A", 9), {}, ValueError, "CLASS9"),
        (("x",), {"timeout": -1}, ValueError, "timeout .*-1"),
        (("x",), {"timeout": "1"}, TypeError, "timeout"),
        (("x",), {"servers": ["localhost"]}, ValueError, "localhost"),
        (("x",), {"servers": 5}, TypeError, "not 5"),
        (("x",), {"port": 65536}, ValueError, "port 65536"),
        (("x",), {"tries": 0}, ValueError, "tries 0"),
        (("x",), {"flags": 1 << 30}, ValueError, "0x40000000"),
    ],
)
def test_what_it_refuses_is_named(arguments, options, error, text):
    with pytest.raises(error, match=text):
        dns.resolve(*arguments, **options)


def test_ctrl_c_ends_the_wait(udp_peer):
    child = start_child(
        """
        import sys
        import time
        import pyuv

        print("waiting", flush=True)
        try:
            pyuv.dns.resolve("x.example", servers=[sys.argv[1]])
        except KeyboardInterrupt:
            print("interrupted")
        """,
        udp_peer.address,
    )
    assert child.stdout.readline() == "waiting\n"
    udp_peer.receive()
    start = time.monotonic()
    child.send_signal(signal.SIGINT)
    assert finish(child) == ["interrupted"]
    assert time.monotonic() - start < 1.5


@pytest.mark.parametrize("end", ["", "raise SystemExit(0)", "os.fork()"])
def test_the_process_ends_with_the_thread_alive_and_with_daemons_waiting(udp_peer, end):
    lines = in_child(
        f"""
        import os
        import sys
        import threading
        import pyuv

        def wait():
            pyuv.dns.resolve("x.example", servers=[sys.argv[1]])

        for _ in range(3):
            threading.Thread(target=wait, daemon=True).start()
        try:
            pyuv.dns.resolve("x.example", servers=[sys.argv[1]], timeout=0.1)
        except pyuv.dns.DNSError as error:
            print(error.args[0], flush=True)
        {end}
        """,
        udp_peer.address,
    )
    assert lines == [str(dns.ARES_ETIMEOUT)]


def test_a_forked_child_resolves_and_ends(dns_server):
    lines = in_child(
        """
        import os
        import sys
        import pyuv

        def resolve():
            message = pyuv.dns.resolve("www.example.com", servers=[sys.argv[1]], timeout=10)
            # In one piece, as both processes print at once.
            print(message.answer[0].data.addr + "\\n", end="", flush=True)

        resolve()
        child = os.fork()
        resolve()
        if child:
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
            resolve()
        """,
        dns_server.address,
    )
    assert lines == ["192.0.2.10"] * 3 + ["0", "192.0.2.10"]


def test_a_child_that_a_signal_handler_forks_learns_that_no_answer_will_come(udp_peer):
    child = start_child(
        """
        import os
        import signal
        import sys
        import pyuv

        parent = os.getpid()

        def fork(*_):
            child = os.fork()
            if child:
                print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
                raise SystemExit(0)

        signal.signal(signal.SIGUSR1, fork)
        print("waiting", flush=True)
        try:
            pyuv.dns.resolve("x.example", servers=[sys.argv[1]])
        except pyuv.dns.DNSError as error:
            print(error.args[0], flush=True)
        """,
        udp_peer.address,
    )
    assert child.stdout.readline() == "waiting\n"
    udp_peer.receive()
    child.send_signal(signal.SIGUSR1)
    assert finish(child) == [str(dns.ARES_ECANCELLED), "0"]


def test_without_a_free_descriptor_it_is_an_error_and_later_it_works(dns_server):
    lines = in_child(
        """
        import os
        import resource
        import sys
        import pyuv

        def resolve():
            return pyuv.dns.resolve("www.example.com", servers=[sys.argv[1]], timeout=10).answer[0].data.addr

        pyuv.dns.strerror(1)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        free = os.dup(0)
        os.close(free)
        codes = set()
        for count in range(8):
            resource.setrlimit(resource.RLIMIT_NOFILE, (free + count, hard))
            try:
                codes.add(resolve())
            except pyuv.dns.DNSError as error:
                codes.add(pyuv.dns.errorcode[error.args[0]][:6])
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        print(sorted(codes))
        print(resolve())
        """,
        dns_server.address,
    )
    assert lines == ["['192.0.2.10', 'ARES_E']", "192.0.2.10"]
