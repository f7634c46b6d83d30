"""Keep the lake's dimension tables those of the site file, without rewriting history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pyarrow as pa

from facility.site import Site
from warehouse.dimension_rows import CounterFactsOf, Row, dimension_rows
from warehouse.lake import Lake
from warehouse.statements import statement
from warehouse.transaction import in_transaction

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def store_dimensions(
    lake: Lake, site: Site, counter_facts: CounterFactsOf, *, at: datetime | None = None
) -> None:
    """Store the site as it is configured now; `at` (default: now) is when changes became true.

    A row that did not change is left alone, one that changed or is gone is closed at that time. The
    first rows of a table are true from 1970 on: nothing else was ever known.

    Raises:
        LakeUnavailable: the lake cannot be written now.
    """
    changed_at = at or datetime.now(UTC)
    tables = dimension_rows(site, counter_facts)

    def work() -> None:
        for table, rows in tables.items():
            _store(lake, table, rows, changed_at)

    in_transaction(lake.connection, work)


def _store(lake: Lake, table: str, rows: Sequence[Row], changed_at: datetime) -> None:
    stored = lake.connection.fetch(f"from {table} limit 1")
    columns = [field for field in stored.schema if field.name not in ("valid_from", "valid_to")]
    opened_at = EPOCH if stored.num_rows == 0 else changed_at
    times = {"opened_at": opened_at, "closed_at": changed_at}
    with lake.connection.given(pa.Table.from_pylist(rows, schema=pa.schema(columns))):
        text = statement(f"dimensions/{table}")
        lake.connection.execute(text, {} if table == "quantities" else times)
