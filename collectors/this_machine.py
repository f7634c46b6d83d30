"""Which machine this is: what it alone can read is not another's."""

from __future__ import annotations

import socket


def machine_name() -> str:
    """The machine's own name, in lower case."""
    return socket.gethostname().lower()


def is_this_machine(host: str) -> bool:
    """Whether an address's host names the machine that this runs on; its domain may be left out."""
    name = machine_name()
    return host in {"localhost", "127.0.0.1", "::1", name, name.partition(".")[0]}
