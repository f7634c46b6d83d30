"""A `busway sink` as a test starts it, pauses it and ends it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from apache_kafka import free_ports

SITE = """\
site: {{name: together}}
devices:
  - {{id: pdu, profile: raritan-px3, address: "snmp://127.0.0.1", role: rack_pdu}}
kafka:
  bootstrap_servers: [{servers}]
  topic_prefix: {prefix}
  partitions: {partitions}
  session_timeout_seconds: {session_timeout_s}
lake:
  flush_seconds: 0.3
{lake}
"""


class SinkProcess:
    """One process; its output goes to a file beside the site file."""

    def __init__(self, site_file: Path, name: str) -> None:
        (port,) = free_ports(1)
        self._health = f"127.0.0.1:{port}"
        self.log = site_file.with_name(f"{name}.log")
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "busway", "sink"),
                    *("--site", site_file, "--health", self._health),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=Path(__file__).parents[2],
            )

    def partitions(self) -> int:
        """How many partitions it has; 0 while it does not answer."""
        return int(self.health().get("partitions", 0))

    def health(self) -> dict[str, Any]:
        """What it says of itself; nothing while it does not answer."""
        assert self._process.poll() is None, self.log.read_text(errors="replace")[-3000:]
        try:
            with urllib.request.urlopen(f"http://{self._health}/healthz", timeout=1) as answer:
                return dict(json.load(answer))
        except OSError:
            return {}

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self._process.wait()

    def pause(self) -> None:
        """Let it hang until it is woken."""
        self._process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        """Let it go on as if nothing had been."""
        self._process.send_signal(signal.SIGCONT)

    def leave(self) -> int:
        """Ask it to end; give its exit status."""
        self._process.terminate()
        return self._process.wait(20)
