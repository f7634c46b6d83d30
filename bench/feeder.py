"""A collector's sending half as a process: `python -m bench.feeder FACTS`, run by other stages.

FACTS is JSON. It maps a load into memory and waits for a line on standard input; then it appends
its batches to an outbox, as fast as it can or a second each, while a publisher of its own sends
them, and ends when the broker has everything. It prints what it did, as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any

from bench.load import START_S, Series, open_load
from facility.reading import TOPICS
from facility.site import Kafka
from stream.outbox import DeleteAt, Outbox
from stream.publisher import Publisher

TOPIC = TOPICS["readings"]
ROOM_BYTES = 8 * 10**9
LONGEST_DRAIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Feed:
    """What a feeder is told."""

    name: str
    load: str
    collectors: list[int]
    """Whose seconds of the load it appends."""
    seconds: int
    at_one_hertz: bool
    """Whether a second's batches are stamped with, and wait for, the second that has passed."""
    outbox: str
    kafka: dict[str, Any]
    delete_at: DeleteAt = "acknowledgement"

    def command(self) -> list[str]:
        """How it is started."""
        return [sys.executable, "-m", "bench.feeder", json.dumps(asdict(self))]


def main() -> None:
    """Feed."""
    feed = Feed(**json.loads(sys.argv[1]))
    load = open_load(Path(feed.load))
    series = [load.series(number) for number in feed.collectors]
    for one in series:
        one.batch(0)
    kafka = Kafka(**feed.kafka)
    with Outbox(
        Path(feed.outbox),
        collector=feed.name,
        max_bytes=ROOM_BYTES,
        when_full="stop_polling",
        max_message_bytes=kafka.max_message_bytes,
        delete_at=feed.delete_at,
    ) as outbox:
        stop, publisher = Event(), Publisher(outbox, kafka)
        sending = Thread(target=publisher.run, args=(stop,))
        sending.start()
        print(json.dumps({"ready": True}), flush=True)
        sys.stdin.readline()
        appended = _append(feed, series, outbox)
        _until_sent(outbox)
        stop.set()
        sending.join()
    print(json.dumps({"appended": appended}), flush=True)


def _append(feed: Feed, series: list[Series], outbox: Outbox) -> list[dict[str, Any]]:
    """Append everything; say of each message its seq, and the second of its readings."""
    appended = []
    first_s = int(time.time()) if feed.at_one_hertz else START_S
    for second in range(feed.seconds):
        if feed.at_one_hertz:
            time.sleep(max(0.0, first_s + second + 1 - time.time()))
        for one in series:
            batch = one.batch(second + first_s - START_S)
            seqs = outbox.append(TOPIC, batch)
            appended += [{"seq": seq, "second": first_s + second} for seq in seqs]
    return appended


def _until_sent(outbox: Outbox) -> None:
    deadline = time.monotonic() + LONGEST_DRAIN_S
    while outbox.depth().waiting and time.monotonic() < deadline:
        time.sleep(0.02)


if __name__ == "__main__":
    main()
