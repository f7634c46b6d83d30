"""The `busway` command: parses, calls, and turns errors into one line and an exit status.

A command imports what it runs when it runs, so that `busway --help` answers at once.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from busway.logs import LogFormat, set_up_logs
from busway.options import (
    EmbeddedBrokerOption,
    FormatOption,
    FromOption,
    GrainOption,
    HealthOption,
    LakeOption,
    SiteOption,
    StopOnEofOption,
    ToOption,
)
from busway.output import Format
from facility.errors import BuswayError, QueryError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Telemetry for the power and cooling of AI data centres: devices, Kafka, Parquet, PUE.",
)
profile_app = typer.Typer(no_args_is_help=True, help="The device profiles.")
app.add_typer(profile_app, name="profile")

USAGE_STATUS = 2
"""The question was wrong; asking it differently can help."""


def main() -> None:
    """Run the command line; an error of ours is one line and status 1, a bad question status 2."""
    try:
        app()
    except QueryError as error:
        print(f"busway: {error}", file=sys.stderr)
        sys.exit(USAGE_STATUS)
    except BuswayError as error:
        print(f"busway: {error}", file=sys.stderr)
        sys.exit(1)


@app.callback()
def _logging(
    log_level: Annotated[str, typer.Option(envvar="BUSWAY_LOG_LEVEL")] = "info",
    log_format: Annotated[LogFormat, typer.Option(envvar="BUSWAY_LOG_FORMAT")] = "console",
) -> None:
    set_up_logs(log_level, log_format)


@app.command()
def demo(
    seconds: Annotated[int, typer.Option(min=10, help="How long to poll.")] = 60,
    racks: Annotated[int, typer.Option(min=1, max=64, help="AI racks in the plant.")] = 8,
    keep: Annotated[
        Path | None, typer.Option(help="Keep the lake in this directory, to query it further.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the plant's load and weather.")] = 1,
) -> None:
    """A simulated plant over real Modbus, SNMP and DCGM through Kafka into Parquet; its PUE."""
    from busway.demo import run_demo

    raise typer.Exit(run_demo(seconds=seconds, racks=racks, keep=keep, seed=seed))


@app.command()
def up(site: SiteOption = Path("site.yaml")) -> None:
    """All of Busway for one site on one machine: embedded broker, collector, sink."""
    from busway.up import run_up

    run_up(site)


@app.command()
def check(site: Annotated[Path, typer.Argument(help="The site file.")]) -> None:
    """Read a site file as every daemon would, with no network, and say what is wrong or in it."""
    from busway.check import check_site

    check_site(site)


@app.command()
def collect(
    site: SiteOption = Path("site.yaml"),
    shard: Annotated[str, typer.Option(help="i/n: poll the i-th of n shares (i from 0).")] = "0/1",
    collector: Annotated[
        str, typer.Option(help="Name of this collector; keep it. Default: collector-<i>.")
    ] = "",
    embedded_broker: EmbeddedBrokerOption = "",
    committed: Annotated[
        str,
        typer.Option(
            help="With an embedded broker: --health of its sink. The outbox then keeps everything "
            "until the lake has it."
        ),
    ] = "",
    health: HealthOption = "127.0.0.1:9101",
    stop_on_eof: StopOnEofOption = False,
) -> None:
    """Poll the site's devices, or a share of them, into Kafka."""
    from busway.collect import run_collector

    run_collector(
        site,
        shard=shard,
        collector=collector,
        embedded_broker=embedded_broker,
        committed=committed,
        health=health,
        stop_on_eof=stop_on_eof,
    )


@app.command()
def sink(
    site: SiteOption = Path("site.yaml"),
    embedded_broker: EmbeddedBrokerOption = "",
    health: HealthOption = "127.0.0.1:9103",
    stop_on_eof: StopOnEofOption = False,
) -> None:
    """Take readings from Kafka into the lake, each exactly once."""
    from busway.sink import run_sink

    run_sink(site, embedded_broker=embedded_broker, health=health, stop_on_eof=stop_on_eof)


@app.command()
def broker(
    listen: Annotated[str, typer.Option(help="HOST:PORT to serve Kafka on.")] = "127.0.0.1:9092",
    health: HealthOption = "127.0.0.1:9104",
    stop_on_eof: StopOnEofOption = False,
) -> None:
    """The embedded, Kafka-compatible broker (log in memory)."""
    from busway.broker import run_broker

    run_broker(listen, health=health, stop_on_eof=stop_on_eof)


@app.command()
def simulate(
    site: SiteOption = Path("site.yaml"),
    seed: Annotated[int, typer.Option(help="Of the plant's load and weather.")] = 1,
    health: HealthOption = "127.0.0.1:9100",
    truth: Annotated[
        str, typer.Option(help="HOST:PORT to answer the plant's true energies on.")
    ] = "127.0.0.1:9105",
    stop_on_eof: StopOnEofOption = False,
) -> None:
    """A plant with physics that answers for every device of the site file."""
    from busway.simulate import run_simulator

    run_simulator(site, seed=seed, health=health, truth=truth, stop_on_eof=stop_on_eof)


@app.command()
def health(address: Annotated[str, typer.Argument(help="HOST:PORT of a daemon.")]) -> None:
    """Ask a daemon whether it is ready; status 0 when it is."""
    import asyncio

    from busway.health import ask

    facts = asyncio.run(ask(f"http://{address}/readyz"))
    print(facts if facts is not None else f"{address} is not ready")
    raise typer.Exit(0 if facts is not None else 1)


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="One statement; none opens a prompt.")] = "",
    lake: LakeOption = Path("lake"),
    output_format: FormatOption = Format.TABLE,
) -> None:
    """Ask the lake in SQL; `show tables`, `describe pue` and so on work."""
    from busway.sql import answer, prompt

    if query:
        answer(lake, query, output_format)
    else:
        prompt(lake)


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
def permw(
    lake: LakeOption = Path("lake"),
    from_at: FromOption = "",
    to_at: ToOption = "",
    grain: GrainOption = "window",
    output_format: FormatOption = Format.TABLE,
) -> None:
    """What the site gets from its megawatts: GPUs per MW, activity, stranded power."""
    from busway.kpi import PER_MW, print_periods

    print_periods(
        lake, PER_MW, from_text=from_at, to_text=to_at, grain=grain, output_format=output_format
    )


@app.command()
def probe(
    target: Annotated[
        str, typer.Argument(help="A device of the site; with --profile, its address.")
    ],
    site: SiteOption = Path("site.yaml"),
    profile: Annotated[
        str, typer.Option(help="Read the address as this device model; needs no site.")
    ] = "",
    credential: Annotated[
        str, typer.Option(help="Log in with this credential of the site file.")
    ] = "",
    timeout: Annotated[
        float, typer.Option(min=0.1, max=300, help="Seconds for the whole reading.")
    ] = 10.0,
    output_format: FormatOption = Format.TABLE,
) -> None:
    """Read a device once and print every point, with its source and what is wrong with it."""
    from busway.probe import probe as probe_device

    probe_device(
        target,
        site_file=site,
        profile_name=profile,
        credential=credential,
        timeout_seconds=timeout,
        output_format=output_format,
    )


@app.command("dry-run")
def dry_run(
    profile: Annotated[str, typer.Argument(help="A profile's name, or 'auto' to identify it.")],
    capture: Annotated[
        Path,
        typer.Argument(
            help="A dump: snmprec, snmpwalk -On, 'address,value' CSV, or an exporter's text."
        ),
    ],
    output_format: FormatOption = Format.TABLE,
) -> None:
    """Read a captured dump as if its device stood there, and print every point."""
    from busway.dry_run import read_dump

    read_dump(profile, capture, output_format)


@app.command()
def identify(
    host: Annotated[str, typer.Argument(help="Address of an SNMP agent: HOST[:PORT].")],
    site: SiteOption = Path("site.yaml"),
    credential: Annotated[
        str, typer.Option(help="Log in with this credential of the site file.")
    ] = "",
    timeout: Annotated[float, typer.Option(min=0.1, max=300, help="Seconds to wait.")] = 5.0,
) -> None:
    """Ask an SNMP agent what it is, and say which profile reads it and why."""
    from busway.identify import identify_host

    identify_host(host, site_file=site, credential=credential, timeout_seconds=timeout)


@profile_app.command("list")
def profile_list(output_format: FormatOption = Format.TABLE) -> None:
    """The device models that Busway reads, and what each map was checked against."""
    from busway.profiles import print_profiles

    print_profiles(output_format)


@profile_app.command("show")
def profile_show(
    name: Annotated[str, typer.Argument(help="As 'busway profile list' names it.")],
    output_format: FormatOption = Format.TABLE,
) -> None:
    """Every point of a profile: what it is, where it stands on the device, how it is converted."""
    from busway.profiles import print_profile

    print_profile(name, output_format)


@profile_app.command("check")
def profile_check(file: Annotated[Path, typer.Argument(help="A profile file.")]) -> None:
    """Read a profile file as the collector would, and say everything that is wrong in it."""
    from busway.profiles import check_profile

    check_profile(file)
