"""One read's conversation with one agent: splits what is too big, retries what is lost, in time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable

from collectors.snmp.oid import Oid
from collectors.snmp.planner import get_requests
from collectors.snmp.session import AgentError, Missing, Request, Session, Value, Varbind
from collectors.snmp.sizes import Sizes
from facility.errors import DeviceError, DeviceGarbled, DeviceTimeout

RETRIES = 2
"""Lost datagrams that one read makes good; more, and the agent is held to be silent."""
TOO_BIG = "tooBig"
NO_SUCH_NAME = "noSuchName"
"""How SNMPv1 says that there is no such instance (RFC 1157, 4.1.2)."""


class Exchange:
    """Asks requests of a session until all are answered or the time is spent.

    `answers` and `failures` grow by OID; what is in neither was not answered in time.

    Args:
        session: the agent.
        sizes: how much to ask for at once; shrunk here when the agent says that is too big.
        deadline: event loop time at which the conversation ends. A single request waits a third of
            the time at most.
        on_fault: told of each answer that was lost, garbled, or an error-status.
    """

    def __init__(
        self,
        session: Session,
        sizes: Sizes,
        deadline: float,
        *,
        on_fault: Callable[[str], object] = lambda _: None,
    ) -> None:
        self.answers: dict[Oid, Value] = {}
        self.failures: dict[Oid, str] = {}
        self._session = session
        self._sizes = sizes
        self._deadline = deadline
        self._patience = (deadline - asyncio.get_running_loop().time()) / (RETRIES + 1)
        self._losses = 0
        self._on_fault = on_fault

    async def run(self, requests: Iterable[Request]) -> None:
        """Ask them all.

        Raises:
            DeviceTimeout: the agent is silent, or too slow for the time given; what it answered
                before is kept.
            DeviceError: as the session raises it.
        """
        pending = deque(requests)
        while pending:
            request = pending.popleft()
            try:
                varbinds = await self.ask(request)
            except AgentError as error:
                pending.extendleft(reversed(self._after(request, error)))
                continue
            self.answers.update(varbinds)
            if _cut_short(request, varbinds):
                self._sizes.truncated(len(varbinds))
        if not self._losses:
            self._sizes.speed_up()

    async def get(self, oids: list[Oid]) -> None:
        """GET them all, in requests of the agent's size."""
        await self.run(get_requests(oids, self._sizes))

    async def walk(self, column: Oid, *, at_most: int) -> list[Oid]:
        """The suffixes of a column's rows, in order.

        An agent whose answers do not ascend, or never end, is left at that.
        """
        suffixes: list[Oid] = []
        last = column
        while len(suffixes) < at_most:
            varbinds = await self._next_rows(last)
            new = _ascending(column, last, varbinds)
            suffixes.extend(oid[len(column) :] for oid in new)
            if len(new) < len(varbinds) or not new:
                break
            last = new[-1]
        return suffixes

    async def ask(self, request: Request) -> list[Varbind]:
        """One request, again where its datagrams are lost or broken.

        Raises:
            AgentError: the agent refuses this request.
            DeviceError: as `run`.
        """
        while True:
            now = asyncio.get_running_loop().time()
            if now >= self._deadline:
                raise DeviceTimeout(f"only {len(self.answers)} answers within the time given")
            try:
                async with asyncio.timeout_at(min(self._deadline, now + self._patience)):
                    return await self._session.ask(request)
            except AgentError as error:
                self._on_fault(error.status)
                raise
            except DeviceGarbled as error:
                self._on_fault(error.kind)
                self._losses += 1
                if self._losses > RETRIES:
                    raise
            except DeviceError as error:
                self._on_fault(error.kind)
                raise
            except TimeoutError:
                self._lost(request)

    def _lost(self, request: Request) -> None:
        """Book a request that got no answer; after a second one, answers may be too long."""
        self._on_fault("lost")
        self._losses += 1
        if self._losses > RETRIES:
            raise DeviceTimeout(
                f"no answer to {self._losses} requests of {self._patience:.2f} s each"
            ) from None
        if self._losses > 1:
            self._sizes.slow_down(request)

    async def _next_rows(self, after: Oid) -> list[Varbind]:
        while True:
            request = Request((after,), self._sizes.bulk)
            try:
                return await self.ask(request)
            except AgentError as error:
                if error.status != TOO_BIG or self._sizes.bulk == 1:
                    return []  # noSuchName is SNMPv1's end of the MIB; on other errors it is no use
                self._sizes.too_big(request)

    def _after(self, request: Request, error: AgentError) -> list[Request]:
        """What is still worth asking: without the varbind at fault, or in halves."""
        oids = request.oids
        if error.status == TOO_BIG:
            self._sizes.too_big(request)
        elif not request.repetitions and 1 <= error.index <= len(oids):
            self._book(oids[error.index - 1], error)
            rest = oids[: error.index - 1] + oids[error.index :]
            return [Request(rest)] if rest else []
        if request.repetitions:
            return []  # its rows count as unanswered, and are asked for by GET
        if len(oids) == 1:
            self._book(oids[0], error)
            return []
        middle = len(oids) // 2
        return [Request(oids[:middle]), Request(oids[middle:])]

    def _book(self, oid: Oid, error: AgentError) -> None:
        if error.status == NO_SUCH_NAME:
            self.answers[oid] = Missing.NO_SUCH_INSTANCE
        else:
            self.failures[oid] = str(error)


def _cut_short(request: Request, varbinds: list[Varbind]) -> bool:
    """Whether a GETBULK's answer holds less than was asked for, though there was more to tell."""
    short = 0 < len(varbinds) < request.repetitions * len(request.oids)
    return short and varbinds[-1][1] is not Missing.END_OF_MIB


def _ascending(column: Oid, last: Oid, varbinds: list[Varbind]) -> list[Oid]:
    """The column's OIDs among them, as far as they ascend from the last one seen."""
    found: list[Oid] = []
    for oid, value in varbinds:
        if oid[: len(column)] != column or oid <= last or isinstance(value, Missing):
            break
        found.append(oid)
        last = oid
    return found
