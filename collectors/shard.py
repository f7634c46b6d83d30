"""Which of a site's devices one of several daemons polls."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from collectors.this_machine import is_this_machine, machine_name
from facility.errors import ConfigError
from facility.site import Device


@dataclass(frozen=True, slots=True)
class Shard:
    """The `number`-th of `count` daemons; the first is 0.

    The hash is rendezvous: each shard bids for an endpoint and the highest bid wins, so going from
    n to n + 1 daemons moves one device in n + 1 and leaves the others' sessions and ledgers alone;
    a modulo would move nearly all. What is hashed is the endpoint, so that all units behind one
    gateway, whose requests must be serialised, belong to one daemon.

    What only its own machine can read (`nvml://`) is shared among the daemons of that machine, and
    left out by all others. A daemon that is `local` polls that and nothing else.
    """

    number: int = 0
    count: int = 1
    local: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `i/n`, or `local`.

        Raises:
            ConfigError: it is neither that word nor two whole numbers with 0 <= i < n.
        """
        if text == "local":
            return cls(local=True)
        number, slash, count = text.partition("/")
        if slash and number.isdecimal() and count.isdecimal() and int(number) < int(count):
            return cls(int(number), int(count))
        raise ConfigError(f"--shard {text!r}: write i/n with 0 <= i < n, such as 2/8, or local")

    @property
    def collector(self) -> str:
        """A name for the daemon's collector, which no other daemon of the site has."""
        return f"collector-{machine_name() if self.local else self.number}"

    def owns(self, device: Device) -> bool:
        """Whether this daemon polls the device."""
        host, port = device.address.endpoint
        can = is_this_machine(host) if device.address.scheme == "nvml" else not self.local
        bids = {number: _bid(f"{host}:{port}", number) for number in range(self.count)}
        return can and max(bids, key=bids.__getitem__) == self.number

    def share(self, devices: Iterable[Device]) -> tuple[Device, ...]:
        """The devices this daemon polls; each is in the share of exactly one of `count`."""
        return tuple(device for device in devices if self.owns(device))


def _bid(endpoint: str, number: int) -> bytes:
    return hashlib.blake2b(f"{number}|{endpoint}".encode(), digest_size=8).digest()


WHOLE_SITE = Shard()
