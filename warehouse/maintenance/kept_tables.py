"""The tables that grow with time, and how their rows lie in compacted files."""

from __future__ import annotations

from warehouse.layout import LAYOUTS, Layout

SERIES = ("quantity", "device", "component")
KEPT = {
    layout.table: layout
    for layout in (
        *LAYOUTS.values(),
        Layout(
            table="readings_1m",
            keys=SERIES,
            time="minute_at",
            encodings={
                "minute_at": "PLAIN",
                "lowest": "BYTE_STREAM_SPLIT",
                "highest": "BYTE_STREAM_SPLIT",
                "mean": "BYTE_STREAM_SPLIT",
                "last": "BYTE_STREAM_SPLIT",
            },
        ),
        Layout(table="energy_15m", keys=SERIES, time="quarter_at", encodings={}),
        Layout(table="energy_1d", keys=SERIES, time="day_at", encodings={}),
    )
}
"""By name."""
