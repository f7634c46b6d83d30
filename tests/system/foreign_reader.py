"""Reads one message of a topic with kafka-python and pyarrow alone: ADDRESS TOPIC."""

from __future__ import annotations

import json
import sys

import pyarrow as pa
from kafka import KafkaConsumer


def main(address: str, topic: str) -> None:
    consumer = KafkaConsumer(
        topic, bootstrap_servers=address, auto_offset_reset="earliest", consumer_timeout_ms=20_000
    )
    message = next(consumer)
    consumer.close()
    with pa.ipc.open_stream(message.value) as reader:
        table = reader.read_all()
    headers = {key: value.decode() for key, value in message.headers}
    rows = table.select(["device"]).to_pylist()
    sys.stdout.write(json.dumps({"headers": headers, "devices": [row["device"] for row in rows]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
