"""TLS by the user's own SSLContext: what it asks for is done, and what it calls may do anything."""

import asyncio
import contextlib
import ssl
import subprocess
import sys

import debian
import pytest
import pyuv.asyncio
from asyncioutil import Recorder, both_loops, reports, run
from opensslprogram import s_client, s_server
from tlsutil import CERTIFICATE, client_context, echo, echoed, ended, server_context, start_server, way

from util import collect

__all__ = ["way"]

pytestmark = pytest.mark.usefixtures("way")


async def connected(server_side, client_side, **options):
    """A server on one context, and a client's streams on another."""
    server = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=server_side)
    address = server.sockets[0].getsockname()
    return server, await asyncio.open_connection(*address, ssl=client_side, **options)


@both_loops
@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_versions_and_protocols_are_agreed_on(factory, version):
    async def main():
        server_side, client_side = server_context(), client_context()
        server_side.set_alpn_protocols(["h2", "http/1.1"])
        client_side.set_alpn_protocols(["http/1.1"])
        client_side.maximum_version = client_side.minimum_version = ssl.TLSVersion[version]
        server, (reader, writer) = await connected(server_side, client_side)
        found = writer.get_extra_info("ssl_object")
        assert (found.version(), found.selected_alpn_protocol()) == (version.replace("_", "."), "http/1.1")
        assert writer.get_extra_info("sslcontext") is client_side
        await echoed(reader, writer, 100_000)
        await ended(writer)
        server.close()

    run(factory, main())


@both_loops
def test_a_client_shows_its_certificate(factory):
    async def serve(reader, writer):
        shown.append(writer.get_extra_info("peercert")["subject"])
        await echo(reader, writer)

    shown = []

    async def main():
        server_side = server_context()
        server_side.verify_mode = ssl.CERT_REQUIRED
        server_side.load_verify_locations(CERTIFICATE)
        client_side = client_context()
        client_side.load_cert_chain(CERTIFICATE)
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server_side)
        reader, writer = await asyncio.open_connection(
            *server.sockets[0].getsockname(), ssl=client_side, server_hostname="localhost"
        )
        await echoed(reader, writer, 1000)
        assert shown == [((("commonName", "localhost"),),)]
        await ended(writer)
        server.close()

    run(factory, main())


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_a_client_without_a_certificate_is_told_why(version):
    """By an alert, which comes after the client's handshake with TLS 1.3. asyncio's own server sends none."""

    async def main():
        loop = asyncio.get_running_loop()
        reports()
        server_side, client_side = server_context(), client_context()
        server_side.verify_mode = ssl.CERT_REQUIRED
        client_side.maximum_version = ssl.TLSVersion[version]
        server, address = await start_server(echo, server_side)
        try:
            _, protocol = await loop.create_connection(
                Recorder, *address, ssl=client_side, server_hostname="localhost"
            )
            error = await protocol.lost
        except ssl.SSLError as refusal:
            error = refusal
        assert isinstance(error, ssl.SSLError)
        assert "ALERT" in error.reason
        server.close()

    pyuv.asyncio.run(main())


@both_loops
def test_names_choose_the_context(factory):
    """The callback for them runs inside the handshake."""

    async def main():
        first, second = server_context(), server_context()
        second.set_alpn_protocols(["chosen"])
        names = []

        def choose(ssl_object, name, context):
            names.append(name)
            ssl_object.context = second

        first.sni_callback = choose
        client_side = client_context()
        client_side.set_alpn_protocols(["chosen"])
        server, (reader, writer) = await connected(first, client_side, server_hostname="localhost")
        assert names == ["localhost"]
        assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == "chosen"
        await echoed(reader, writer, 1000)
        await ended(writer)
        server.close()

    run(factory, main())


@both_loops
def test_an_exception_of_the_callback_ends_the_handshake(factory, monkeypatch):
    unraisable = []
    monkeypatch.setattr(sys, "unraisablehook", lambda raised: unraisable.append(raised.exc_type))

    async def main():
        reports()
        server_side = server_context()
        server_side.sni_callback = lambda *_: 1 / 0
        server = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=server_side)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection(
                *server.sockets[0].getsockname(), ssl=client_context(), server_hostname="localhost"
            )
        server.close()
        await asyncio.sleep(0.01)

    run(factory, main())
    assert unraisable == [ZeroDivisionError]


@pytest.mark.parametrize("end", ["abort", "close"])
def test_a_callback_may_end_the_connection_that_it_is_called_for(end):
    """On asyncio's own loop the server waits for ever then."""

    async def main():
        reports()
        server_side, transports = server_context(), []
        server_side.sni_callback = lambda *_: getattr(transports[0], end)()

        async def serve(reader, writer):
            transports.append(writer.transport)
            with pytest.raises((OSError, ssl.SSLError)):
                await writer.start_tls(server_side)
            served.set()

        served = asyncio.Event()
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        with pytest.raises((OSError, ssl.SSLError)):
            await writer.start_tls(client_context(), server_hostname="localhost")
        await served.wait()
        server.close()

    pyuv.asyncio.run(main())


def labels(log):
    """The labels of a file of secrets (NSS's key log format), with the lengths of what each line has."""
    lines = [line.split() for line in log.splitlines() if not line.startswith("#")]
    return {(label, *[len(bytes.fromhex(field)) for field in fields]) for label, *fields in lines}


LABELS = {
    # What 1.2 has for all is 48 bytes; with AES-256 and SHA-384 a secret of 1.3 has 48 too.
    "TLSv1_2": {"CLIENT_RANDOM"},
    "TLSv1_3": {
        "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
        "SERVER_HANDSHAKE_TRAFFIC_SECRET",
        "CLIENT_TRAFFIC_SECRET_0",
        "SERVER_TRAFFIC_SECRET_0",
        "EXPORTER_SECRET",
    },
}


@both_loops
@pytest.mark.parametrize("version", LABELS)
@pytest.mark.parametrize("side", ["server", "client"])
def test_logged_secrets_are_those_of_the_other_end(factory, version, side, tmp_path):
    """So a recorded connection can be read with either."""
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"

    async def serving():
        context = server_context()
        context.keylog_filename = str(ours)
        context.maximum_version = ssl.TLSVersion[version]
        server, address = await start_server(echo, context)
        async with s_client(address, "-keylogfile", theirs) as client:
            client.type("hello")
            await client.says("hello")
            assert await client.leave() == 0
        server.close()

    async def connecting():
        context = client_context()
        context.keylog_filename = str(ours)
        context.maximum_version = ssl.TLSVersion[version]
        async with s_server("-keylogfile", theirs) as (server, address):
            _, writer = await asyncio.open_connection(*address, ssl=context, server_hostname="localhost")
            writer.write(b"hello\n")
            await server.says("hello")
            await ended(writer)

    run(factory, serving() if side == "server" else connecting())
    logged = ours.read_text()
    assert labels(logged) == {(label, 32, 48) for label in LABELS[version]}
    same = [set(log.splitlines()[-len(LABELS[version]) :]) for log in (logged, theirs.read_text())]
    assert same[0] == same[1]


@pytest.fixture
def other_certificate(tmp_path):
    """A certificate of another name's, with its key."""
    made = tmp_path / "other.pem"
    command = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=other.example -days 2"
    program = debian.program("openssl", "openssl")
    names = ["-addext", "subjectAltName=DNS:other.example"]
    key = tmp_path / "key.pem"
    subprocess.run(
        [program, *command.split(), *names, "-keyout", key, "-out", made], check=True, capture_output=True
    )
    made.write_bytes(made.read_bytes() + key.read_bytes())
    return made


@both_loops
def test_a_name_chooses_the_certificate(factory, other_certificate):
    """The callback puts another context in the place of the first, which is that of who says no name."""

    async def main():
        contexts = reports()
        first, second = server_context(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        second.load_cert_chain(other_certificate)
        names = []

        def choose(ssl_object, name, context):
            assert context is first
            names.append(name)
            if name == "other.example":
                ssl_object.context = second

        first.sni_callback = choose
        server, address = await start_server(echo, first)
        for name, trusted, subject in [
            ("localhost", CERTIFICATE, "localhost"),
            ("other.example", other_certificate, "other.example"),
            (None, CERTIFICATE, "localhost"),
        ]:
            asked = ["-noservername"] if name is None else ["-servername", name]
            async with s_client(address, *asked, trusted=trusted) as client:
                assert (await client.says("subject=CN")).strip(" =") == subject
                await client.says("Verify return code: 0")
                client.type("hello")
                await client.says("hello")
                assert await client.leave() == 0
        assert names == ["localhost", "other.example", None]
        server.close()
        assert contexts == []

    run(factory, main())


def test_a_name_that_is_refused_gets_the_alert_of_the_callback():
    """asyncio's own server sends none."""

    async def main():
        reports()
        context = server_context()
        context.sni_callback = lambda *_: ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        server, address = await start_server(echo, context)
        async with s_client(address, "-servername", "nobody.example") as client:
            await client.says("unrecognized name")
            assert await client.ends() == 1
        server.close()

    pyuv.asyncio.run(main())


@both_loops
def test_tls_goes_through_tls(factory):
    """As through a proxy that is spoken to by TLS itself."""

    async def serve(reader, writer):
        assert await reader.readline() == b"CONNECT\n"
        writer.write(b"connected\n")
        await writer.drain()
        await writer.start_tls(server_context())
        await echo(reader, writer)

    async def main():
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server_context())
        reader, writer = await asyncio.open_connection(
            *server.sockets[0].getsockname(), ssl=client_context(), server_hostname="localhost"
        )
        writer.write(b"CONNECT\n")
        assert await reader.readline() == b"connected\n"
        await writer.start_tls(client_context(), server_hostname="localhost")
        for size in (1, 1000, 1_000_000):
            await echoed(reader, writer, size)
        await ended(writer)
        server.close()
        await server.wait_closed()

    run(factory, main())


def test_the_way_is_the_one_that_was_chosen(way):
    """The short one on every Python that the tests know."""

    async def main():
        server, (reader, writer) = await connected(server_context(), client_context())
        await echoed(reader, writer, 1000)
        found = writer.transport._core.direct
        await ended(writer)
        server.close()
        return found

    known = ssl.OPENSSL_VERSION_INFO[0] == 3 and sys.version_info < (3, 16)
    assert pyuv.asyncio.run(main()) == (way == "short" and known)


def test_an_object_that_outlives_its_connection_is_of_no_use():
    async def main():
        server, (reader, writer) = await connected(server_context(), client_context())
        await echoed(reader, writer, 1000)
        kept = writer.get_extra_info("ssl_object")
        await ended(writer)
        server.close()
        return kept

    kept = pyuv.asyncio.run(main())
    collect()
    assert kept.getpeercert()["subject"] == ((("commonName", "localhost"),),)
    assert kept.version() == "TLSv1.3"
    for use in (lambda: kept.write(b"data"), lambda: kept.read(10), kept.unwrap, kept.do_handshake):
        with contextlib.suppress(ssl.SSLError):
            assert use() in (None, b"", 0, 4)
