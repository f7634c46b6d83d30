"""Which of a site's devices one of several daemons polls."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from facility.errors import ConfigError
from facility.site import Device


@dataclass(frozen=True, slots=True)
class Shard:
    """The `number`-th of `count` daemons; the first is 0.

    The hash is rendezvous: each shard bids for an endpoint and the highest bid wins, so going from
    n to n + 1 daemons moves one device in n + 1 and leaves the others' sessions and ledgers alone;
    a modulo would move nearly all. What is hashed is the endpoint, so that all units behind one
    gateway, whose requests must be serialised, belong to one daemon.
    """

    number: int = 0
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `i/n`.

        Raises:
            ConfigError: it is not two whole numbers with 0 <= i < n.
        """
        number, slash, count = text.partition("/")
        if slash and number.isdecimal() and count.isdecimal() and int(number) < int(count):
            return cls(int(number), int(count))
        raise ConfigError(f"--shard {text!r}: write i/n with 0 <= i < n, such as 2/8")

    def owns(self, device: Device) -> bool:
        """Whether this daemon polls the device."""
        host, port = device.address.endpoint
        return max(range(self.count), key=lambda n: _bid(f"{host}:{port}", n)) == self.number

    def share(self, devices: Iterable[Device]) -> tuple[Device, ...]:
        """The devices this daemon polls; every device is in exactly one shard's share."""
        return tuple(device for device in devices if self.owns(device))


def _bid(endpoint: str, number: int) -> bytes:
    return hashlib.blake2b(f"{number}|{endpoint}".encode(), digest_size=8).digest()


WHOLE_SITE = Shard()
