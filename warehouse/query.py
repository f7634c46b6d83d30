"""Questions to the lake in SQL."""

from __future__ import annotations

import pyarrow as pa

from warehouse.connection import Parameters
from warehouse.lake import Lake


def run_sql(lake: Lake, text: str, parameters: Parameters = ()) -> pa.Table:
    """Give the rows of a statement; parameters are bound to `?` or `$name`.

    Raises:
        QueryError: the statement is wrong; the message shows where.
        LakeUnavailable: the lake cannot be read now.
    """
    return lake.connection.fetch(text, parameters)


def views(lake: Lake) -> pa.Table:
    """List the views and macros of Busway's: name, kind, layer, comment (what one row is)."""
    return lake.connection.fetch(
        "select name, kind, layer, comment from installed_sql order by layer, name"
    )
