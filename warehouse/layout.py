"""How the rows of each topic lie in Parquet."""

from __future__ import annotations

from dataclasses import dataclass

from facility.reading import TOPICS

ROW_GROUP_ROWS = 131_072
"""Small enough that a question about one quantity skips the groups of others."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A table's files: sorted by `keys`, then `time`."""

    table: str
    keys: tuple[str, ...]
    time: str
    plain: tuple[str, ...]
    """Columns that are smaller without a dictionary; docs/decisions/ has the figures."""


LAYOUTS = {
    TOPICS["readings"]: Layout(
        "readings", ("quantity", "device", "component"), "ts", ("ts", "value")
    ),
    TOPICS["polls"]: Layout("polls", ("device",), "scheduled_at", ("scheduled_at", "latency_s")),
}
"""By topic."""
