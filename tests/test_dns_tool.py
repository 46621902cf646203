"""``python -m pyuv.dns`` with one question, as a program, against the fixtures' servers."""

import json
import os
import struct
import subprocess
import sys

import faults
import pytest
import pyuv
from faultserver import FaultServer
from pyuv import dns

from util import redirected

PROGRAM = [sys.executable, "-W", "error", "-m", "pyuv.dns"]


def tool(*arguments, **options):
    """Runs the tool to its end: (exit status, standard output, standard error)."""
    options = {"capture_output": True, "text": True, "timeout": 50} | options
    done = subprocess.run([*PROGRAM, *map(str, arguments)], **options)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def at(dns_server):
    """The argument that names the server."""
    return f"@{dns_server.address}"


def test_the_answer_as_dig_shows_it(at, dns_server):
    status, out, err = tool("www.example.com", at)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[1].startswith(";; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: ")
    assert lines[2] == ";; flags: qr aa rd; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1"
    assert ";; QUESTION SECTION:\n;www.example.com.\t\tIN\tA\n" in out
    assert ";; ANSWER SECTION:\nwww.example.com.\t300\tIN\tA\t192.0.2.10\n" in out
    assert lines[-1] == f";; SERVER: {dns_server.address}"


def test_sections_beside_the_answer(at):
    status, out, _ = tool("no-such.example.com", "MX", at)
    assert status == 1
    assert "status: NXDOMAIN" in out
    assert ";; AUTHORITY SECTION:\nexample.com.\t300\tIN\tSOA\tns1.example.com. " in out
    assert "ANSWER SECTION" not in out


def test_the_answer_as_json(at, dns_server):
    status, out, err = tool("--json", "example.com", "MX", at)
    assert (status, err) == (0, "")
    (line,) = out.splitlines()
    shown = json.loads(line)
    assert (shown["name"], shown["type"], shown["status"]) == ("example.com", "MX", "NOERROR")
    assert shown["servers"] == [dns_server.address]
    assert 0 < shown["seconds"] < 50
    assert {record["data"]["exchange"] for record in shown["message"]["answer"]} == {
        "mail.example.com",
        "backup.mail.example.com",
    }


def test_json_where_nobody_answers(at):
    status, out, _ = tool("--json", "--timeout", "0.05", "--tries", "1", "timeout.example.com", at)
    assert status == 4
    shown = json.loads(out)
    assert shown["status"] == "TIMEOUT"
    assert shown["reason"] == dns.strerror(dns.ARES_ETIMEOUT)
    assert "message" not in shown


@pytest.mark.parametrize("how", [["+short"], ["--short"]])
def test_the_data_alone(at, how):
    assert tool(at, "example.com", "TXT", *how) == (0, '"v=spf1 mx -all"\n', "")


def test_short_without_records_prints_nothing(at):
    assert tool("www.example.com", "MX", "+short", at) == (1, "", "")


@pytest.mark.parametrize(
    ("address", "name"), [("192.0.2.10", "www.example.com."), ("2001:db8::10", "www.example.com.")]
)
def test_the_name_of_an_address(at, address, name):
    assert tool("-x", address, "+short", at) == (0, f"{name}\n", "")


@pytest.mark.parametrize(
    "words",
    [["example.com", "SOA"], ["SOA", "example.com"], ["-t", "soa", "example.com"], ["example.com", "TYPE6"]],
)
def test_a_type_is_named_in_several_ways(at, words):
    status, out, _ = tool(*words, "+short", at)
    assert status == 0
    assert out.startswith("ns1.example.com. hostmaster")


def test_a_type_that_is_also_a_name(at):
    status, out, _ = tool("mx", "a", at)
    assert status == 3
    assert ";mx.\t\tIN\tA" in out


def test_a_name_that_is_not_ascii(at):
    assert tool("b\u00fccher.wild.example.com", "+short", at) == (0, "192.0.2.60\n", "")


def test_over_tcp(at):
    assert tool("tcp-only.wild.example.com", "+tcp", "+short", at) == (0, "192.0.2.60\n", "")


def test_a_truncated_answer_comes_whole(at):
    status, out, _ = tool("many.example.com", "+short", at)
    assert status == 0
    assert len(out.splitlines()) == 200


def test_what_dnssec_adds(knot):
    at = f"@{knot.address}"
    status, out, _ = tool("www.signed.example", "+dnssec", at)
    assert status == 0
    assert "flags: do;" in out
    assert "\tIN\tRRSIG\t\\# " in out
    assert "RRSIG" not in tool("www.signed.example", at)[1]


def test_recursion_is_asked_for_or_not(knot):
    at = f"@{knot.address}"
    assert ";; flags: qr aa rd;" in tool("www.example.com", at)[1]
    assert ";; flags: qr aa;" in tool("www.example.com", "+norecurse", at)[1]


def test_a_validated_answer_says_so(unbound):
    at = f"@{unbound.address}"
    assert ";; flags: qr rd ra ad;" in tool("www.signed.example", at)[1]
    assert ";; flags: qr rd ra;" in tool("www.example.com", at)[1]
    status, out, _ = tool("www.bogus.example", at)
    assert status == 3
    assert "status: SERVFAIL" in out


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("www.example.com", 0),
        ("no-such.example.com", 1),
        ("v6only.example.com", 1),
        ("servfail.example.com", 3),
        ("refused.example.com", 3),
        ("garbage.example.com", 4),
    ],
)
def test_the_exit_status_says_what_became_of_it(at, name, status):
    assert tool(name, at, "--timeout", "0.2")[0] == status


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], "a NAME, -x ADDRESS or --file NAMES is needed"),
        (["www.example.com", "NOTYPE"], "unknown record type: NOTYPE"),
        (["a.example", "A", "MX"], "not a.example A MX"),
        (["a..example"], "a..example"),
        (["x" * 64], "label"),
        (["a\tb"], "control byte 0x09"),
        (["-x", "192.0.2.300"], "not an IP address: 192.0.2.300"),
        (["a.example", "+nothing"], "+nothing"),
        (["a.example", "@127.0.0.1:0"], "not a port: 127.0.0.1:0"),
        (["a.example", "@127.0.0.1:65536"], "not a port"),
        (["a.example", "@no such server"], "no such server: no such server"),
        (["a.example", "--timeout", "0"], "timeout"),
        (["a.example", "--tries", "0"], "tries 0"),
        (["a.example", "--file", "names.txt"], "--file and a name"),
        (["--file", "names.txt", "--resume"], "--resume needs --out"),
        (["--file", "names.txt", "--concurrency", "0"], "max_in_flight 0"),
        (["--file", "names.txt", "--retries", "-1"], "--retries -1"),
    ],
)
def test_wrong_usage_is_named(tmp_path, words, text):
    (tmp_path / "names.txt").write_text("a.example\n")
    status, out, err = tool(*words, cwd=tmp_path)
    assert (status, out) == (2, "")
    assert text in err.splitlines()[-1]
    assert "Traceback" not in err


def test_a_server_that_is_not_there():
    with FaultServer(faults.drop) as server:
        address = server.address
    status, out, _ = tool("a.example", f"@{address}", "--timeout", "0.2")
    assert status == 4
    assert "status: CONNREFUSED" in out


def test_a_server_given_by_name(dns_server):
    words = ["www.example.com", f"@localhost:{dns_server.port}", "+short", "--timeout", "0.5"]
    assert tool(*words) == (0, "192.0.2.10\n", "")


def test_a_full_disk_is_said(at):
    with open("/dev/full", "w") as full:
        status, _, err = tool(
            "www.example.com", at, capture_output=False, stdout=full, stderr=subprocess.PIPE
        )
    assert status == 5
    assert err == "python -m pyuv.dns: [Errno 28] No space left on device\n"


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [(["www.example.com"], 0, ""), (["--file", "/dev/null"], 2, "--out names a file")],
)
def test_no_standard_output(at, arguments, status, words):
    done = subprocess.run(
        redirected(">&-", [*PROGRAM, at, *arguments]), stderr=subprocess.PIPE, text=True, timeout=50
    )
    assert done.returncode == status
    assert words in done.stderr


def test_a_reader_that_has_left_is_no_error(at):
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w") as closed:
        status, _, err = tool(
            "www.example.com", at, capture_output=False, stdout=closed, stderr=subprocess.PIPE
        )
    assert (status, err) == (141, "")


def test_ctrl_c_ends_it():
    with FaultServer(faults.drop) as server:
        child = subprocess.Popen(
            [*PROGRAM, "a.example", f"@{server.address}"], stderr=subprocess.PIPE, text=True
        )
        while not server.queries:
            assert child.poll() is None
        child.send_signal(2)
        _, err = child.communicate(timeout=20)
    assert (child.returncode, err) == (130, "")


def test_parts_of_the_answer(at):
    status, out, err = tool("www.example.com", at, "+noall", "+answer")
    assert (status, out, err) == (0, "www.example.com.\t300\tIN\tA\t192.0.2.10\n", "")
    out = tool("www.example.com", at, "+nocomments", "+nostats", "+noquestion")[1]
    assert out == "www.example.com.\t300\tIN\tA\t192.0.2.10\n"
    out = tool("www.example.com", at, "+noall", "+question")[1]
    assert out == ";www.example.com.\t\tIN\tA\n"
    assert "Query time" not in tool("www.example.com", at, "+nostats")[1]
    assert "Query time" in tool("www.example.com", at, "+noall", "+all")[1]


def test_short_is_not_silent_without_an_answer():
    with FaultServer(faults.drop) as server:
        for words in (["+short"], ["+noall", "+answer"]):
            status, out, err = tool(
                "x.example", f"@{server.address}", "--timeout", "0.1", "--tries", "1", *words
            )
            assert (status, out) == (4, "")
            assert err.startswith(";; TIMEOUT: ")


def test_a_server_that_does_not_exist_is_a_sentence():
    status, out, err = tool("x.example", "@nosuch.invalid")
    assert (status, out) == (2, "")
    (message,) = err.splitlines()
    assert message.startswith("python -m pyuv.dns: no such server: nosuch.invalid: ")
    assert "(" not in message


def test_the_port_of_servers_that_name_none(dns_server):
    host, port = dns_server.address.split(":")
    assert tool("www.example.com", f"@{host}", "-p", port, "+short")[:2] == (0, "192.0.2.10\n")
    assert tool("www.example.com", f"@{dns_server.address}", "-p", "1", "+short")[:2] == (0, "192.0.2.10\n")
    status, _, err = tool("www.example.com", "-p", "0")
    assert status == 2
    assert "not a port: 0" in err


@pytest.mark.parametrize("transfer", ["AXFR", "IXFR"])
def test_a_transfer_of_a_zone_is_not_done(at, transfer):
    status, out, err = tool("example.com", transfer, at)
    assert (status, out) == (2, "")
    assert err == f"python -m pyuv.dns: {transfer} is a transfer of a whole zone, which this does not do\n"


def test_version():
    status, out, _ = tool("--version")
    assert status == 0
    assert out == f"pyuv {pyuv.__version__}, c-ares {pyuv.ARES_VERSION}\n"


def test_extended_errors_are_in_words():
    def respond(query):
        options = (
            struct.pack("!HHH", 15, 24, 22) + b"at delegation example." + struct.pack("!HHH", 15, 2, 9999)
        )
        opt = b"\0" + struct.pack("!HHIH", 41, 1232, 0, len(options)) + options
        head = query.wire[:2] + struct.pack("!5H", 0x8180, 1, 0, 0, 1)
        query.send(head + query.question + opt)

    with FaultServer(respond) as server:
        out = tool("x.example", f"@{server.address}")[1]
    assert "; EDE: 22 (No Reachable Authority): (at delegation example.)\n; EDE: 9999\n" in out


def test_the_name_that_is_asked_for_is_shown():
    with FaultServer(faults.answer) as server:
        out = tool("stra\u00dfe.example", f"@{server.address}")[1]
    assert "; <<>> pyuv" in out.splitlines()[0]
    assert out.splitlines()[0].endswith(" xn--strae-oqa.example A")
    assert ";xn--strae-oqa.example.\t\tIN\tA\n" in out
