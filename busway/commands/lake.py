"""Commands that ask the lake."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from busway.format import Format
from busway.options import FormatOption, FromOption, GrainOption, LakeOption, ToOption

app = typer.Typer()


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="One statement; none opens a prompt.")] = "",
    lake: LakeOption = Path("lake"),
    output_format: FormatOption = Format.TABLE,
    as_of: Annotated[
        str, typer.Option(help="ISO time (UTC unless it says otherwise): the lake as it was then.")
    ] = "",
) -> None:
    """Ask the lake in SQL; `show tables`, `describe pue` and so on work."""
    from busway.sql import answer, prompt

    if query:
        answer(lake, query, output_format, as_of=as_of)
    else:
        prompt(lake, as_of=as_of)


@app.command()
def pue(
    lake: LakeOption = Path("lake"),
    from_at: FromOption = "",
    to_at: ToOption = "",
    grain: GrainOption = "window",
    output_format: FormatOption = Format.TABLE,
) -> None:
    """PUE by category: ratio of energies, with coverage, error band and what is missing."""
    from busway.kpi import PUE, print_periods

    print_periods(
        lake, PUE, from_text=from_at, to_text=to_at, grain=grain, output_format=output_format
    )


@app.command()
def permw(
    lake: LakeOption = Path("lake"),
    from_at: FromOption = "",
    to_at: ToOption = "",
    grain: GrainOption = "window",
    by: Annotated[str, typer.Option(help="site, hall, row or rack: a row for each.")] = "site",
    ttft_slo: Annotated[
        float, typer.Option(min=0, help="Seconds to the first token that are in time.")
    ] = 2.0,
    tpot_slo: Annotated[
        float, typer.Option(min=0, help="Seconds per further token that are in time.")
    ] = 0.2,
    arithmetic: Annotated[
        str, typer.Option(help="Which peak of the GPUs counts: bf16, fp8, fp4.")
    ] = "bf16",
    output_format: FormatOption = Format.TABLE,
) -> None:
    """What megawatts give: tokens, goodput, PFLOPS and GPUs per MW, joules per token."""
    from busway.kpi import PER_MW, print_periods

    print_periods(
        lake,
        PER_MW,
        from_text=from_at,
        to_text=to_at,
        grain=grain,
        output_format=output_format,
        asked={
            "scope": by,
            "ttft_slo_s": ttft_slo,
            "tpot_slo_s": tpot_slo,
            "peak_arithmetic": arithmetic,
        },
    )


@app.command()
def ladder(
    lake: LakeOption = Path("lake"),
    from_at: FromOption = "",
    to_at: ToOption = "",
    grain: GrainOption = "window",
    output_format: FormatOption = Format.TABLE,
) -> None:
    """Where the watts go from the utility's meter to the GPU: loss and efficiency by stage."""
    from busway.kpi import LADDER, print_periods

    print_periods(
        lake, LADDER, from_text=from_at, to_text=to_at, grain=grain, output_format=output_format
    )


@app.command()
def balance(
    lake: LakeOption = Path("lake"),
    from_at: FromOption = "",
    to_at: ToOption = "",
    with_closing: Annotated[bool, typer.Option("--all", help="Those that close as well.")] = False,
    output_format: FormatOption = Format.TABLE,
) -> None:
    """Where energy in and out of the power path do not fit, and the meter likely at fault."""
    from busway.kpi import print_balance

    print_balance(lake, from_at, to_at, with_closing=with_closing, output_format=output_format)


@app.command()
def kpi(
    lake: LakeOption = Path("lake"),
    from_at: FromOption = "",
    to_at: ToOption = "",
    eu: Annotated[bool, typer.Option("--eu", help="The fields of (EU) 2024/1364.")] = False,
    output_format: FormatOption = Format.TABLE,
) -> None:
    """WUE, CUE, COP, demand and all other KPIs of a window, or why there is none."""
    from busway.kpi_board import print_kpis

    print_kpis(lake, from_at, to_at, as_eu_fields=eu, output_format=output_format)


@app.command()
def ledger(
    lake: LakeOption = Path("lake"),
    device: Annotated[str, typer.Option(help="A device, or a pattern: 'hall-1/*'.")] = "*",
    from_at: FromOption = "",
    to_at: ToOption = "",
    output_format: FormatOption = Format.TABLE,
) -> None:
    """What became of every scheduled poll, by device and hour: read, partial, failed, dropped."""
    from busway.kpi import print_ledger

    print_ledger(lake, device, from_at, to_at, output_format)


@app.command()
def report(
    month: Annotated[str, typer.Option(help="Which month, in the site's time: 2026-10.")],
    lake: LakeOption = Path("lake"),
    output: Annotated[
        Path | None, typer.Option(help="Directory for it.", show_default="report-<month>")
    ] = None,
) -> None:
    """A month's account for the auditor: one HTML page, and every figure of it as CSV."""
    from busway.report.write import write_report

    print(f"wrote {write_report(lake, month, output)}")
