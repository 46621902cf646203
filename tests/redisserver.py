"""Redis from Debian's package, for a `with` block. Standard library only."""

from pathlib import Path

from serverprocess import TellingServer


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
