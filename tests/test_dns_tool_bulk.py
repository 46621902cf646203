"""``python -m pyuv.dns --file``, as a program: results, resuming, interrupts, and files that fail."""

import contextlib
import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import threading

import faults
import pytest
from faultserver import FaultServer

PROGRAM = [sys.executable, "-W", "error", "-m", "pyuv.dns"]


@pytest.fixture
def run(dns_server, tmp_path):
    """Runs the tool in bulk: (exit status, results, standard error)."""

    def run(*arguments, names=(), server=None, **options):
        (tmp_path / "names.txt").write_text("".join(f"{name}\n" for name in names))
        return finish(
            start(f"@{(server or dns_server).address}", "--file", "names.txt", *arguments, **options)
        )

    def start(*arguments, **options):
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
        child = subprocess.Popen([*PROGRAM, *map(str, arguments)], cwd=tmp_path, **options)
        children.enter_context(child)
        children.callback(child.kill)
        return child

    def finish(child, **options):
        out, err = child.communicate(timeout=50, **options)
        return child.returncode, [json.loads(line) for line in (out or "").splitlines()], err

    run.start, run.finish, run.server = start, finish, dns_server
    with contextlib.ExitStack() as children:
        yield run


def results(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def by_name(lines):
    return {line["name"]: line for line in lines}


def test_a_line_for_each_name(run):
    names = [
        "www.example.com",
        "two.example.com",
        "no-such.example.com",
        "v6only.example.com",
        "refused.example.com",
    ]
    status, lines, err = run("--retries", "0", names=names)
    assert status == 4
    found = by_name(lines)
    assert len(lines) == len(found) == 5
    assert found["www.example.com"] == {
        "name": "www.example.com",
        "type": "A",
        "status": "NOERROR",
        "answer": [
            {
                "name": "www.example.com",
                "type": "A",
                "class": "IN",
                "ttl": 300,
                "data": {"addr": "192.0.2.10"},
            }
        ],
    }
    assert {record["data"]["addr"] for record in found["two.example.com"]["answer"]} == {
        "192.0.2.21",
        "192.0.2.22",
    }
    assert found["no-such.example.com"] == {
        "name": "no-such.example.com",
        "type": "A",
        "status": "NXDOMAIN",
        "reason": "Domain name not found",
    }
    assert found["v6only.example.com"]["status"] == "NODATA"
    assert found["refused.example.com"]["status"] == "REFUSED"
    head, *counts = err.splitlines()
    assert head.startswith("5 names in ")
    assert head.endswith(" a second")
    assert {tuple(line.split()) for line in counts} == {
        ("NOERROR", "2"),
        ("NXDOMAIN", "1"),
        ("NODATA", "1"),
        ("REFUSED", "1"),
    }


def test_lines_name_types_and_comments_are_passed_over(run):
    names = [
        "# a comment",
        "",
        "  example.com   MX  # why",
        "example.com\tns",
        "example.com",
        "x.example.com NOTYPE",
    ]
    status, lines, _ = run("--type", "TXT", "--quiet", names=names)
    assert status == 0
    assert sorted((line["name"], line["type"], line["status"]) for line in lines) == [
        ("example.com", "MX", "NOERROR"),
        ("example.com", "NS", "NOERROR"),
        ("example.com", "TXT", "NOERROR"),
        ("x.example.com", "NOTYPE", "BADNAME"),
    ]


def test_names_that_are_none_are_results_too(run):
    odd = ["a..b", "x" * 5000, "b\u00fccher.wild.example.com", "sp\u00e4m\udcff", "a\x01b"]
    lines = "\n".join(odd).encode("utf-8", "surrogateescape")
    child = run.start("--file", "-", f"@{run.server.address}", stdin=subprocess.PIPE, text=False)
    out, _ = child.communicate(lines, timeout=50)
    assert child.returncode == 0
    found = [json.loads(line) for line in out.splitlines()]
    assert sorted(line["status"] for line in found) == ["BADNAME", "BADNAME", "BADNAME", "BADNAME", "NOERROR"]


def test_many_more_names_than_are_in_flight(run, tmp_path):
    names = [f"n{number}.wild.example.com" for number in range(3000)]
    status, _, err = run("--out", "results", "--concurrency", "50", names=names)
    assert status == 0
    assert sorted(by_name(results(tmp_path / "results"))) == sorted(names)
    assert "NOERROR        3,000" in err


def test_names_from_a_pipe_that_is_slow(run, dns_server):
    child = run.start("--file", "-", f"@{dns_server.address}", stdin=subprocess.PIPE)
    child.stdin.write("www.exam")
    child.stdin.flush()
    child.stdin.write("ple.com\ntwo.example.com\n")
    child.stdin.flush()
    # The answers come before the input's end.
    first = {json.loads(child.stdout.readline())["name"], json.loads(child.stdout.readline())["name"]}
    assert first == {"www.example.com", "two.example.com"}
    status, lines, _ = run.finish(child, input="ns1.example.com")
    assert status == 0
    assert [line["name"] for line in lines] == ["ns1.example.com"]


def test_no_names_at_all(run):
    assert run(names=[])[:2] == (0, [])
    child = run.start("--file", "/dev/null", "@127.0.0.1", "--quiet")
    assert run.finish(child) == (0, [], "")


def test_failures_are_asked_again(run):
    with FaultServer(*[faults.servfail] * 2, faults.answer) as server:
        status, lines, err = run("--retries", "2", "--tries", "1", names=["a.example"], server=server)
    assert status == 0
    assert [line["status"] for line in lines] == ["NOERROR"]
    assert len(server.queries) == 3
    assert "2 asked again" in err


def test_results_are_continued(run, tmp_path):
    out = tmp_path / "results"
    assert run("--out", "results", names=["www.example.com", "no-such.example.com"])[0] == 0
    with out.open("a") as file:
        file.write('{"name":"late.wild.example.com","type":"A","status":"TIMEOUT","reason":"x"}\n')
        file.write('{"name":"cut.wild.example.com","ty')
    names = ["www.example.com", "no-such.example.com", "late.wild.example.com", "cut.wild.example.com"]
    status, _, err = run("--out", "results", "--resume", names=[*names, "www.example.com MX"])
    assert status == 0
    assert err.startswith("3 names")
    lines = [(line["name"], line["type"], line["status"]) for line in results(out)]
    assert sorted(lines[:2]) == [
        ("no-such.example.com", "A", "NXDOMAIN"),
        ("www.example.com", "A", "NOERROR"),
    ]
    assert lines[2] == ("late.wild.example.com", "A", "TIMEOUT")
    assert sorted(lines[3:]) == [
        ("cut.wild.example.com", "A", "NOERROR"),
        ("late.wild.example.com", "A", "NOERROR"),
        ("www.example.com", "MX", "NODATA"),
    ]


def test_results_are_not_replaced_unasked(run, tmp_path):
    out = tmp_path / "results"
    out.write_text("precious\n")
    status, _, err = run("--out", "results", names=["www.example.com"])
    assert (status, out.read_text()) == (2, "precious\n")
    assert "--resume continues, --overwrite replaces" in err
    status, _, err = run("--out", "results", "--resume", names=["www.example.com"])
    assert (status, out.read_text()) == (2, "precious\n")
    assert "line 1 is no result" in err
    assert run("--out", "results", "--overwrite", names=["www.example.com"])[0] == 0
    assert [line["name"] for line in results(out)] == ["www.example.com"]


def test_ctrl_c_keeps_what_is_answered_and_resume_goes_on(run, tmp_path):
    # A second's worth, whatever the machine: the signal comes long before the end.
    names = [f"delay-25.n{number}.wild.example.com" for number in range(800)]
    (tmp_path / "names.txt").write_text("\n".join(names) + "\n")
    arguments = ["--file", "names.txt", "--out", "results", "--concurrency", "20", f"@{run.server.address}"]
    child = run.start(*arguments)
    out = tmp_path / "results"
    while not (out.exists() and out.stat().st_size):
        assert child.poll() is None
    child.send_signal(signal.SIGINT)
    status, _, err = run.finish(child)
    assert status == 130
    before = results(out)
    assert 0 < len(before) < len(names)
    assert "Traceback" not in err
    assert run.finish(run.start(*arguments, "--resume"))[0] == 0
    after = results(out)
    assert after[: len(before)] == before
    assert sorted(line["name"] for line in after) == sorted(names)


def test_a_second_ctrl_c_leaves_at_once(run, tmp_path):
    with FaultServer(faults.answer, faults.drop) as server:
        (tmp_path / "names.txt").write_text("a.example\nb.example\n")
        arguments = ["--file", "names.txt", "--out", "results", "--timeout", "60", f"@{server.address}"]
        child = run.start(*arguments)
        while len(server.queries) < 2:
            assert child.poll() is None
        child.send_signal(signal.SIGINT)
        assert "waiting for 1 in flight" in child.stderr.readline()
        child.send_signal(signal.SIGINT)
        status, _, err = run.finish(child)
    assert status == 130
    assert "Traceback" not in err
    assert [line["name"] for line in results(tmp_path / "results")] == ["a.example"]


@pytest.mark.parametrize("path", ["missing", "folder"])
def test_names_that_cannot_be_read(run, tmp_path, path):
    (tmp_path / "folder").mkdir()
    status, lines, err = run.finish(run.start("--file", path, "@127.0.0.1"))
    assert (status, lines) == (5, [])
    assert path in err
    assert "Traceback" not in err


def test_results_that_cannot_be_written(run):
    status, _, err = run("--out", "/dev/full", names=["www.example.com"])
    assert status == 5
    assert "No space left on device: '/dev/full'" in err
    status, _, err = run("--out", "no/such/folder", names=["www.example.com"])
    assert status == 5
    assert "no/such/folder" in err


def test_a_reader_that_has_left(run):
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w") as closed:
        assert run(names=["www.example.com"], stdout=closed) == (141, [], "")


def test_a_bar_on_a_terminal(run, tmp_path):
    (tmp_path / "names.txt").write_text("delay-500.wild.example.com\nwww.example.com\n")
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", 25, 100, 0, 0))
    child = run.start("--file", "names.txt", f"@{run.server.address}", stderr=terminal)
    os.close(terminal)
    shown = []

    def read():
        try:
            while data := os.read(controller, 4096):
                shown.append(data)
        except OSError:
            pass

    reader = threading.Thread(target=read)
    reader.start()
    status, lines, _ = run.finish(child)
    reader.join(10)
    os.close(controller)
    text = b"".join(shown).decode()
    assert (status, len(lines)) == (0, 2)
    assert "/2.00 [" in text
    assert "2 names in " in text


def test_no_bar_without_tqdm_and_a_hint(run, tmp_path):
    (tmp_path / "tqdm.py").write_text("raise ImportError\n")
    controller, terminal = pty.openpty()
    (tmp_path / "names.txt").write_text("www.example.com\n")
    child = run.start("--file", "names.txt", f"@{run.server.address}", stderr=terminal)
    status, lines, _ = run.finish(child)
    os.close(terminal)
    text = os.read(controller, 4096).decode()
    os.close(controller)
    assert (status, len(lines)) == (0, 1)
    hint, summary, *_ = text.splitlines()
    assert hint == "pip install tqdm for a progress bar"
    assert summary.startswith("1 name in ")


@pytest.mark.timeout(120)
def test_a_hundred_thousand_names_take_little_memory(run, tmp_path, knot):
    (tmp_path / "names.txt").write_text("".join(f"host{n % 256}.example.com\n" for n in range(100_000)))
    # Not getrusage, whose peak a child has from its parent.
    code = "import re, runpy, sys\ntry: runpy.run_module('pyuv.dns', run_name='__main__')\n"
    code += (
        "finally: sys.stderr.write(re.search('VmHWM:\\\\s*(.*) kB', open('/proc/self/status').read())[1])\n"
    )
    arguments = [f"@{knot.address}", "--file", "names.txt", "--out", "results", "--quiet"]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=110
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stderr) < 60 * 1024
    with (tmp_path / "results").open() as lines:
        assert sum(1 for _ in lines) == 100_000
