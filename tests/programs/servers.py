"""PostgreSQL and RabbitMQ from Debian's packages, each for a `with` block."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

from serverprocess import ServerProcess, TellingServer, free_port
from tlsutil import CERTIFICATE

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


class PortMapper(ServerProcess):
    """Erlang's daemon that tells nodes' ports; a node starts one for good where there is none."""

    program = "epmd"
    package = "erlang-base"

    def configure(self, folder: Path) -> list[str]:
        return ["-address", self.host, "-port", str(self.port)]

    def wait_until_ready(self, log: Path) -> bool:
        while self.running:
            with (
                contextlib.suppress(ConnectionRefusedError),
                socket.create_connection((self.host, self.port)),
            ):
                return True
            time.sleep(0.02)
        return False


class RabbitMQ(TellingServer):
    """RabbitMQ, a node of its own with a port mapper of its own."""

    program = "rabbitmq-server"
    package = "rabbitmq-server"
    ready = "Server startup complete"

    def executable(self, program: str) -> str:
        # What is on the PATH changes to the user of the service.
        return "/usr/lib/rabbitmq/bin/rabbitmq-server"

    def configure(self, folder: Path) -> list[str]:
        (folder / "plugins").write_text("[].")
        return []

    def process_options(self, folder: Path) -> dict[str, Any]:
        settings = {
            "NODENAME": "tests@localhost",
            "NODE_IP_ADDRESS": self.host,
            "NODE_PORT": self.port,
            "DIST_PORT": free_port(),
            "MNESIA_BASE": folder / "mnesia",
            "LOG_BASE": folder,
            "LOGS": "-",
            "ENABLED_PLUGINS_FILE": folder / "plugins",
            "CONFIG_FILE": folder / "none",
            "CONF_ENV_FILE": folder / "none",
            "PID_FILE": folder / "pid",
            "SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }
        env = {f"RABBITMQ_{name}": str(value) for name, value in settings.items()}
        mapper = {"ERL_EPMD_ADDRESS": self.host, "ERL_EPMD_PORT": str(self.mapper.port)}
        return super().process_options(folder) | {"env": os.environ | env | mapper | {"HOME": str(folder)}}

    def __init__(self, mapper: PortMapper) -> None:
        super().__init__()
        self.mapper = mapper

    def url(self) -> str:
        """How it is named in one line."""
        return f"amqp://guest:guest@{self.address}/"
