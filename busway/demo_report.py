"""The end of a demo: what the lake answers, beside what the plant knows; and the verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from busway.output import WIDTH
from warehouse.lake import Lake
from warehouse.query import run_sql

Row = Mapping[str, Any]

PUE = "from pue($from_at, $to_at) order by category"
POWER = "from power_by_role($from_at, $to_at) order by average_mw desc"
PER_MW = "from per_mw($from_at, $to_at)"
POLLS = "from poll_summary($from_at, $to_at)"
STORAGE = "from storage where table_name = 'readings'"
LOSS_CHECKS = (
    "every_slot_has_a_poll",
    "every_stored_poll_has_its_readings",
    "no_batch_is_missing",
    "ledger_balances",
)
"""Checks that find whatever is lost between a schedule and its rows."""


def print_report(directory: Path, from_at: datetime, to_at: datetime, truth: Row) -> int:
    """Print the report of a window, all from SQL over the Parquet files. Returns the exit status.

    0 when no reading was lost and each PUE lies within its resolution band of the truth.
    """
    console = Console(highlight=False, width=WIDTH)
    window = {"from_at": from_at, "to_at": to_at}
    with Lake.open_read_only(directory / "lake") as lake:

        def ask(query: str) -> list[Row]:
            return list(run_sql(lake, query, window).to_pylist())

        console.print(f"\n[bold]From {from_at:%Y-%m-%d %H:%M:%S} to {to_at:%H:%M:%S} UTC[/bold]")
        ratios = ask(PUE)
        wrong = _print_pue(console, ratios, truth)
        _print_power(console, ask(POWER))
        _print_per_mw(console, ask(PER_MW)[0], truth)
        lost = {check: len(ask(f"from {check}($from_at, $to_at)")) for check in LOSS_CHECKS}
        _print_polls(console, ask(POLLS)[0], lost)
        _print_storage(console, run_sql(lake, STORAGE).to_pylist()[0])
    _print_commands(console, directory, from_at, to_at)
    return _print_verdict(console, wrong, [check for check, rows in lost.items() if rows])


def _print_pue(console: Console, ratios: Sequence[Row], truth: Row) -> list[str]:
    """Print PUE by category beside the truth; returns what does not agree."""
    grid = Table(box=None, title="PUE, by where IT energy is metered", title_justify="left")
    for heading in (
        "category",
        "E_DC kWh",
        "E_IT kWh",
        "PUE",
        "± resolution",
        "coverage",
        "the plant's own",
        "difference",
    ):
        grid.add_column(heading, justify="right")
    wrong = []
    for row in ratios:
        category, ratio, band = row["category"], row["pue_ratio"], row["resolution_band_ratio"]
        true = truth["pue"][str(category)]
        if ratio is None:
            wrong.append(f"category {category}: {row['reason']}")
            grid.add_row(str(category), *["-"] * 4, f"{row['coverage_ratio']:.4f}", f"{true:.6f}")
            continue
        off = ratio - true
        grid.add_row(
            str(category),
            f"{row['e_dc_kwh']:,.3f}",
            f"{row['e_it_kwh']:,.3f}",
            f"{ratio:.6f}",
            _number(band, 6),
            f"{row['coverage_ratio']:.4f}",
            f"{true:.6f}",
            f"{off:+.6f}",
        )
        if band is None or abs(off) > band:
            wrong.append(f"category {category} is {abs(off):.6f} off, beyond {_number(band, 6)}")
    console.print(grid)
    return wrong


def _print_power(console: Console, roles: Sequence[Row]) -> None:
    grid = Table(box=None, title="Power by meter role", title_justify="left")
    for heading in ("role", "meters", "average MW", "latest MW"):
        grid.add_column(heading, justify="left" if heading == "role" else "right")
    for row in roles:
        grid.add_row(
            row["meter_role"],
            str(row["meters"]),
            _number(row["average_mw"], 4),
            _number(row["latest_mw"], 4),
        )
    console.print(grid)


def _print_per_mw(console: Console, row: Row, truth: Row) -> None:
    console.print("[italic]Per MW[/italic]")
    console.print(
        f"  GPUs powered                 {row['gpus_powered']:,} (the plant has "
        f"{truth['gpu_count']:,})\n"
        f"  GPUs per MW                  utility {_number(row['gpus_per_mw_utility'], 1)}, IT "
        f"category 3 {_number(row['gpus_per_mw_it_3'], 1)}, provisioned "
        f"{_number(row['gpus_per_mw_provisioned'], 1)}\n"
        f"  tensor-active energy share   {_number(row['tensor_active_kwh_share'], 4)} (the plant: "
        f"{truth['tensor_active_energy_share']:.4f})"
    )


def _print_polls(console: Console, row: Row, lost: Mapping[str, int]) -> None:
    console.print("[italic]Every poll accounted for[/italic]")
    console.print(
        f"  polls      scheduled {row['scheduled']:,} = stored {row['stored']:,} + failed "
        f"{row['failed']:,} + dropped {row['dropped']:,}\n"
        f"  readings   expected {row['readings_expected']:,}, stored {row['readings_good']:,}, "
        f"failed {row['readings_failed']:,}\n"
        f"  lost       {sum(lost.values())} findings of {len(lost)} checks: {', '.join(lost)}\n"
        f"  latency    p50 {_number(row['latency_p50_s'], 4)} s, p99 "
        f"{_number(row['latency_p99_s'], 4)} s"
    )


def _print_storage(console: Console, row: Row) -> None:
    console.print("[italic]On disk[/italic]")
    console.print(
        f"  {row['rows']:,} readings in {row['files']} Parquet files, {row['bytes'] / 1e6:.1f} MB:"
        f" {row['bytes_per_row']:.2f} bytes a reading"
    )


def _print_commands(console: Console, directory: Path, from_at: datetime, to_at: datetime) -> None:
    lake, busway = f"--lake {directory / 'lake'}", ".venv/bin/busway"
    span = ", ".join(f"timestamptz '{moment:%Y-%m-%d %H:%M:%S}Z'" for moment in (from_at, to_at))
    window = f"--from {iso(from_at)} --to {iso(to_at)}"
    console.print("[italic]To ask further[/italic]")
    for command in (
        f"pue {lake} {window} --grain '15 seconds'",
        f'sql {lake} "from energy({span}) order by energy_wh desc limit 10"',
        f'sql {lake} "from ledger limit 10"',
        f"sql {lake}",
    ):
        console.print(f"  {busway} {command}", markup=False)


def _print_verdict(console: Console, wrong: Sequence[str], failed: Sequence[str]) -> int:
    for finding in wrong:
        console.print(f"[red]PUE disagrees with the plant: {finding}[/red]")
    for check in failed:
        console.print(f"[red]Readings were lost: the check {check} found something[/red]")
    if wrong or failed:
        return 1
    console.print(
        "[green]Nothing lost; every PUE within the meters' resolution of the truth.[/green]"
    )
    return 0


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def iso(moment: datetime) -> str:
    """A time in UTC as the command line and the truth's server take it."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
