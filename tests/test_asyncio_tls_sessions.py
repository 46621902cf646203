"""TLS sessions that are resumed, and what must not come with them, with openssl as the other end."""

import asyncio
import re
import ssl

import pytest
from asyncioutil import both_loops, reports, run
from opensslprogram import s_client, s_server
from tlsutil import CERTIFICATE, echo, ended, server_context, start_server, way

__all__ = ["way"]

pytestmark = pytest.mark.usefixtures("way")

versions = pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
tickets = pytest.mark.parametrize("tickets", [True, False], ids=["tickets", "no tickets"])
"""Whether the client keeps the session; without tickets the server does, and gives it a name."""


class Resuming(ssl.SSLContext):
    """A context for clients whose next connection resumes `session`."""

    session = None

    def wrap_bio(self, *arguments, **options):
        return super().wrap_bio(*arguments, session=self.session, **options)


@both_loops
@versions
@tickets
def test_a_server_resumes_a_session(factory, version, tickets, tmp_path):
    resumed = []

    async def serve(reader, writer):
        resumed.append(writer.get_extra_info("ssl_object").session_reused)
        await echo(reader, writer)

    async def main():
        contexts = reports()
        context = server_context()
        context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
        if not tickets:
            context.options |= ssl.OP_NO_TICKET
        server, address = await start_server(serve, context)
        for option, kind in [("-sess_out", "New, "), ("-sess_in", "Reused, ")]:
            async with s_client(address, option, tmp_path / "session") as client:
                await client.says(kind)
                # With TLS 1.3 the session comes after the handshake, and before the answer.
                client.type("hello")
                await client.says("hello")
                assert await client.leave() == 0
        assert resumed == [False, True]
        assert context.session_stats()["hits"] == 1
        server.close()
        assert contexts == []

    run(factory, main())


@both_loops
@versions
@tickets
def test_a_client_resumes_a_session(factory, version, tickets):
    async def main():
        context = Resuming(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(CERTIFICATE)
        context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
        async with s_server(*[] if tickets else ["-no_ticket"]) as (server, address):
            for resumed in (False, True):
                reader, writer = await asyncio.open_connection(
                    *address, ssl=context, server_hostname="localhost"
                )
                writer.write(b"hello\n")
                await server.says("hello")
                server.type("line")
                assert await reader.readline() == b"line\n"
                found = writer.get_extra_info("ssl_object")
                assert found.session_reused is resumed
                assert found.session.has_ticket is (tickets or version == "TLSv1_3")
                context.session = found.session
                await ended(writer)
            assert "Reused session-id" in server.printed

    run(factory, main())


@both_loops
def test_early_data_is_not_accepted(factory, tmp_path):
    """It could be somebody's who repeats it: it is dropped, and the connection goes on without."""
    session, early = tmp_path / "session", tmp_path / "early"
    early.write_text("pay twice\n")
    received = bytearray()

    async def serve(reader, writer):
        received.extend(await reader.readline())
        writer.write(b"received\n")
        await ended(writer)

    async def main():
        contexts = reports()
        server, address = await start_server(serve)
        async with s_client(address, "-tls1_3") as client:
            client.type("hello")
            assert await client.ends() == 0
            # What the session allows that it was given.
            assert set(re.findall(r"Max Early Data: (\d+)", client.printed)) == {"0"}
        async with (
            s_server("-tls1_3", "-early_data") as (other, elsewhere),
            s_client(elsewhere, "-sess_out", session) as client,
        ):
            other.type("line")
            await client.says("line")
            assert await client.leave() == 0
            assert "Max Early Data: 16384" in client.printed
        received.clear()
        async with s_client(address, "-sess_in", session, "-early_data", early) as client:
            await client.says("Early data was rejected")
            client.type("later")
            await client.says("received")
            assert await client.ends() == 0
        assert received == b"later\n"
        server.close()
        assert contexts == []

    run(factory, main())


@both_loops
def test_a_session_that_the_server_has_forgotten_is_a_new_one(factory):
    async def main():
        context = Resuming(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(CERTIFICATE)
        for _ in range(2):
            async with s_server() as (server, address):
                reader, writer = await asyncio.open_connection(
                    *address, ssl=context, server_hostname="localhost"
                )
                await server.says("CIPHER is")
                server.type("line")
                assert await reader.readline() == b"line\n"
                found = writer.get_extra_info("ssl_object")
                assert not found.session_reused
                context.session = found.session
                await ended(writer)

    run(factory, main())
