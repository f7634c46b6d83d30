"""Commands that ask the lake."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from busway.format import Format, written_to
from busway.options import (
    AsOfOption,
    FormatOption,
    FromOption,
    GrainOption,
    LakeOption,
    OutputOption,
    ToOption,
)

app = typer.Typer()


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="One statement; none opens a prompt.")] = "",
    lake: LakeOption = Path("lake"),
    output_format: FormatOption = Format.TABLE,
    output: OutputOption = None,
    as_of: AsOfOption = "",
) -> None:
    """Ask the lake in SQL; `show tables`, `describe pue` and so on work."""
    from busway.sql import answer, prompt

    if query:
        with written_to(output, output_format):
            answer(lake, query, output_format, as_of=as_of)
    else:
        prompt(lake, as_of=as_of)


@app.command()
def pue(
    lake: LakeOption = Path("lake"),
    from_at: FromOption = "",
    to_at: ToOption = "",
    grain: GrainOption = "window",
    category: Annotated[
        int | None, typer.Option(min=1, max=3, help="Only this one; without it, all.")
    ] = None,
    by: Annotated[
        Literal["site", "hall"], typer.Option(help="hall: a row for each, its partial PUE.")
    ] = "site",
    hall: Annotated[str, typer.Option(help="Only this hall.")] = "",
    shared: Annotated[
        Literal["left out", "by IT energy"],
        typer.Option(help="By hall: what is to become of what the halls share."),
    ] = "left out",
    publish: Annotated[
        bool, typer.Option("--publish", help="Keep the figures as published.")
    ] = False,
    note: Annotated[str, typer.Option(help="With --publish: what for.")] = "",
    history: Annotated[
        bool, typer.Option("--history", help="What was published, what it is now, and why.")
    ] = False,
    as_of: AsOfOption = "",
    output_format: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """PUE by category: ratio of energies, with coverage, error band and what is missing."""
    from busway.pue import Question, print_history, print_published, print_pue

    question = Question(from_at, to_at, grain, category, by, hall, shared)
    with written_to(output, output_format):
        if publish:
            print_published(lake, question, output_format, note=note, as_of=as_of)
        elif history:
            print_history(lake, question, output_format, as_of=as_of)
        else:
            print_pue(lake, question, output_format, as_of=as_of)


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
    output: OutputOption = None,
) -> None:
    """What megawatts give: tokens, goodput, PFLOPS and GPUs per MW, joules per token."""
    from busway.kpi import PER_MW, print_periods

    with written_to(output, output_format):
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
    output: OutputOption = None,
) -> None:
    """Where the watts go from the utility's meter to the GPU: loss and efficiency by stage."""
    from busway.kpi import LADDER, print_periods

    with written_to(output, output_format):
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
    output: OutputOption = None,
) -> None:
    """Where energy in and out of the power path do not fit, and the meter likely at fault."""
    from busway.kpi import print_balance

    with written_to(output, output_format):
        print_balance(lake, from_at, to_at, with_closing=with_closing, output_format=output_format)


@app.command()
def kpi(
    lake: LakeOption = Path("lake"),
    from_at: FromOption = "",
    to_at: ToOption = "",
    eu: Annotated[bool, typer.Option("--eu", help="The fields of (EU) 2024/1364.")] = False,
    output_format: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """WUE, CUE, COP, demand and all other KPIs of a window, or why there is none."""
    from busway.kpi_board import print_kpis

    with written_to(output, output_format):
        print_kpis(lake, from_at, to_at, as_eu_fields=eu, output_format=output_format)


@app.command()
def ledger(
    lake: LakeOption = Path("lake"),
    device: Annotated[str, typer.Option(help="A device, or a pattern: 'hall-1/*'.")] = "*",
    from_at: FromOption = "",
    to_at: ToOption = "",
    output_format: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """What became of every scheduled poll, by device and hour: read, partial, failed, dropped."""
    from busway.kpi import print_ledger

    with written_to(output, output_format):
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
