"""Records as zone files have them, and messages as JSON: what str(), to_json() give."""

import json
import pathlib

import dns.message
import dns.rdata
import pytest
from pyuv import dns as pyuv_dns

MESSAGES = sorted((pathlib.Path(__file__).parents[1] / "fixtures" / "messages").glob("*.hex"))


def wire(path):
    lines = path.read_text().splitlines()
    return bytes.fromhex("".join(line for line in lines if not line.startswith(";")))


@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: path.stem)
def test_dnspython_reads_the_text_of_every_record(path):
    message = pyuv_dns.Message.parse(wire(path))
    theirs = dns.message.from_wire(wire(path))
    for ours, section in ((message.answer, theirs.answer), (message.authority, theirs.authority)):
        expected = {rdata for rrset in section for rdata in rrset}
        read = {dns.rdata.from_text("IN", str(record.type), str(record.data)) for record in ours}
        assert read == expected
        for record in ours:
            name, ttl, record_class, rdtype, data = str(record).split("\t")
            assert (name, int(ttl), record_class) == (f"{record.name}.", record.ttl, "IN")
            assert (rdtype, data) == (str(record.type), str(record.data))


@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: path.stem)
def test_json_says_what_the_message_says(path):
    message = pyuv_dns.Message.parse(wire(path))
    read = json.loads(message.to_json())
    assert read["id"] == message.id
    assert read["rcode"] == str(message.rcode)
    assert read["opcode"] == str(message.opcode)
    assert sum(pyuv_dns.Flags[name] for name in read["flags"]) == message.flags
    assert [(q["name"], q["type"], q["class"]) for q in read["question"]] == [
        (q.name, str(q.type), str(q.record_class)) for q in message.question
    ]
    for title in ("answer", "authority", "additional"):
        records = getattr(message, title)
        assert [(r["name"], r["type"], r["class"], r["ttl"]) for r in read[title]] == [
            (r.name, str(r.type), str(r.record_class), r.ttl) for r in records
        ]
        for shown, record in zip(read[title], records, strict=True):
            for field, value in shown["data"].items():
                expected = getattr(record.data, field)
                if isinstance(expected, int | str):
                    assert value == expected
    assert json.loads(message.answer_to_json()) == read["answer"]


def test_json_of_bytes_and_options():
    question = pyuv_dns.Question("x.example", "TXT")
    data = [
        pyuv_dns.TXT([b'say "hi"', b"\xff\\"]),
        pyuv_dns.TLSA(3, 1, 1, b"\x00\xab"),
        pyuv_dns.SVCB(1, "", [(1, b"\x02h2"), (65000, b"")]),
        pyuv_dns.RawData("SSHFP", b"\x01\x02"),
    ]
    message = pyuv_dns.Message(question=[question], answer=[pyuv_dns.Record("x", item) for item in data])
    assert [record["data"] for record in json.loads(message.answer_to_json())] == [
        {"data": ['say "hi"', "\\255\\\\"]},
        {"cert_usage": 3, "selector": 1, "matching_type": 1, "cert_association_data": "00ab"},
        {"priority": 1, "target": "", "params": [[1, "026832"], [65000, ""]]},
        {"data": "0102"},
    ]
