"""One measurement of HTTP: starts a server on one core and `wrk` on another.

    http_load.py --wrk PROGRAM --server-core N --load-core N [--connections N] [--seconds S] [--warmup S]
        -- SERVER [ARGUMENT ...]

Prints a line of JSON: requests and their latency, the server's CPU time and memory.
"""

import argparse
import json
import os
import sys
from pathlib import Path

from measure import started

SCRIPT = Path(__file__).with_suffix(".lua")
TICK = 1 / os.sysconf("SC_CLK_TCK")
PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wrk", required=True)
    parser.add_argument("--server-core", type=int, required=True)
    parser.add_argument("--load-core", type=int, required=True)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--warmup", type=float, default=0.2)
    parser.add_argument("server", nargs="+")
    options = parser.parse_args()
    server = started(options.server, options.server_core)
    try:
        assert server.stdout is not None
        port, _, version = server.stdout.readline().strip().partition(" ")
        if not port:
            return 1

        def load(seconds: float) -> dict[str, float]:
            wrk = [options.wrk, "--threads", "1", "--connections", str(options.connections)]
            wrk += ["--duration", f"{max(1, round(seconds))}s", "--latency", "--script", str(SCRIPT)]
            with started([*wrk, f"http://127.0.0.1:{port}/"], options.load_core) as process:
                assert process.stdout is not None
                counts: dict[str, float] = json.loads(process.stdout.read().splitlines()[-1])
            return counts

        load(options.warmup)
        before, rss_before = times(server.pid), resident(server.pid)
        counts = load(options.seconds)
        user, system = (after - earlier for after, earlier in zip(times(server.pid), before, strict=True))
        sample = {
            "operations": counts["operations"],
            "errors": counts["errors"],
            "seconds": counts["microseconds"] / 1e6,
            "user": user,
            "system": system,
            "version": version,
            "rss_kib": [rss_before, resident(server.pid)],
            "p50_us": counts["p50_us"],
            "p99_us": counts["p99_us"],
        }
        print(json.dumps(sample))
        return 0
    finally:
        server.kill()
        server.wait()


def times(pid: int) -> tuple[float, float]:
    """User and system seconds of a process, in ticks."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) * TICK, int(fields[12]) * TICK


def resident(pid: int) -> int:
    """Its memory, in KiB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_KIB


if __name__ == "__main__":
    sys.exit(main())
