"""The boundary to an SNMP engine: one request, one response. Nothing above it knows which engine.

Retries, splitting and time budgets are `collectors.snmp.exchange`'s; an engine only translates.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from collectors.snmp.oid import Oid
from facility.errors import DeviceRefused


class Missing(Enum):
    """What an agent says where there is no value."""

    NO_SUCH_OBJECT = "noSuchObject"
    NO_SUCH_INSTANCE = "noSuchInstance"
    END_OF_MIB = "endOfMibView"


Value = int | bytes | Oid | Missing
"""An integer of any SMI type, an OctetString, an OBJECT IDENTIFIER, or why there is none."""
Varbind = tuple[Oid, Value]


@dataclass(frozen=True, slots=True)
class Request:
    """GET of `oids`; or, where `repetitions` is not 0, GETBULK of what follows each of them."""

    oids: tuple[Oid, ...]
    repetitions: int = 0

    @property
    def varbinds(self) -> int:
        """How many the response can hold."""
        return len(self.oids) * max(1, self.repetitions)


class AgentError(DeviceRefused):
    """The response's error-status is set; `index` is the 1-based varbind at fault, 0 for none."""

    def __init__(self, status: str, index: int) -> None:
        super().__init__(f"the agent answers {status}")
        self.status = status
        self.index = index


class Session(Protocol):
    """One agent, spoken to with one credential. The constructor does no I/O."""

    can_bulk: bool
    """Whether it knows GETBULK; without (SNMPv1), `repetitions` are a single GETNEXT."""

    async def ask(self, request: Request) -> list[Varbind]:
        """The response's varbinds as they came. The caller sets the deadline.

        Raises:
            AgentError: the response carries an error-status.
            TimeoutError: the engine itself gave up waiting.
            DeviceError: unreachable, refused (credential) or garbled.
        """

    async def close(self) -> None:
        """Let go of the agent. Safe before the first request, and twice."""
