"""Whether the lake has a batch, by what the batch holds and not by its number."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from warehouse.connection import Connection
from warehouse.layout import LAYOUTS
from warehouse.statements import statement


def is_held(
    batch: pa.RecordBatch, topic: str, connection: Connection, waiting: Iterable[pa.RecordBatch]
) -> bool:
    """Look for the batch's first row in the lake, and in what waits to be written there.

    A batch is committed whole, so its first row stands for all; an empty one is always held.

    Raises:
        LakeUnavailable: the lake cannot be asked now.
    """
    if not batch.num_rows:
        return True
    layout = LAYOUTS[topic]
    names = [layout.time, *sorted(layout.keys)]
    row = {name: batch[name][0].as_py() for name in names}
    if any(_has_row(other, row) for other in waiting):
        return True
    found = connection.fetch(statement(f"has_{layout.table}_row"), row)
    return bool(found["found"][0].as_py())


def _has_row(batch: pa.RecordBatch, row: dict[str, object]) -> bool:
    return batch.num_rows > 0 and all(
        batch[name][0].as_py() == value for name, value in row.items()
    )
