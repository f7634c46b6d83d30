"""`busway sink`: a sink process, from the topics to the lake."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

from busway.health import serve_health
from busway.lifecycle import run_beside, run_process
from busway.site import counter_facts, kafka_settings, load_checked_site
from facility.reading import TOPICS
from stream.dead_letter import DeadLetter
from stream.subscriber import Subscriber
from warehouse.dimensions import store_dimensions
from warehouse.lake import Lake
from warehouse.location import LakeLocation
from warehouse.sink import ENGINE, Sink

GROUP = "busway-sink"


def run_sink(site_file: Path, *, embedded_broker: str, health: str, stop_on_eof: bool) -> None:
    """Commit what comes until told to stop, then what has come.

    On Kafka the sinks of a site share the partitions as one consumer group; the embedded broker has
    one sink, which reads them all.

    Raises:
        ConfigError: the site file, a profile or an address is wrong.
        LakeError: the lake cannot be used.
    """
    site = load_checked_site(site_file)
    kafka = kafka_settings(site, embedded_broker)
    group = None if embedded_broker else GROUP
    with Lake.create_or_open(LakeLocation.of(site.lake), settings=ENGINE) as lake:
        store_dimensions(lake, site, counter_facts)
        sink = Sink(
            lake,
            partial(Subscriber, kafka, tuple(TOPICS.values()), group=group),
            site.lake,
            dead_letters=DeadLetter(kafka),
        )

        async def main(stop: asyncio.Event) -> None:
            async with serve_health(health, sink.health):
                await run_beside(stop, sink.run, name="sink")

        run_process(main, stop_on_eof=stop_on_eof)
