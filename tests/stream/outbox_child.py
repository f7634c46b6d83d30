"""A collector in small, to be killed: appends to an outbox and says each seq once it is stored.

With a broker's address and a topic prefix it publishes as well.
"""

from __future__ import annotations

import itertools
import sys
import threading
from pathlib import Path

from stream_batches import READINGS_TOPIC, readings

from facility.site import Kafka
from stream.outbox import Outbox
from stream.publisher import Publisher


def main(path: str, bootstrap_server: str = "", topic_prefix: str = "") -> None:
    """Append until killed; each batch holds its own seq as its only value."""
    with Outbox(Path(path), collector="c", max_bytes=10**8, when_full="drop_oldest") as outbox:
        if bootstrap_server:
            kafka = Kafka(bootstrap_servers=(bootstrap_server,), topic_prefix=topic_prefix)
            publisher = Publisher(outbox, kafka)
            threading.Thread(target=publisher.run, args=(threading.Event(),), daemon=True).start()
        for number in itertools.count(outbox.last_seq(READINGS_TOPIC) + 1):
            (seq,) = outbox.append(READINGS_TOPIC, readings(1, first=number))
            sys.stdout.write(f"{seq}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
