"""Readings that are kept, but trusted less."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from facility.quality import Quality


def doubted(readings: pa.RecordBatch, is_doubtful: npt.NDArray[np.bool_]) -> pa.RecordBatch:
    """Make the quality of some rows `uncertain` where it was better."""
    worst = pc.max_element_wise(readings["quality"], pa.scalar(Quality.UNCERTAIN, pa.uint8()))
    quality = pc.if_else(pa.array(is_doubtful), worst, readings["quality"])
    place = readings.schema.get_field_index("quality")
    return readings.set_column(place, readings.schema.field(place), quality)
