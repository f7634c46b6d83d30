"""A PostgreSQL of the tests' own: a cluster in a temporary directory, on loopback."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from apache_kafka import free_ports

USER, PASSWORD = "busway", "sesame"
START_TIMEOUT_S = 30


class PostgresMissing(Exception):
    """PostgreSQL's programs are not installed."""


class PostgresCluster:
    """One server. PostgreSQL refuses to run as root, so root lends it to `nobody`."""

    def __init__(self) -> None:
        self._programs = _programs()
        self._directory = Path(tempfile.mkdtemp(prefix="busway-postgres-"))
        self._as_user: dict[str, Any] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self._directory, nobody.pw_uid, nobody.pw_gid)
            self._as_user = {
                "user": nobody.pw_uid,
                "group": nobody.pw_gid,
                "extra_groups": [],
            }
        (self.port,) = free_ports(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._settings: dict[str, str] = {}
        password_file = self._directory / "password"
        password_file.write_text(PASSWORD)
        password_file.chmod(0o644)
        self._run(
            "initdb", "-D", self._directory / "data", "-U", USER, "-A", "scram-sha-256",
            "--pwfile", password_file, "--no-sync", "--locale", "C", "-E", "UTF8",
        )  # fmt: skip

    def start(self, **settings: str) -> None:
        """Start it at its port, with these settings and those it had; return when it answers."""
        self._settings |= settings
        given = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "fsync": "off",
            **self._settings,
        }
        options = [word for name, value in given.items() for word in ("-c", f"{name}={value}")]
        with (self._directory / "log").open("ab") as output:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._directory / "data", *options],
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self._directory,
                **self._as_user,
            )
        asked = [self._programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        deadline = time.monotonic() + START_TIMEOUT_S
        while subprocess.run(asked, check=False).returncode:
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError(f"PostgreSQL did not start: {self.log()}")
            time.sleep(0.05)

    def crash(self) -> None:
        """End it with every connection at once, as a crash would; committed work stays."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(30)

    def create_database(self, name: str, template: str = "template0") -> None:
        self._run(
            "psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-d", "postgres",
            "-c", f"create database {name} template {template} strategy file_copy",
        )  # fmt: skip

    def place(self, name: str, content: bytes) -> Path:
        """Put a file where the server may read it, and nobody else."""
        path = self._directory / name
        path.write_bytes(content)
        path.chmod(0o600)
        if self._as_user:
            os.chown(path, self._as_user["user"], self._as_user["group"])
        return path

    def log(self) -> str:
        return (self._directory / "log").read_text(errors="replace")[-3000:]

    def remove(self) -> None:
        """End it and delete all it had."""
        self.crash()
        shutil.rmtree(self._directory)

    def _run(self, program: str, *arguments: object) -> None:
        done = subprocess.run(
            [self._programs / program, *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=START_TIMEOUT_S,
            check=False,
            cwd=self._directory,
            env={"PATH": os.environ["PATH"], "PGPASSWORD": PASSWORD},
            **self._as_user,
        )
        assert done.returncode == 0, f"{program}: {done.stderr}"


def _programs() -> Path:
    """Give the directory of the newest PostgreSQL's programs; Debian keeps them off the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    if found:
        return found[-1].parent
    if at := shutil.which("initdb"):
        return Path(at).resolve().parent
    raise PostgresMissing("initdb is not installed (Debian: postgresql)")


def _version(initdb: Path) -> int:
    return int(initdb.parts[-3])
