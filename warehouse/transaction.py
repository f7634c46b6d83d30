"""Transactions that are tried again while other writers are first."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from facility.errors import LakeUnavailable
from warehouse.connection import CatalogueBusy, Connection

DEADLINE_S = 30.0
FIRST_DELAY_S = 0.02
LONGEST_DELAY_S = 1.0


def in_transaction(connection: Connection, work: Callable[[], None]) -> None:
    """Commit what `work` does, or nothing of it; it may run several times.

    Raises:
        LakeUnavailable: other writers held the catalogue for DEADLINE_S, or it cannot be written.
    """
    deadline = time.monotonic() + DEADLINE_S
    delay_s = FIRST_DELAY_S
    while True:
        try:
            with connection.transaction():
                work()
        except CatalogueBusy as error:
            if time.monotonic() > deadline:
                raise LakeUnavailable(
                    f"the catalogue is held by other writers for more than {DEADLINE_S:.0f} s; "
                    f"DuckDB says: {error}"
                ) from error
        else:
            return
        time.sleep(delay_s * random.uniform(0.5, 1.0))  # noqa: S311 - spreads the writers
        delay_s = min(2 * delay_s, LONGEST_DELAY_S)
