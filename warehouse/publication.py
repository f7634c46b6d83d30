"""PUE that is published: kept with what it is made of, so that a later change can be told.

The figures are reckoned in one snapshot, and on one thread: sums of floats differ in their last
digit with the order of their terms, and what is published must come out again to the last digit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

import pyarrow as pa

from facility.errors import QueryError
from warehouse.connection import EngineSettings
from warehouse.lake import Lake
from warehouse.statements import statement
from warehouse.transaction import in_transaction

EXACT = EngineSettings(threads=1)
"""How a lake is opened that must give the same digits each time."""


@dataclass(frozen=True, slots=True)
class Publication:
    """What was published together, and the moment of the lake that gives it again."""

    number: UUID
    as_of_at: datetime
    figures: pa.Table
    """The columns of `pue`."""


def publish_pue(
    lake: Lake, from_at: datetime, to_at: datetime, grain: str, *, note: str = ""
) -> Publication:
    """Reckon the PUE of every category and period that has one, and keep it.

    Reading and writing are apart, so that a sink's commit between costs no second reckoning.

    Raises:
        QueryError: no category has a PUE in any of the periods; the first reason is in the message.
        LakeUnavailable: the lake cannot be read or written now.
    """
    asked = {"from_at": from_at, "to_at": to_at, "grain": grain}
    with lake.connection.transaction():
        (seen,) = lake.connection.fetch(statement("publication/snapshot")).to_pylist()
        figures = lake.connection.fetch(statement("publication/pue"), asked)
        parts = lake.connection.fetch(statement("publication/parts"), asked)
    known = figures.filter(figures["pue_ratio"].is_valid())
    if not known.num_rows:
        metered = figures.filter(figures["e_it_kwh"].is_valid())
        raise QueryError(
            f"nothing to publish: {(metered if metered.num_rows else figures)['reason'][0]}"
        )
    number = uuid4()
    _keep(lake, {"publication": number, "note": note, **seen}, known, parts)
    return Publication(number, seen["as_of_at"], known)


def _keep(lake: Lake, facts: dict[str, object], figures: pa.Table, parts: pa.Table) -> None:
    def work() -> None:
        with lake.connection.given(figures):
            lake.connection.execute(statement("publication/keep_pue"), facts)
        with lake.connection.given(parts):
            number = {"publication": facts["publication"]}
            lake.connection.execute(statement("publication/keep_parts"), number)

    in_transaction(lake.connection, work)
