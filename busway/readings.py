"""A first poll as a table for a person or a script: every point, its value, where it came from."""

from __future__ import annotations

import pyarrow as pa

from collectors.captures.dump import Capture
from collectors.captures.raw import raw_texts
from collectors.plausibility import doubts
from collectors.profile import Profile
from collectors.source import Poll
from facility.catalogue import load_catalogue
from facility.quality import Quality

NO_VALUE = "the device has no value for it"
"""Why a point is bad that was read well: its number is a sentinel, or none."""
PLAUSIBLE = "plausible"


def poll_table(profile: Profile, poll: Poll, capture: Capture) -> pa.Table:
    """One row a point, in the poll's order.

    Columns: device, component, quantity, raw (what was sent, as `raw_texts`; null where nothing
    was), value (null where there is none), unit, quality, plausibility (`plausible`, or what speaks
    against the value; null where there is none), source (the register, OID or series), reason (why
    there is no value; else null).
    """
    points = poll.points
    count = len(points)
    catalogue = load_catalogue()
    return pa.table(
        {
            "device": pa.array([points.device] * count, pa.string()),
            "component": pa.array(points.components, pa.string()),
            "quantity": pa.array(points.quantities, pa.string()),
            "raw": pa.array(raw_texts(profile, points, capture), pa.string()),
            "value": pa.array(poll.value, pa.float64(), from_pandas=True),
            "unit": pa.array([catalogue[name].unit for name in points.quantities], pa.string()),
            "quality": pa.array([Quality(q).name.lower() for q in poll.quality], pa.string()),
            "plausibility": pa.array(_plausibility(profile, poll), pa.string()),
            "source": pa.array(points.sources, pa.string()),
            "reason": pa.array(_reasons(poll), pa.string()),
        }
    )


def _plausibility(profile: Profile, poll: Poll) -> list[str | None]:
    return [
        None if quality == Quality.BAD else doubt or PLAUSIBLE
        for doubt, quality in zip(doubts(profile, poll), poll.quality.tolist(), strict=True)
    ]


def _reasons(poll: Poll) -> list[str | None]:
    stated = {failure.row: failure.reason for failure in poll.failures}
    return [
        (stated.get(row) or NO_VALUE) if quality == Quality.BAD else stated.get(row)
        for row, quality in enumerate(poll.quality.tolist())
    ]
