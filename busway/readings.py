"""A first poll as a table for a person or a script: every point, its value, where it came from."""

from __future__ import annotations

import pyarrow as pa

from collectors.source import Poll
from facility.catalogue import load_catalogue
from facility.quality import Quality

NO_VALUE = "the device has no value for it"
"""Why a point is bad that was read well: its number is a sentinel, or none."""
NOT_PLAUSIBLE = "outside the range it can have: check the profile against the device"
"""Why a device's first reading is uncertain; a counter's step takes two."""


def poll_table(poll: Poll) -> pa.Table:
    """One row a point, in the poll's order.

    Columns: device, component, quantity, value (null where there is none), unit, quality, source
    (the register, OID or series), reason (why there is no good value; else null).
    """
    points = poll.points
    count = len(points)
    catalogue = load_catalogue()
    return pa.table(
        {
            "device": pa.array([points.device] * count, pa.string()),
            "component": pa.array(points.components, pa.string()),
            "quantity": pa.array(points.quantities, pa.string()),
            "value": pa.array(poll.value, pa.float64(), from_pandas=True),
            "unit": pa.array([catalogue[name].unit for name in points.quantities], pa.string()),
            "quality": pa.array([Quality(q).name.lower() for q in poll.quality], pa.string()),
            "source": pa.array(points.sources, pa.string()),
            "reason": pa.array(_reasons(poll), pa.string()),
        }
    )


def _reasons(poll: Poll) -> list[str | None]:
    stated = {failure.row: failure.reason for failure in poll.failures}
    usual = {Quality.BAD: NO_VALUE, Quality.UNCERTAIN: NOT_PLAUSIBLE}
    return [
        stated.get(row) or usual.get(Quality(quality))
        for row, quality in enumerate(poll.quality.tolist())
    ]
