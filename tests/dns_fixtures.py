"""Fixtures: an authoritative server and a validating resolver with the zones of fixtures/."""

from pathlib import Path

import dns.message
import dns.query
import dns.rdatatype
import dns.zone
import pytest
from nameservers import Knot, Unbound

FIXTURES = Path(__file__).parents[1] / "fixtures"


@pytest.fixture(scope="session")
def zone_files(tmp_path_factory):
    """Zone files by zone, with $GENERATE written out, which knot does not know."""
    folder = tmp_path_factory.mktemp("zones")
    files = {}
    for source in sorted(FIXTURES.glob("zones/*.zone")) + sorted(FIXTURES.glob("signed/*.zone")):
        zone = dns.zone.from_file(str(source), relativize=False)
        file = folder / source.name
        zone.to_file(str(file), relativize=False)
        files[zone.origin.to_text(omit_final_dot=True)] = file
    return files


@pytest.fixture(scope="session")
def knot(zone_files):
    """knotd with every zone of fixtures/; those of fixtures/signed are signed."""
    with Knot(zone_files, signed=["signed.example", "bogus.example"]) as server:
        yield server


@pytest.fixture(scope="session")
def unbound(knot, zone_files):
    """unbound, which validates signed.example and finds bogus.example signed by the wrong key."""
    query = dns.message.make_query("signed.example", dns.rdatatype.DNSKEY)
    answer = dns.query.udp(query, knot.host, port=knot.port, timeout=10)
    (key,) = answer.answer[0]
    anchors = [f"{zone} DNSKEY {key}" for zone in ("signed.example", "bogus.example")]
    with Unbound(knot, zone_files, anchors=anchors) as server:
        yield server
