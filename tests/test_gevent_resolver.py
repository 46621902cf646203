"""pyuv.gevent: the resolver on the raw channel, compared with what the sockets of Python give."""

import os

from util import in_child

ENVIRONMENT = os.environ | {
    "GEVENT_LOOP": "pyuv.gevent.loop",
    "GEVENT_RESOLVER": "pyuv.gevent.Resolver",
}
# A name server and the hosts file are the program's arguments.
PRELUDE = """
import socket as native, sys
import gevent
from gevent import socket
resolver = gevent.get_hub().resolver
resolver.channel.servers = [sys.argv[1]]


def outcome(function, *arguments):
    try:
        return function(*arguments)
    except OSError as error:
        return type(error).__name__, error.errno


"""


def run(code, dns_server, **options):
    return in_child(PRELUDE + code, dns_server.address, env=ENVIRONMENT, **options)


def test_a_hub_has_it(dns_server):
    code = "print(type(resolver).__module__, type(resolver).__name__, gevent.get_hub().threadpool.size)"
    assert run(code, dns_server) == ["pyuv.gevent._resolver Resolver 0"]


def test_names_are_looked_up_without_a_thread(dns_server):
    code = """
infos = socket.getaddrinfo("www.example.com", "http", type=socket.SOCK_STREAM)
print(sorted({info[0].name for info in infos}), {info[4][1] for info in infos})
print(socket.gethostbyname("www.example.com") in {info[4][0] for info in infos})
name, aliases, addresses = socket.gethostbyname_ex("www.example.com")
print(name, aliases, addresses == [info[4][0] for info in infos if info[0] == socket.AF_INET])
print(gevent.get_hub().threadpool.size)
"""
    assert run(code, dns_server) == [
        "['AF_INET', 'AF_INET6'] {80}",
        "True",
        "www.example.com [] True",
        "0",
    ]


def test_what_needs_no_server_is_what_python_says(dns_server):
    code = """
for arguments in [
    ("127.0.0.1", 80), ("::1", "http", 0, socket.SOCK_STREAM), (None, 80), ("localhost", 0),
    ("192.0.2.7", 1, socket.AF_INET6), ("", 80), ("192.0.2.7", "no-such-service"),
]:
    print(outcome(socket.getaddrinfo, *arguments) == outcome(native.getaddrinfo, *arguments))
for sockaddr, flags in [(("127.0.0.1", 80), 0), (("192.0.2.1", 80), socket.NI_NUMERICHOST)]:
    print(outcome(socket.getnameinfo, sockaddr, flags) == outcome(native.getnameinfo, sockaddr, flags))
"""
    assert run(code, dns_server) == ["True"] * 9


def test_errors_are_those_of_python(dns_server):
    code = """
print(outcome(socket.getaddrinfo, "no.example.com", 80) == ("gaierror", socket.EAI_NONAME))
print(outcome(socket.gethostbyname, "no.example.com")[0])
print(outcome(socket.gethostbyaddr, "192.0.2.250")[0])
try:
    socket.getaddrinfo(5, 80)
except TypeError:
    print("TypeError")
"""
    assert run(code, dns_server) == ["True", "gaierror", "herror", "TypeError"]


def test_many_greenlets_ask_at_once(dns_server):
    code = """
asked = [gevent.spawn(socket.getaddrinfo, "www.example.com", port) for port in range(1, 301)]
gevent.joinall(asked, timeout=30)
print(sum(asked[port - 1].value[0][4][1] == port for port in range(1, 301)))
"""
    assert run(code, dns_server) == ["300"]


def test_a_lookup_has_a_timeout_and_can_be_killed(udp_peer):
    code = """
with gevent.Timeout(0.05, False):
    socket.getaddrinfo("www.example.com", 80)
    print("answered")
asked = gevent.spawn(socket.getaddrinfo, "www.example.com", 80)
gevent.sleep(0.02)
asked.kill()
print(asked.dead)
resolver.close()
"""
    assert run(code, udp_peer) == ["True"]


def test_a_forked_child_asks_too(dns_server):
    code = """
import os
first = socket.gethostbyname("www.example.com")
pid = os.fork()
if not pid:
    same = socket.gethostbyname("www.example.com") == first
    os._exit(0 if same else 1)
print(os.waitpid(pid, 0)[1], socket.gethostbyname("www.example.com") == first)
"""
    assert run(code, dns_server) == ["0 True"]


def test_another_loop_is_refused():
    code = """
        import gevent
        from pyuv.gevent import Resolver
        try:
            Resolver(gevent.get_hub())
        except TypeError as error:
            print(error)
    """
    assert in_child(code)[0].startswith("this needs a hub on pyuv.gevent.loop")
