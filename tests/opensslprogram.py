"""The program openssl as the other end of a TLS connection, typed at and read from a running event loop."""

import asyncio
import contextlib
import subprocess
import sys

import debian
from tlsutil import CERTIFICATE

PATIENCE = 30.0
"""How many seconds it may take to say something."""


class OpenSSL:
    """A process of openssl's; `printed` is what it has said so far, errors too."""

    def __init__(self, process):
        self.process = process
        self.printed = ""
        self._seen = 0

    def type(self, line):
        """Types a line: a command if it begins like one, which takes what was typed with it, else data."""
        self.process.stdin.write(f"{line}\n".encode())

    async def says(self, text):
        """Waits until it prints this, after what was waited for before; gives the rest of the line."""
        async with asyncio.timeout(PATIENCE):
            while (begin := self.printed.find(text, self._seen)) < 0 or "\n" not in self.printed[begin:]:
                assert await self._more(), f"it ended before it said {text!r}:\n{self.printed}"
        begin += len(text)
        self._seen = self.printed.index("\n", begin)
        return self.printed[begin : self._seen]

    async def ends(self):
        """Waits for its end; gives its exit status."""
        async with asyncio.timeout(PATIENCE):
            while await self._more():
                pass
            return await self.process.wait()

    async def leave(self):
        """Has it end as one who has nothing more to say."""
        self.process.stdin.close()
        return await self.ends()

    async def _more(self):
        data = await self.process.stdout.read(100_000)
        self.printed += data.decode(errors="replace")
        return bool(data)


@contextlib.asynccontextmanager
async def openssl(*arguments):
    """The program with these arguments, which are made strings."""
    process = await asyncio.create_subprocess_exec(
        debian.program("openssl", "openssl"),
        *map(str, arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    program = OpenSSL(process)
    try:
        yield program
    except TimeoutError:
        print(program.printed, file=sys.stderr)
        raise
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await program.ends()
        process.stdin.close()


def s_client(address, *arguments, trusted=CERTIFICATE):
    """A client of `address` that trusts one certificate, by default the one in fixtures/."""
    host, port = address[:2]
    trust = ["-CAfile", trusted, "-verify_return_error"]
    return openssl("s_client", "-connect", f"{host}:{port}", *trust, *arguments)


@contextlib.asynccontextmanager
async def s_server(*arguments):
    """A server with the certificate in fixtures/, and its address."""
    async with openssl("s_server", "-accept", "127.0.0.1:0", "-cert", CERTIFICATE, *arguments) as program:
        host, _, port = (await program.says("ACCEPT ")).rpartition(":")
        yield program, (host, int(port))
