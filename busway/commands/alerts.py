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
    LakeOption,
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


EngineOption = Annotated[
    str,
    typer.Option("--engine", envvar="BUSWAY_ALERTS", help="--health of the running engine."),
]
ActorOption = Annotated[
    str, typer.Option("--as", envvar="USER", help="Who does it; is kept with the alert.")
]
AlertArgument = Annotated[list[str], typer.Argument(help="Ids as `busway alert list` gives them.")]
HoursOption = Annotated[float, typer.Option("--hours", help="For how long.")]
ENGINE = "127.0.0.1:9107"


@alert.command(name="list")
def list_(engine: EngineOption = ENGINE, output_format: FormatOption = Format.TABLE) -> None:
    """The alerts that are not normal, the most urgent first."""
    from busway.alert_client import print_alerts

    print_alerts(engine, output_format)


@alert.command()
def ack(alerts: AlertArgument, actor: ActorOption = "", engine: EngineOption = ENGINE) -> None:
    """Say that somebody sees to alerts: they are not repeated."""
    from busway.alert_client import act

    act(engine, "ack", alerts, actor)


@alert.command()
def shelve(
    alerts: AlertArgument,
    hours: HoursOption = 8.0,
    actor: ActorOption = "",
    engine: EngineOption = ENGINE,
) -> None:
    """Hear nothing of alerts for a time; they are watched all the same."""
    from busway.alert_client import act

    act(engine, "shelve", alerts, actor, hours=hours)


@alert.command()
def unshelve(alerts: AlertArgument, actor: ActorOption = "", engine: EngineOption = ENGINE) -> None:
    """End a shelving before its time."""
    from busway.alert_client import act

    act(engine, "unshelve", alerts, actor)


@alert.command()
def silence(
    matches: Annotated[
        list[str] | None,
        typer.Argument(help="NAME=PATTERN: device=hall-1/*, rule=..., class=..., priority=3 ..."),
    ] = None,
    hours: HoursOption = 2.0,
    comment: Annotated[str, typer.Option(help="Why.")] = "",
    end: Annotated[str, typer.Option(help="End the silence of this id.")] = "",
    actor: ActorOption = "",
    engine: EngineOption = ENGINE,
    output_format: FormatOption = Format.TABLE,
) -> None:
    """Tell nobody of some alerts for a time; without patterns, list the silences."""
    from busway import alert_client

    if end:
        alert_client.end_silence(engine, end)
    elif matches:
        alert_client.silence(engine, matches, hours, actor, comment)
    else:
        alert_client.print_silences(engine, output_format)


@alert.command()
def history(
    alert_id: Annotated[str, typer.Argument(metavar="ALERT", help="Its id; none: all.")] = "",
    lake: LakeOption = Path("lake"),
    output_format: FormatOption = Format.TABLE,
) -> None:
    """All that has happened to an alert, or to all, from the lake."""
    from busway.alert_client import print_history

    print_history(lake, alert_id, output_format)


@alert.command()
def hooks(engine: EngineOption = ENGINE, output_format: FormatOption = Format.TABLE) -> None:
    """How each hook does: what waits for it, what has failed, and why."""
    from busway.alert_client import print_hooks

    print_hooks(engine, output_format)


@alert.command(name="test")
def send_sample(hook: str, engine: EngineOption = ENGINE) -> None:
    """Have the engine send a sample by a hook: an alert that begins, and ends."""
    from busway.alert_client import test_hook

    test_hook(engine, hook)
