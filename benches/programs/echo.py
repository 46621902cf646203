"""One echo measurement: starts a server on one core and the load (c/echo_load.c) on another.

    echo.py --load PROGRAM --server-core N --load-core N --transport tcp|unix|udp [--size BYTES]
            [--connections N] [--idle N] [--seconds S] [--warmup S] -- SERVER [ARGUMENT ...]

Prints the load's line of JSON: round trips and their latency, the server's CPU time and memory.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from measure import started


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--load", required=True)
    parser.add_argument("--server-core", type=int, required=True)
    parser.add_argument("--load-core", type=int, required=True)
    parser.add_argument("--transport", required=True, choices=["tcp", "unix", "udp"])
    end = sys.argv.index("--")
    options, for_load = parser.parse_known_args(sys.argv[1:end])
    with tempfile.TemporaryDirectory(prefix="pyuv-bench-") as folder:
        command = [*sys.argv[end + 1 :], "--transport", options.transport]
        if options.transport == "unix":
            command += ["--path", str(Path(folder) / "echo")]
        server = started(command, options.server_core)
        try:
            assert server.stdout is not None
            address, _, version = server.stdout.readline().strip().partition(" ")
            if not address:
                return 1
            about = ["--pid", str(server.pid), "--address", address, "--version", version]
            load = [options.load, "--transport", options.transport, *about, *for_load]
            return started(load, options.load_core, None).wait()
        finally:
            server.kill()
            server.wait()


sys.exit(main())
