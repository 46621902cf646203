"""What TLS negotiates after its handshake, with openssl as the other end."""

import asyncio
import ssl

import pytest
import pyuv.asyncio
from asyncioutil import Recorder, both_loops, reports, run
from opensslprogram import s_client, s_server
from tlsutil import CERTIFICATE, client_context, echo, ended, server_context, start_server, way

__all__ = ["way"]

pytestmark = pytest.mark.usefixtures("way")

SUBJECT = ((("commonName", "localhost"),),)
"""Of the certificate in fixtures/."""


class Echo(Recorder):
    def data_received(self, data):
        super().data_received(data)
        self.transport.write(data)


async def ready(client):
    """Waits until a client takes what is typed."""
    await client.says("Verify return code: 0")


@both_loops
def test_a_client_may_not_renegotiate(factory):
    """It would cost the server more than the client. Its connection ends, and no other."""

    async def main():
        loop = asyncio.get_running_loop()
        contexts = reports()
        protocols = []

        def protocol():
            protocols.append(Echo())
            return protocols[-1]

        server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=server_context())
        address = server.sockets[0].getsockname()
        async with s_client(address, "-tls1_2") as client, s_client(address, "-tls1_2") as other:
            await ready(other)
            await ready(client)
            client.type("before")
            await client.says("before")
            client.type("R")
            await client.says("no renegotiation")
            assert await client.ends() == 1
            [broken] = [each for each in protocols if each.data]
            error = await broken.lost
            assert isinstance(error, ssl.SSLError)
            assert "HANDSHAKE_FAILURE" in error.reason
            assert broken.data == b"before\n"
            other.type("untouched")
            await other.says("untouched")
            assert await other.leave() == 0
        for each in protocols:
            await each.lost
        server.close()
        assert contexts == []

    run(factory, main())


@both_loops
def test_a_server_may_have_a_client_renegotiate(factory):
    """As some do that want a certificate for a part of what they have."""

    async def main():
        context = client_context()
        context.load_cert_chain(CERTIFICATE)
        options = ["-tls1_2", "-CAfile", CERTIFICATE, "-no_resumption_on_reneg"]
        async with s_server(*options) as (server, address):
            reader, writer = await asyncio.open_connection(*address, ssl=context, server_hostname="localhost")
            found = writer.get_extra_info("ssl_object")
            first = found.get_channel_binding("tls-unique")
            await server.says("CIPHER is")
            server.type("R")
            assert await server.says("depth=0 CN = ") == "localhost"
            for number in range(3):
                writer.write(b"line %d\n" % number)
                await server.says(f"line {number}")
                server.type(f"answer {number}")
                assert await reader.readline() == b"answer %d\n" % number
            assert found.get_channel_binding("tls-unique") != first
            await ended(writer)

    run(factory, main())


@both_loops
def test_a_server_gets_new_keys(factory):
    async def main():
        contexts = reports()
        server, address = await start_server(echo)
        async with s_client(address, "-tls1_3", "-msg") as client:
            await ready(client)
            for number in range(3):
                client.type("K")
                await client.says("KEYUPDATE")
                await client.says(">>> TLS 1.3, Handshake [length 0005], KeyUpdate")
                client.type(f"line {number}")
                await client.says("<<< TLS 1.3, Handshake [length 0005], KeyUpdate")
                await client.says(f"line {number}")
            assert await client.leave() == 0
        server.close()
        assert contexts == []

    run(factory, main())


@both_loops
def test_a_client_gets_new_keys(factory):
    async def main():
        async with s_server("-tls1_3", "-msg") as (server, address):
            reader, writer = await asyncio.open_connection(*address, ssl=client_context())
            await server.says("CIPHER is")
            for number in range(3):
                server.type("K")
                await server.says(">>> TLS 1.3, Handshake [length 0005], KeyUpdate")
                server.type(f"answer {number}")
                assert await reader.readline() == b"answer %d\n" % number
                writer.write(b"line %d\n" % number)
                await server.says("<<< TLS 1.3, Handshake [length 0005], KeyUpdate")
                await server.says(f"line {number}")
            await ended(writer)

    run(factory, main())


def asking_context():
    """A server's context that has clients show a certificate when they are asked, not in the handshake."""
    context = server_context()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(CERTIFICATE)
    context.post_handshake_auth = True
    return context


@both_loops
def test_a_server_asks_for_a_certificate_later(factory):
    async def serve(reader, writer):
        found = writer.get_extra_info("ssl_object")
        subjects.append(found.getpeercert())
        assert await reader.readline() == b"let me in\n"
        found.verify_client_post_handshake()
        writer.write(b"certificate, please\n")
        assert await reader.readline() == b"there it is\n"
        subjects.append(found.getpeercert()["subject"])
        writer.write(b"welcome\n")
        await ended(writer)

    subjects = []

    async def main():
        contexts = reports()
        server, address = await start_server(serve, asking_context())
        async with s_client(address, "-tls1_3", "-enable_pha", "-cert", CERTIFICATE) as client:
            await ready(client)
            client.type("let me in")
            await client.says("certificate, please")
            client.type("there it is")
            await client.says("welcome")
            assert await client.ends() == 0
        assert subjects == [None, SUBJECT]
        server.close()
        assert contexts == []

    run(factory, main())


def test_a_client_that_has_no_certificate_then_is_told_why():
    """By an alert. asyncio's own server sends none."""

    async def main():
        loop = asyncio.get_running_loop()
        contexts = reports()

        class Asks(Recorder):
            def data_received(self, data):
                super().data_received(data)
                self.transport.get_extra_info("ssl_object").verify_client_post_handshake()
                self.transport.write(b"certificate, please\n")
                asking.set_result(self)

        asking = loop.create_future()
        server = await loop.create_server(Asks, "127.0.0.1", 0, ssl=asking_context())
        async with s_client(server.sockets[0].getsockname(), "-tls1_3", "-enable_pha") as client:
            await ready(client)
            client.type("let me in")
            await client.says("certificate, please")
            error = await (await asking).lost
            assert isinstance(error, ssl.SSLError)
            assert error.reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE"
            await client.says("certificate required")
            assert await client.ends() == 1
        server.close()
        assert contexts == []

    pyuv.asyncio.run(main())


@both_loops
def test_a_client_shows_a_certificate_later(factory):
    async def main():
        context = client_context()
        context.load_cert_chain(CERTIFICATE)
        context.post_handshake_auth = True
        async with s_server("-tls1_3", "-CAfile", CERTIFICATE) as (server, address):
            reader, writer = await asyncio.open_connection(*address, ssl=context)
            await server.says("CIPHER is")
            server.type("c")
            assert await server.says("depth=0 CN = ") == "localhost"
            server.type("line")
            assert await reader.readline() == b"line\n"
            writer.write(b"answer\n")
            await server.says("answer")
            await ended(writer)

    run(factory, main())
