"""Commands about alerts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from busway.format import Format, written_to
from busway.options import (
    EmbeddedBrokerOption,
    FormatOption,
    HealthOption,
    LakeOption,
    OutputOption,
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
    output: OutputOption = None,
) -> None:
    """The rules, how many parts of the site each watches, and why some watch none."""
    from busway.alert_rules import check_rule_file, print_rules

    if check is None:
        with written_to(output, output_format):
            print_rules(site, output_format)
    else:
        check_rule_file(check)


EngineOption = Annotated[
    str,
    typer.Option("--engine", envvar="BUSWAY_ALERTS", help="--health of the running engine."),
]
TokenOption = Annotated[
    Path | None,
    typer.Option(
        "--token-file",
        envvar="BUSWAY_ALERTS_TOKEN_FILE",
        help="A file with the engine's token, where it asks for one; else BUSWAY_ALERTS_TOKEN.",
    ),
]
ActorOption = Annotated[
    str, typer.Option("--as", envvar="USER", help="Who does it; is kept with the alert.")
]
AlertArgument = Annotated[list[str], typer.Argument(help="Ids as `busway alert list` gives them.")]
HoursOption = Annotated[float, typer.Option("--hours", help="For how long.")]
ENGINE = "127.0.0.1:9107"


@alert.command(name="list")
def list_(
    engine: EngineOption = ENGINE,
    token_file: TokenOption = None,
    output_format: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """The alerts that are not normal, the most urgent first."""
    from busway.alert_client import Desk, print_alerts

    with written_to(output, output_format):
        print_alerts(Desk(engine, token_file), output_format)


@alert.command()
def ack(
    alerts: AlertArgument,
    actor: ActorOption = "",
    engine: EngineOption = ENGINE,
    token_file: TokenOption = None,
) -> None:
    """Say that somebody sees to alerts: they are not repeated."""
    from busway.alert_client import Desk, act

    act(Desk(engine, token_file), "ack", alerts, actor)


@alert.command()
def shelve(
    alerts: AlertArgument,
    hours: HoursOption = 8.0,
    actor: ActorOption = "",
    engine: EngineOption = ENGINE,
    token_file: TokenOption = None,
) -> None:
    """Hear nothing of alerts for a time; they are watched all the same."""
    from busway.alert_client import Desk, act

    act(Desk(engine, token_file), "shelve", alerts, actor, hours=hours)


@alert.command()
def unshelve(
    alerts: AlertArgument,
    actor: ActorOption = "",
    engine: EngineOption = ENGINE,
    token_file: TokenOption = None,
) -> None:
    """End a shelving before its time."""
    from busway.alert_client import Desk, act

    act(Desk(engine, token_file), "unshelve", alerts, actor)


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
    token_file: TokenOption = None,
    output_format: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """Tell nobody of some alerts for a time; without patterns, list the silences."""
    from busway import alert_client

    desk = alert_client.Desk(engine, token_file)
    if end:
        alert_client.end_silence(desk, end)
    elif matches:
        alert_client.silence(desk, matches, hours, actor, comment)
    else:
        with written_to(output, output_format):
            alert_client.print_silences(desk, output_format)


@alert.command()
def history(
    alert_id: Annotated[str, typer.Argument(metavar="ALERT", help="Its id; none: all.")] = "",
    lake: LakeOption = Path("lake"),
    output_format: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """All that has happened to an alert, or to all, from the lake."""
    from busway.alert_client import print_history

    with written_to(output, output_format):
        print_history(lake, alert_id, output_format)


@alert.command()
def hooks(
    engine: EngineOption = ENGINE,
    token_file: TokenOption = None,
    output_format: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """How each hook does: what waits for it, what has failed, and why."""
    from busway.alert_client import Desk, print_hooks

    with written_to(output, output_format):
        print_hooks(Desk(engine, token_file), output_format)


@alert.command(name="test")
def send_sample(hook: str, engine: EngineOption = ENGINE, token_file: TokenOption = None) -> None:
    """Have the engine send a sample by a hook: an alert that begins, and ends."""
    from busway.alert_client import Desk, test_hook

    test_hook(Desk(engine, token_file), hook)
