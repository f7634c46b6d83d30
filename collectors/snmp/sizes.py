"""How many varbinds an agent is asked for at once: what it bears, found by asking. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from collectors.profile import SnmpLimits
from collectors.snmp.session import Request


@dataclass(slots=True)
class Sizes:
    """Varbinds in one GET and in one GETBULK's answer: what is asked now, and the most to ask.

    What the agent itself calls too big lowers the most for good; lost datagrams lower only what is
    asked now, and each read without a loss raises it by one again.
    """

    get: int
    bulk: int
    most_get: int
    most_bulk: int

    @classmethod
    def of(cls, limits: SnmpLimits) -> Self:
        """Start with what the profile says."""
        get, bulk = limits.varbinds_per_get, limits.max_repetitions
        return cls(get, bulk, get, bulk)

    def too_big(self, request: Request) -> None:
        """The agent refused this much: half of it is the most from now on."""
        self.slow_down(request)
        if request.repetitions:
            self.most_bulk = min(self.most_bulk, self.bulk)
        else:
            self.most_get = min(self.most_get, self.get)

    def truncated(self, varbinds: int) -> None:
        """The agent cut a GETBULK's answer short: it holds so many."""
        self.bulk = self.most_bulk = max(1, min(self.bulk, varbinds))

    def slow_down(self, request: Request) -> None:
        """A request was lost, perhaps for its size: ask for half."""
        half = max(1, request.varbinds // 2)
        if request.repetitions:
            self.bulk = min(self.bulk, half)
        else:
            self.get = min(self.get, half)

    def speed_up(self) -> None:
        """A read went without a loss: ask for one more."""
        self.get = min(self.get + 1, self.most_get)
        self.bulk = min(self.bulk + 1, self.most_bulk)
