"""What `make wheel` runs in an empty environment: a little of everything, from the installed package only."""

from __future__ import annotations

import contextlib
import shutil
import socket
import sys
import tempfile
from pathlib import Path

import pyuv
import pyuv.dns
import pyuv.errno
import pyuv.error
import pyuv.fs
import pyuv.thread
import pyuv.util

COMPILERS = ("cc", "gcc", "clang", "make", "cmake", "cargo", "rustc")


def main() -> None:
    tools = [tool for tool in COMPILERS if shutil.which(tool)]
    assert not tools, f"not an empty environment: {tools}"
    assert Path(pyuv.__file__).is_relative_to(sys.prefix), pyuv.__file__
    assert Path(pyuv.__file__).with_name("py.typed").exists()
    assert list(Path(pyuv.__file__).parent.glob("*.pyi")), "no type stubs"
    assert pyuv.errno.errorcode[pyuv.errno.UV_ENOENT] == "UV_ENOENT"
    assert pyuv.util.hrtime() > 0
    with pyuv.thread.Mutex():
        pass

    loop = pyuv.Loop()
    seen: list[str] = []

    timer = pyuv.Timer(loop)
    timer.start(lambda _: seen.append("timer"), 0.01, 0)

    here = Path(tempfile.mkdtemp(), "file")
    here.write_bytes(b"12345")
    pyuv.fs.stat(loop, str(here), lambda request: seen.append(f"{request.result.st_size} bytes"))
    address = ("127.0.0.1", 80, socket.AF_INET)
    pyuv.dns.getaddrinfo(
        loop,
        *address,
        callback=lambda result, error: seen.append(result[0][4][0] if result else f"error {error}"),
    )

    # A channel whose one server is a socket that never answers: the query ends in a time-out.
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.bind(("127.0.0.1", 0))
    server = f"127.0.0.1:{silent.getsockname()[1]}"
    channel = pyuv.dns.Channel(loop, servers=[server], timeout=0.1, tries=1)
    channel.query("a.test", "A", lambda _, error: seen.append(f"error {error}"))
    loop.run()
    channel.close()
    timer.close()
    loop.run()
    silent.close()

    assert len(seen) == 4, seen
    assert {"127.0.0.1", "5 bytes", "timer"} < set(seen), seen
    # Without a callback it runs at once and raises.
    with contextlib.suppress(pyuv.error.FSError):
        pyuv.fs.stat(loop, str(here / "below-a-file"))
        raise AssertionError("stat of a file below a file returned")
    print(f"pyuv {pyuv.__version__} on Python {sys.version.split()[0]}: {', '.join(seen)}")


if __name__ == "__main__":
    main()
