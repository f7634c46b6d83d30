"""`busway broker`: the embedded broker as a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from busway.health import parse_host_port, serve_health
from busway.lifecycle import pause, run_process
from facility.errors import BrokerUnavailable
from stream.embedded import EmbeddedBroker

LOOK_SECONDS = 0.5


def run_broker(listen: str, *, health: str, stop_on_eof: bool) -> None:
    """Serve until told to stop.

    Raises:
        ConfigError: the address is wrong or taken.
        BrokerUnavailable: the broker ended by itself.
    """
    host, port = parse_host_port(listen)
    broker = EmbeddedBroker(host, port)

    def facts() -> Mapping[str, object]:
        return {"ready": broker.is_running, "listen": broker.bootstrap_servers}

    async def main(stop: asyncio.Event) -> None:
        async with serve_health(health, facts):
            await asyncio.to_thread(broker.start)
            try:
                while not stop.is_set():
                    if not broker.is_running:
                        raise BrokerUnavailable("the embedded broker ended by itself")
                    await pause(stop, LOOK_SECONDS)
            finally:
                await asyncio.to_thread(broker.stop)

    run_process(main, stop_on_eof=stop_on_eof)
