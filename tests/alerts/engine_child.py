"""An engine in small, to be killed: watches one quantity of some devices until it is."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import structlog
from alert_rig import rule, watch

from alerts.engine import Engine
from alerts.learner import Watched
from alerts.watch import WatchTable, build_table
from facility.site import Kafka
from stream.outbox import DeleteAt, Outbox
from stream.publisher import Publisher

DEVICES = tuple(f"d-{number}" for number in range(8))


def table() -> WatchTable:
    """Eight alerts that fire above 30 for 0.3 s and clear below 28 for as long."""
    return build_table([rule()], [watch(name, on=0.3, off=0.3, stale=600) for name in DEVICES])


def open_outbox(path: Path, delete_at: DeleteAt) -> Outbox:
    return Outbox(
        path, collector="alerts-0", max_bytes=10**8, when_full="stop_polling", delete_at=delete_at
    )


def main(path: str, server: str, prefix: str, delete_at: DeleteAt) -> None:
    """Run until killed; say once that it is ready."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    kafka = Kafka(bootstrap_servers=(server,), topic_prefix=prefix)
    with open_outbox(Path(path), delete_at) as outbox:
        never = threading.Event()
        threading.Thread(target=Publisher(outbox, kafka).run, args=(never,), daemon=True).start()
        watched = Watched(site="s", feeds=(), resolve=lambda _: table())
        engine = Engine(watched, kafka, outbox)
        threading.Thread(target=engine.run, args=(never,), daemon=True).start()
        while not engine.health()["ready"]:
            time.sleep(0.02)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])  # type: ignore[arg-type]
