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
            encodings=dict.fromkeys(("minute_at", "lowest", "highest", "mean", "last"), "PLAIN"),
        ),
        Layout(table="energy_15m", keys=SERIES, time="quarter_at", encodings={}),
        Layout(table="energy_1d", keys=SERIES, time="day_at", encodings={}),
    )
}
"""By name."""
