"""Arguments: expressions that fit a parameter's annotation, sensible ones and hostile ones."""

from __future__ import annotations

import ast
import random
from collections.abc import Callable as Function
from typing import Protocol

from stubs import Parameter


class Scope(Protocol):
    """What the values of a program are made of."""

    dice: random.Random

    def loop(self) -> str: ...
    def body(self) -> str: ...
    def instance(self, path: str) -> str: ...
    def anything(self) -> str: ...


# By a parameter's name, whatever its type: paths stay in the program's folder, signals in its process, names
# and addresses on this host.
BY_NAME: dict[str, list[str]] = {
    "pid": ["os.getpid()", "1 << 40"],
    "ppid": ["os.getpid()"],
    "uid": ["os.getuid()", "None", "1 << 40"],
    "gid": ["os.getgid()", "None", "1 << 40"],
    "args": [
        "'true'",
        "['sleep', '0.01']",
        "['cat']",
        "'no such program'",
        "[]",
        "['']",
        "['a\\0b']",
        "['true'] * 9",
    ],
    "executable": ["None", "None", "'true'"],
    "env": ["None", "{}", "{'A': 'b'}", "{'A=': 'b\\0'}"],
    "cwd": ["None", "'d'", "'missing'"],
    "n": ["0", "7", "1000", "-1"],
    "cpus": ["{0}", "{0, 1}", "set()", "{-1}"],
    "signum": ["signal.SIGUSR1", "signal.SIGUSR2", "signal.SIGCHLD", "0", "signal.SIGKILL", "99"],
    "signal": ["0", "signal.SIGUSR1", "signal.SIGTERM", "signal.SIGKILL", "99"],
    "timeout": ["0", "0.001", "0.01"],
    "max_timeout": ["0.02"],
    "tries": ["1", "2"],
    "repeat": ["0", "0.001"],
    "interval": ["0.001", "0"],
    "host": ["'127.0.0.1'", "'localhost'", "b'::1'", "'name.test'", "None"],
    "servers": ["[v.server]", "v.server", "[]", "'127.0.0.1:9,127.0.0.2:9'"],
    "hosts_path": ["'hosts'", "'missing'"],
    "resolvconf_path": ["'resolv.conf'"],
    "lookups": ["'b'", "'fb'", "'f'"],
    "local_ip4": ["'127.0.0.1'"],
    "local_ip6": ["'::1'"],
    "local_dev": ["'lo'", "''"],
    "domains": ["['test']", "[]"],
    "sortlist": ["['127.0.0.0/8']", "[]"],
    "multicast_address": ["'239.1.2.3'", "'ff02::1'", "'no address'"],
    "source_address": ["'127.0.0.1'"],
    "interface": ["'127.0.0.1'", "None"],
    "template": ["'tXXXXXX'", "b'tXXXXXX'", "'X'"],
    "on_error": ["'stop'", "'continue'", "'x'"],
    "special": ["'error'", "'skip'"],
    "mode": ["0", "0o644", "0o755", "1", "2"],
    "length": ["0", "1", "100", "100_000", "-1", "1 << 62"],
    "offset": ["-1", "0", "10", "1 << 62"],
    "in_offset": ["0", "-1"],
    "backlog": ["1", "511", "-1"],
    "family": ["0", "2", "10", "1", "-1"],
    "priority": ["0", "99"],
    "newvalue": ["True"],
    "concurrency": ["None", "1", "4", "0", "1 << 40"],
    "title": ["'title'"],
    "key": ["int"],
}
BY_PATH: dict[str, list[str]] = {
    # No room for what belongs to the whole machine or hangs a test of it.
    "pyuv.Pipe.chmod mode": ["pyuv.UV_READABLE", "pyuv.UV_READABLE | pyuv.UV_WRITABLE", "9"],
    "pyuv.Loop.run mode": ["pyuv.UV_RUN_NOWAIT"],
    # The descriptor may be that of /dev/null.
    "fs.fchmod mode": ["0o666"],
    "fs.fchown uid": ["os.getuid()"],
    "fs.fchown gid": ["os.getgid()"],
    "util.setenv name": ["'FUZZ'", "'A=B'", "'\\0'", "''"],
    "util.unsetenv name": ["'FUZZ'"],
    "util.chdir path": ["'d'", "'.'"],
    "fs.open flags": ["0", "os.O_RDWR | os.O_CREAT", "os.O_WRONLY | os.O_TRUNC", "os.O_DIRECTORY", "-1"],
    "dns.getaddrinfo host": ["'127.0.0.1'", "'localhost'", "b'::1'", "None", "'x' * 300"],
    "dns.resolve name": ["'name.test'", "b'x.test'", "'..'"],
    # Others' are closed by programs that are about that.
    "fs.close fd": ["v.fd", "999", "-1"],
    "fs.FSPoll.start interval": ["0.001", "0", "-1"],
}
# Arguments without which a function would leave this host or wait long.
ALWAYS = {
    "pyuv.Loop.run": {"mode"},
    "dns.resolve": {"servers", "timeout", "tries"},
    "dns.Channel": {"servers", "timeout", "tries", "resolvconf_path"},
}
PATHS = ["'a'", "'d'", "b'd/b'", "'c'", "'d/c'", "'missing/x'", "'a\\0'", "''", "'.'", "'l'"]
ADDRESSES = [
    "('127.0.0.1', 0)",
    "('::1', 0)",
    "('127.0.0.1', 9)",
    "v.address",
    "('x', 0)",
    "('127.0.0.1', 1 << 20)",
    "('127.0.0.1',)",
]
INTS = ["0", "1", "2", "3", "4", "7", "16", "100", "-1"]
HUGE = ["1 << 31", "(1 << 32) - 1", "1 << 63", "1 << 70", "-(1 << 63)"]
DATA = [
    "b''",
    "b'x'",
    "bytes(300_000)",
    "bytearray(b'yy')",
    "[b'a', bytearray(9)]",
    "memoryview(bytearray(70_000))",
    "memoryview(b'abcdef')[::2]",
    "[b'x'] * 1100",
    "[]",
]
RECORDS = ["dns.A('1.2.3.4')", "dns.MX(1, 'x.test')", "dns.TXT([b'x', b'y'])", "dns.RawData(999, b'x')"]


def expression(scope: Scope, path: str, parameter: Parameter) -> str:
    """A value for this parameter of the function at `path`."""
    dice = scope.dice
    chance = dice.random()
    if chance < 0.03 and f"{path} {parameter.name}" not in BY_PATH:
        return scope.anything()
    if path.startswith("fs.") and parameter.name in ("fd", "out_fd", "in_fd"):
        # What another descriptor is might keep it waiting.
        return dice.choice(["v.fd", "999", "-1"])
    for table, key in ((BY_PATH, f"{path} {parameter.name}"), (BY_NAME, parameter.name)):
        if key in table:
            chosen = dice.choice(table[key])
            if dice.random() < 0.15 and chosen.lstrip("-").isdigit():
                return f"Index({scope.body()}, {chosen})"
            return chosen
    if parameter.annotation is None:
        return scope.anything()
    return fitting(scope, path, parameter.annotation)


def fitting(scope: Scope, path: str, annotation: ast.expr) -> str:
    if isinstance(annotation, ast.BinOp):
        sides = [annotation.left, annotation.right]
        if ast.unparse(annotation.right) == "None":
            return "None" if scope.dice.random() < 0.2 else fitting(scope, path, annotation.left)
        return fitting(scope, path, scope.dice.choice(sides))
    if isinstance(annotation, ast.Subscript):
        outer = ast.unparse(annotation.value)
        if outer in ("Iterable", "Sequence"):
            return several(scope, path, annotation.slice)
        if outer in ("tuple", "_Datagram"):
            return grouped(scope, path, annotation.slice)
        if outer == "Literal":
            return ast.unparse(annotation.slice).partition(",")[0].strip("(")
        return named(scope, path, outer)
    return named(scope, path, ast.unparse(annotation))


def several(scope: Scope, path: str, item: ast.expr) -> str:
    items = [fitting(scope, path, item) for _ in range(scope.dice.randrange(4))]
    if scope.dice.random() < 0.25:
        return f"Items({', '.join([scope.body(), *items])})"
    return f"[{', '.join(items)}]"


def grouped(scope: Scope, path: str, items: ast.expr) -> str:
    parts = items.elts if isinstance(items, ast.Tuple) else [items]
    return f"({''.join(fitting(scope, path, part) + ', ' for part in parts if ast.unparse(part) != '...')})"


def integer(scope: Scope, path: str) -> str:
    chance = scope.dice.random()
    if chance < 0.2:
        return f"Index({scope.body()}, {scope.dice.choice(INTS)})"
    return scope.dice.choice(HUGE if chance < 0.28 else INTS)


def real(scope: Scope, path: str) -> str:
    if scope.dice.random() < 0.2:
        return f"Index({scope.body()}, 0)"
    return scope.dice.choice(["0", "0.001", "0.0", "-1.0", "float('nan')", "float('inf')", "1e300", "1"])


def text(scope: Scope, path: str) -> str:
    word = scope.dice.choice(["'name.test'", "'127.0.0.1'", "'A'", "'\\ud800'", "''", "'x' * 300", "'a\\0'"])
    return f"odd(Text, {scope.body()}, {word})" if scope.dice.random() < 0.2 else word


def octets(scope: Scope, path: str) -> str:
    word = scope.dice.choice(["b'name.test'", "b''", "b'\\xff'", "b'x' * 300"])
    return f"odd(Data, {scope.body()}, {word})" if scope.dice.random() < 0.2 else word


def data(scope: Scope, path: str) -> str:
    if path.startswith("dns."):
        return scope.dice.choice(RECORDS)
    chance = scope.dice.random()
    value = scope.dice.choice(DATA)
    if chance < 0.12:
        lent = scope.dice.choice(["b'x'", "bytearray(90_000)"])
        return f"View({scope.body()}, {lent})"
    if chance < 0.22:
        return f"odd(Data, {scope.body()}, b'x' * {scope.dice.choice([1, 9, 200_000])})"
    if chance < 0.32:
        items = scope.dice.choice(["b'x'", "b'y', b'z'"])
        return f"Items({scope.body()}, {items})"
    return value


def place(scope: Scope, path: str) -> str:
    value = scope.dice.choice(PATHS)
    return f"Path({scope.body()}, {value})" if scope.dice.random() < 0.2 else value


def descriptor(scope: Scope, path: str) -> str:
    dice = scope.dice
    value = dice.choice(
        [
            "socket.socketpair()[0].detach()",
            "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).detach()",
            "os.pipe()[0]",
            "os.openpty()[1]",
            "os.open('a', os.O_RDWR)",
            "v.ours.fileno()",
            "v.ours",
            "v.fd",
            "999",
            "-1",
            "0",
        ]
    )
    return f"Index({scope.body()}, {value})" if dice.random() < 0.1 else value


def address(scope: Scope, path: str) -> str:
    value = scope.dice.choice(ADDRESSES)
    if scope.dice.random() < 0.15:
        return f"(odd(Text, {scope.body()}, '127.0.0.1'), Index({scope.body()}, 0))"
    return value


def callback(scope: Scope, path: str) -> str:
    chance, inside = scope.dice.random(), scope.body()
    if chance < 0.3:
        return f"Call({inside})"
    return inside


SIMPLE: dict[str, Function[[Scope, str], str]] = {
    "int": integer,
    "float": real,
    "str": text,
    "bytes": octets,
    "Buffer": data,
    "_Data": data,
    "StrOrBytesPath": place,
    "_StrOrBytesPath": place,
    "_AnyPath": place,
    "PathLike": place,
    "FileDescriptorLike": descriptor,
    "_Address": address,
    "_Done": callback,
    "Callable": callback,
    "_Callback": callback,
    "_TreeCallback": callback,
    "_Progress": callback,
    "_ExceptHook": callback,
    "AnyStr": text,
    "SupportsIndex": integer,
    "slice": lambda scope, path: "slice(None)",
    "None": lambda scope, path: "None",
    "bool": lambda scope, path: scope.dice.choice(["True", "False", f"Index({scope.body()}, 1)"]),
    "Loop": lambda scope, path: scope.loop(),
    "ipaddress.IPv4Address": lambda scope, path: "ipaddress.IPv4Address('127.0.0.1')",
    "ipaddress.IPv6Address": lambda scope, path: "ipaddress.IPv6Address('::1')",
    "RecordType": lambda scope, path: "dns.RecordType.A",
    "RecordClass": lambda scope, path: "dns.RecordClass.IN",
    "_OnError": lambda scope, path: "'continue'",
}


def named(scope: Scope, path: str, name: str) -> str:
    if name in SIMPLE:
        return SIMPLE[name](scope, path)
    module = path.partition(".")[0]
    for candidate in (f"{module}.{name}", f"pyuv.{name}"):
        found = scope.instance(candidate)
        if found:
            return found
    return scope.anything()
