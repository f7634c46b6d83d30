"""Readings of a quantity the catalogue does not know: kept, but trusted less."""

from __future__ import annotations

from functools import cache
from typing import Any, cast

import numpy as np
import prometheus_client
import pyarrow as pa
import pyarrow.compute as pc

from facility.catalogue import load_catalogue
from facility.quality import Quality

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
    worst = pc.max_element_wise(readings["quality"], pa.scalar(Quality.UNCERTAIN, pa.uint8()))
    quality = pc.if_else(pa.array(is_unknown), worst, readings["quality"])
    place = readings.schema.get_field_index("quality")
    return readings.set_column(place, readings.schema.field(place), quality), unknown


@cache
def _known() -> frozenset[str]:
    return frozenset(load_catalogue())
