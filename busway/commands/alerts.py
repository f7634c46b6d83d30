"""Commands about alerts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from busway.format import Format
from busway.options import (
    EmbeddedBrokerOption,
    FormatOption,
    HealthOption,
    SiteOption,
    StopOnEofOption,
)

app = typer.Typer()
alert = typer.Typer(no_args_is_help=True, help="Alerts: the engine, and what it has found.")
app.add_typer(alert, name="alert")


@alert.command()
def run(
    site: SiteOption = Path("site.yaml"),
    embedded_broker: EmbeddedBrokerOption = "",
    committed: Annotated[
        str,
        typer.Option(
            help="With an embedded broker: --health of its sink. The outbox then keeps everything "
            "until the lake has it."
        ),
    ] = "",
    health: HealthOption = "127.0.0.1:9107",
    stop_on_eof: StopOnEofOption = False,
) -> None:
    """Watch the readings by the site's rules; each change of an alert goes to Kafka."""
    from busway.alert import run_alerts

    run_alerts(
        site,
        embedded_broker=embedded_broker,
        committed=committed,
        health=health,
        stop_on_eof=stop_on_eof,
    )


@alert.command()
def rules(
    site: Annotated[
        Path | None,
        typer.Option(envvar="BUSWAY_SITE", help="The site file; none: the rules of the pack."),
    ] = None,
    check: Annotated[
        Path | None, typer.Option(help="Only read this file of rules, and say what is wrong in it.")
    ] = None,
    output_format: FormatOption = Format.TABLE,
) -> None:
    """The rules, how many parts of the site each watches, and why some watch none."""
    from busway.alert_rules import check_rule_file, print_rules

    if check is None:
        print_rules(site, output_format)
    else:
        check_rule_file(check)
