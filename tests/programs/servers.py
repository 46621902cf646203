"""PostgreSQL and Redis from Debian's packages, each for a `with` block."""

import shutil
import subprocess
import time
from pathlib import Path

from serverprocess import READY_WITHIN, ServerProcess
from tlsutil import CERTIFICATE


class TellingServer(ServerProcess):
    """One that says in its log when it is ready."""

    ready: str

    def wait_until_ready(self, log: Path) -> bool:
        until = time.monotonic() + READY_WITHIN
        while self.running and time.monotonic() < until:
            if self.ready in log.read_text(errors="replace"):
                return True
            time.sleep(0.02)
        return False


POSTGRES = {
    "fsync": "off",
    "listen_addresses": "127.0.0.1",
    "max_connections": "100",
    "ssl": "on",
    "ssl_cert_file": "certificate.pem",
    "ssl_key_file": "certificate.pem",
}


class Postgres(TellingServer):
    """PostgreSQL, by TCP with and without TLS and by a Unix socket in `folder`."""

    program = "postgres"
    package = "postgresql"
    user = "postgres"
    ready = "database system is ready to accept connections"
    password = "in every test"

    def prepare(self, program: str, folder: Path) -> None:
        options = self.process_options(folder)
        self.folder, self.data = folder, folder / "data"
        password = folder / "password"
        password.write_text(self.password)
        make = [Path(program).with_name("initdb"), "--pgdata", self.data, "--username", "postgres"]
        make += ["--auth", "scram-sha-256", "--pwfile", password, "--encoding", "UTF8", "--locale", "C.UTF-8"]
        subprocess.run([*make, "--no-sync"], check=True, stdout=subprocess.DEVNULL, **options)
        # It looks whose key it is, and who else may read it.
        certificate = Path(shutil.copy(CERTIFICATE, self.data / "certificate.pem"))
        certificate.chmod(0o600)
        if self.changes_user:
            shutil.chown(certificate, self.user)

    def configure(self, folder: Path) -> list[str]:
        settings = POSTGRES | {"port": str(self.port), "unix_socket_directories": str(folder)}
        return ["-D", str(self.data), *(f"--{name}={value}" for name, value in settings.items())]

    def url(self, scheme: str = "postgresql") -> str:
        """How it is named in one line."""
        password = self.password.replace(" ", "%20")
        return f"{scheme}://postgres:{password}@{self.address}/postgres"


class Redis(TellingServer):
    """Redis without persistence."""

    program = "redis-server"
    package = "redis-server"
    ready = "Ready to accept connections"

    def configure(self, folder: Path) -> list[str]:
        settings = {
            "bind": self.host,
            "port": str(self.port),
            "dir": str(folder),
            "save": "",
            "databases": "2",
        }
        return [word for name, value in settings.items() for word in (f"--{name}", value)]
