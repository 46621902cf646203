"""dnsperf with a query load like that of dns_queries.py: what a server gives a load generator in C.

    dnsperf.py --program PATH --server 127.0.0.1:PORT --names N --zone bench.test --in-flight N

One socket, one thread that sends and one that receives. dnsperf looks at an answer's header only.
"""

import argparse
import re
import subprocess
import tempfile

from measure import Meter, report


def figure(pattern: str, output: str) -> float:
    """The number that follows a title in dnsperf's statistics."""
    found = re.search(pattern + r":\s+([\d.]+)", output)
    assert found is not None, output
    return float(found[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True)
    parser.add_argument("--server", required=True)
    parser.add_argument("--names", type=int, required=True)
    parser.add_argument("--zone", required=True)
    parser.add_argument("--in-flight", type=int, required=True)
    parser.add_argument("--prefix", default="n")
    parser.add_argument("--tcp", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=1)
    # It is what dns_queries.py is told too, and neither changes what dnsperf does.
    for ignored in ("--missing", "--cache", "--warmup"):
        parser.add_argument(ignored, type=float)
    options = parser.parse_args()
    host, _, port = options.server.rpartition(":")
    with tempfile.NamedTemporaryFile("w", prefix="pyuv-bench-") as queries:
        queries.writelines(f"{options.prefix}{number}.{options.zone} A\n" for number in range(options.names))
        queries.flush()
        command = [options.program, "-s", host, "-p", port, "-d", queries.name, "-c", "1", "-T", "1"]
        command += ["-q", str(options.in_flight), "-m", "tcp" if options.tcp else "udp"]
        # It takes whole seconds.
        command += ["-l", str(max(1, round(options.seconds)))]
        meter = Meter(children=True)
        meter.start()
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        meter.stop()
    meter.seconds = figure(r"Run time \(s\)", done.stdout)
    completed = round(figure("Queries completed", done.stdout))
    lost = round(figure("Queries lost", done.stdout))
    version = re.search(r"Version ([\d.]+)", done.stdout)
    report(completed, meter, f"dnsperf {version[1] if version else ''}", lost)


main()
