"""Readings of a quantity the catalogue does not know: kept, but trusted less."""

from __future__ import annotations

from functools import cache
from typing import Any, cast

import numpy as np
import prometheus_client
import pyarrow as pa

from facility.catalogue import load_catalogue
from warehouse.doubt import doubted

UNKNOWN_ROWS = prometheus_client.Counter(
    "busway_sink_unknown_quantity_rows",
    "Readings of a quantity that facility/quantities.yaml does not have; stored as uncertain.",
)


def mark_unknown(readings: pa.RecordBatch) -> tuple[pa.RecordBatch, frozenset[str]]:
    """Make every reading of an unknown quantity at least `uncertain`; give those names too."""
    column = cast("pa.DictionaryArray[Any, Any]", readings["quantity"])
    names = [str(name) for name in column.dictionary.to_pylist()]
    unknown = frozenset(names) - _known()
    if not unknown:
        return readings, unknown
    is_unknown = np.array([name in unknown for name in names])[column.indices.to_numpy()]
    if not is_unknown.any():
        return readings, frozenset()
    UNKNOWN_ROWS.inc(int(is_unknown.sum()))
    return doubted(readings, is_unknown), unknown


@cache
def _known() -> frozenset[str]:
    return frozenset(load_catalogue())
