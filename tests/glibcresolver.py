"""What glibc makes of a resolv.conf: a process of its own that reads files and says what `res_ninit` finds.

glibc reads /etc/resolv.conf and nothing else, so the text of that path in its memory is replaced by another
of the same length, which is why this is no part of the process that runs the tests. Requests come on
standard input, a line of JSON each: `{"conf": text, "environment": {...}}`. Standard library only.
"""

import contextlib
import ctypes
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator

MAXNS = 3
PATH = b"/etc/resolv.conf"
PROT_READ, PROT_WRITE = 1, 2
PAGE = os.sysconf("SC_PAGESIZE")


class SockaddrIn(ctypes.Structure):
    """`struct sockaddr_in`."""

    _fields_ = (
        ("family", ctypes.c_uint16),
        ("port", ctypes.c_uint16),
        ("address", ctypes.c_uint8 * 4),
        ("zero", ctypes.c_uint8 * 8),
    )


class SockaddrIn6(ctypes.Structure):
    """`struct sockaddr_in6`."""

    _fields_ = (
        ("family", ctypes.c_uint16),
        ("port", ctypes.c_uint16),
        ("flowinfo", ctypes.c_uint32),
        ("address", ctypes.c_uint8 * 16),
        ("scope_id", ctypes.c_uint32),
    )


class Extension(ctypes.Structure):
    """What `struct __res_state` has of IPv6."""

    _fields_ = (
        ("nscount", ctypes.c_uint16),
        ("nsmap", ctypes.c_uint16 * MAXNS),
        ("nssocks", ctypes.c_int * MAXNS),
        ("nscount6", ctypes.c_uint16),
        ("nsinit", ctypes.c_uint16),
        ("nsaddrs", ctypes.POINTER(SockaddrIn6) * MAXNS),
        ("index", ctypes.c_uint64),
    )


class ResState(ctypes.Structure):
    """`struct __res_state`."""

    _fields_ = (
        ("retrans", ctypes.c_int),
        ("retry", ctypes.c_int),
        ("options", ctypes.c_ulong),
        ("nscount", ctypes.c_int),
        ("nsaddr_list", SockaddrIn * MAXNS),
        ("id", ctypes.c_ushort),
        ("dnsrch", ctypes.c_char_p * 7),
        ("defdname", ctypes.c_char * 256),
        ("pfcode", ctypes.c_ulong),
        ("bits", ctypes.c_uint),
        ("sort_list", ctypes.c_uint32 * 20),
        ("qhook", ctypes.c_void_p),
        ("rhook", ctypes.c_void_p),
        ("res_h_errno", ctypes.c_int),
        ("vcsock", ctypes.c_int),
        ("flags", ctypes.c_uint),
        ("extension", Extension),
        ("room", ctypes.c_uint8 * 512),
    )


RES_ROTATE, RES_USEVC = 0x4000, 0x8


def redirect(libc: ctypes.CDLL, path: bytes) -> None:
    """Has glibc read another file, whose path is as long."""
    assert len(path) == len(PATH)
    found = 0
    with open("/proc/self/maps") as maps:
        regions = [line.split() for line in maps]
    for addresses, rights, _, _, _, *name in regions:
        if not (name and "libc.so" in name[0] and rights.startswith("r")):
            continue
        start, end = (int(address, 16) for address in addresses.split("-"))
        at = ctypes.string_at(start, end - start).find(PATH + b"\0")
        if at < 0:
            continue
        page = (start + at) // PAGE * PAGE
        length = start + at + len(path) - page
        assert libc.mprotect(ctypes.c_void_p(page), ctypes.c_size_t(length), PROT_READ | PROT_WRITE) == 0
        ctypes.memmove(start + at, path, len(path))
        found += 1
    assert found == 1


def read(libc: ctypes.CDLL) -> dict:
    """What the file says, as glibc reads it now."""
    state = ResState()
    assert libc.__res_ninit(ctypes.byref(state)) == 0
    servers = []
    for place in range(state.nscount):
        if state.nsaddr_list[place].family == socket.AF_INET:
            address = socket.inet_ntop(socket.AF_INET, bytes(state.nsaddr_list[place].address))
            servers.append((address, 0))
        else:
            server = state.extension.nsaddrs[place].contents
            servers.append((socket.inet_ntop(socket.AF_INET6, bytes(server.address)), server.scope_id))
    search = []
    for domain in state.dnsrch:
        if domain is None:
            break
        search.append(domain.decode("latin-1"))
    result = {
        "servers": servers,
        "search": search,
        "ndots": state.bits & 15,
        "timeout": state.retrans,
        "tries": state.retry,
        "rotate": bool(state.options & RES_ROTATE),
        "use_vc": bool(state.options & RES_USEVC),
    }
    libc.__res_nclose(ctypes.byref(state))
    return result


def main() -> None:
    """Answers requests until there are no more."""
    libc = ctypes.CDLL(None, use_errno=True)
    folder = f"/tmp/{os.getpid():07}"
    path = f"{folder}/abc"
    os.mkdir(folder)
    redirect(libc, path.encode())
    try:
        for line in sys.stdin:
            request = json.loads(line)
            with open(path + "d", "w", newline="", encoding="latin-1") as file:
                file.write(request["conf"])
            os.rename(path + "d", path)
            for variable in ("LOCALDOMAIN", "RES_OPTIONS"):
                os.environ.pop(variable, None)
            os.environ.update(request["environment"])
            print(json.dumps(read(libc)), flush=True)
    finally:
        for name in os.listdir(folder):
            os.unlink(f"{folder}/{name}")
        os.rmdir(folder)


class GlibcResolver:
    """The process, from the other side."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def read(self, conf: str, environment: dict[str, str]) -> dict:
        """What glibc makes of a file with this text, and of these variables."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps({"conf": conf, "environment": environment}), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())


@contextlib.contextmanager
def glibc_resolver() -> Iterator[GlibcResolver]:
    """Starts the process, and ends it."""
    command = [sys.executable, __file__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield GlibcResolver(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(30) == 0


if __name__ == "__main__":
    main()
