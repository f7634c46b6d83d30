"""Commands that run something: a daemon, the simulator, the demonstration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from busway.options import EmbeddedBrokerOption, HealthOption, SiteOption, StopOnEofOption

app = typer.Typer()


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
    """All of Busway for one site on one machine: broker, collector, sink, alerts, upkeep."""
    from busway.up import run_up

    run_up(site)


@app.command()
def collect(
    site: SiteOption = Path("site.yaml"),
    shard: Annotated[
        str,
        typer.Option(
            help="i/n: poll the i-th of n shares (i from 0); local: only nvml:// of this machine."
        ),
    ] = "0/1",
    collector: Annotated[
        str,
        typer.Option(
            help="Name of this collector; keep it. Default: collector-<i>, or of its machine."
        ),
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
def maintain(
    site: SiteOption = Path("site.yaml"),
    once: Annotated[
        bool, typer.Option("--once", help="Do what is to be done now, and end.")
    ] = False,
    forget_damaged: Annotated[
        bool,
        typer.Option(
            "--forget-damaged", help="First take files that are missing or cut out of the lake."
        ),
    ] = False,
    health: HealthOption = "127.0.0.1:9106",
    stop_on_eof: StopOnEofOption = False,
) -> None:
    """Keep the lake small and fast: merge files, drop what is too old, check what is there."""
    from busway.maintain import run_maintainer

    run_maintainer(site, once=once, forget=forget_damaged, health=health, stop_on_eof=stop_on_eof)


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
    meter_faults: Annotated[
        Path | None,
        typer.Option(help="YAML list of meters that are wired or set up wrongly."),
    ] = None,
    stop_on_eof: StopOnEofOption = False,
) -> None:
    """A plant with physics that answers for every device of the site file."""
    from busway.simulate import run_simulator

    run_simulator(
        site,
        seed=seed,
        health=health,
        truth=truth,
        stop_on_eof=stop_on_eof,
        meter_faults=meter_faults,
    )


@app.command()
def health(address: Annotated[str, typer.Argument(help="HOST:PORT of a daemon.")]) -> None:
    """Ask a daemon whether it is ready; status 0 when it is."""
    import asyncio

    from busway.health import ask

    facts = asyncio.run(ask(f"http://{address}/readyz"))
    print(facts if facts is not None else f"{address} is not ready")
    raise typer.Exit(0 if facts is not None else 1)
