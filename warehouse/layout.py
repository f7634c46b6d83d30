"""How the rows of each topic lie in Parquet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from facility.reading import TOPICS

ROW_GROUP_ROWS = 131_072
"""Of a compacted file: small enough that a question about one quantity skips those of others."""
FRESH_GROUP_ROWS = 1_048_576
"""Of a fresh file: large, because each row group stores its own dictionaries."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A table's files: sorted by `keys`, then `time`."""

    table: str
    keys: tuple[str, ...]
    time: str
    encodings: Mapping[str, str]
    """Of columns that are smaller without a dictionary; docs/decisions/ has the figures."""
    unbounded: frozenset[str] = frozenset()
    """Columns whose least and greatest value a fresh file does not say: every file has them all, so
    no question would pass one over."""


LAYOUTS = {
    TOPICS["readings"]: Layout(
        table="readings",
        keys=("quantity", "device", "component"),
        time="ts",
        encodings={"ts": "PLAIN", "value": "PLAIN"},
        unbounded=frozenset({"component"}),
    ),
    TOPICS["polls"]: Layout(
        table="polls",
        keys=("device",),
        time="scheduled_at",
        encodings={"scheduled_at": "PLAIN", "latency_s": "BYTE_STREAM_SPLIT"},
    ),
    TOPICS["alerts"]: Layout(table="alerts", keys=("alert",), time="happened_at", encodings={}),
}
"""By topic."""
