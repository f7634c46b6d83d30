"""docs/stream.md: its sample is run, its metrics are those there are."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import prometheus_client
from brokers import Broker
from stream_batches import READINGS_TOPIC, readings

from stream import broker_watch, dead_letter, outbox, publisher, subscriber
from stream.outbox import Outbox
from stream.publisher import Publisher

PAGE = (Path(__file__).parents[2] / "docs" / "stream.md").read_text("utf-8")


def test_a_foreign_reader_needs_only_the_sample(broker: Broker, tmp_path: Path) -> None:
    """A fresh Python with kafka-python and pyarrow, nothing of ours, decodes what we publish."""
    kafka = broker.settings()
    with Outbox(
        tmp_path / "c.sqlite", collector="c", max_bytes=10**7, when_full="drop_oldest"
    ) as box:
        box.append(READINGS_TOPIC, readings(2))
        assert Publisher(box, kafka).drain(30)
    sample = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert sample is not None
    code = (
        sample[1]
        .replace("127.0.0.1:9092", kafka.bootstrap_servers[0])
        .replace("busway.readings", kafka.topic_prefix + "busway.readings")
    )
    printed = subprocess.run(
        [sys.executable, "-I", "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=tmp_path,
    ).stdout
    assert printed.startswith("b'1' [{'ts': ")
    assert "'device': 'hall-1/rack-02/pdu-a', 'component': 'outlet.1'" in printed


def test_every_metric_of_the_stream_is_on_the_page() -> None:
    modules = (broker_watch, dead_letter, outbox, publisher, subscriber)
    named = {
        sample
        for module in modules
        for metric in vars(module).values()
        if isinstance(metric, prometheus_client.Counter | prometheus_client.Gauge)
        for sample in [
            metric._name + ("_total" if isinstance(metric, prometheus_client.Counter) else "")
        ]
    }
    assert named == set(re.findall(r"busway_[a-z_]+", PAGE))
