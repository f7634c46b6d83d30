"""How the roll-ups of days and months lie in Parquet."""

from __future__ import annotations

from warehouse.layout import Layout
from warehouse.maintenance.kept_tables import KEPT

LONG_LAYOUTS = {
    "day": KEPT["energy_1d"],
    "month": Layout(table="energy_1mo", keys=KEPT["energy_1d"].keys, time="month_at", encodings={}),
}
"""By grain."""
