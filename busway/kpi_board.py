"""`busway kpi`: every KPI of a window, thin over the lake's macros."""

from __future__ import annotations

from pathlib import Path

from busway.format import Format
from busway.output import write_table
from busway.site import lake_location
from busway.window import window
from warehouse.lake import Lake
from warehouse.query import run_sql

KPIS = "from kpi($from_at, $to_at)"
EU_FIELDS = "from eu_2024_1364($from_at, $to_at)"


def print_kpis(
    directory: Path, from_text: str, to_text: str, *, as_eu_fields: bool, output_format: Format
) -> None:
    """Print every KPI of a window with its value or why there is none, or the EU's field list.

    Raises:
        QueryError: a time cannot be read, or the window is empty or ends before it begins.
        LakeUnavailable: there is no lake, or it cannot be read.
    """
    with Lake.open_read_only(lake_location(directory)) as lake:
        from_at, to_at = window(lake, from_text, to_text)
        question = EU_FIELDS if as_eu_fields else KPIS
        write_table(run_sql(lake, question, {"from_at": from_at, "to_at": to_at}), output_format)
