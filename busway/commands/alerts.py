"""Commands about alerts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from busway.options import EmbeddedBrokerOption, HealthOption, SiteOption, StopOnEofOption

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
