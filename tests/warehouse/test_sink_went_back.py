"""A collector whose outbox went back in time: named, and nothing of it lost or doubled."""

from __future__ import annotations

import shutil

import prometheus_client
import pytest
from sink_feed import (
    POLL_TOPIC,
    READING_TOPIC,
    ListFeed,
    make_sink,
    message,
    one_log,
    polls,
    readings,
    run_to_end,
)
from structlog.testing import capture_logs

from stream.message import Partition
from stream.outbox import Outbox
from warehouse.layout import LAYOUTS
from warehouse.query import run_sql
from warehouse.statements import statement


def values(lake) -> list[float]:
    return run_sql(lake, "select value from readings order by value")["value"].to_pylist()


def values_of(*seqs) -> list[float]:
    return [seq * 1000.0 + row for seq in seqs for row in range(50)]


def counted(name: str) -> float:
    found = prometheus_client.REGISTRY.get_sample_value(name, {"topic": READING_TOPIC})
    return found or 0.0


def errors_of(logs) -> list[dict]:
    return [line for line in logs if line["log_level"] == "error"]


def test_what_a_restored_outbox_numbers_again_is_stored_and_named_once(lake):
    """Numbers 3 to 5 come a second time, with other rows; then 6 goes on."""
    first = [message(seq) for seq in range(1, 6)]
    again = [message(seq, readings(seq + 100)) for seq in (3, 4, 5)]
    reused, duplicates = map(
        counted, ("busway_sink_reused_seq_messages_total", "busway_sink_duplicate_messages_total")
    )
    feed = one_log([*first, *again, again[0], first[4], message(6)])
    with capture_logs() as logs:
        run_to_end(make_sink(lake, feed), feed)
    assert values(lake) == values_of(1, 2, 3, 4, 5, 6, 103, 104, 105)
    assert counted("busway_sink_reused_seq_messages_total") - reused == 3
    assert counted("busway_sink_duplicate_messages_total") - duplicates == 2
    [named] = errors_of(logs)
    assert "restored from a backup, or copied" in named["event"]
    assert (named["collector"], named["outbox"]) == ("c-1", "o-1")
    assert (named["seq"], named["last_seq"]) == (3, 5)
    [progress] = run_sql(lake, "from collector_progress").to_pylist()
    assert (progress["last_seq"], progress["missing"]) == (6, 0)


def test_a_duplicate_that_is_still_in_the_buffer_is_one(lake):
    """Both come within one flush, so that the lake does not have the first yet."""
    again = message(1, readings(101))
    feed = one_log([message(1), message(2), again, again, message(1)])
    run_to_end(make_sink(lake, feed, flush_seconds=0.5), feed)
    assert values(lake) == values_of(1, 2, 101)


def test_rows_of_every_topic_can_be_looked_for(lake):
    for topic, layout in LAYOUTS.items():
        row = dict.fromkeys((layout.time, *layout.keys))
        found = lake.connection.fetch(statement(f"has_{layout.table}_row"), row)
        assert found["found"].to_pylist() == [0], topic


def test_polls_are_told_apart_too(lake):
    log = [message(1, polls(1), topic=POLL_TOPIC), message(1, polls(7), topic=POLL_TOPIC)]
    feed = ListFeed({Partition(POLL_TOPIC, "t-1", 0): [*log, log[0], log[1]]})
    run_to_end(make_sink(lake, feed), feed)
    assert run_sql(lake, "from polls").num_rows == 4


@pytest.mark.parametrize("restarts", [False, True])
def test_a_copied_outbox_file_loses_nothing(lake, tmp_path, restarts):
    """A real outbox, copied as a backup would, restored after it went on without the copy."""

    def sent(path, seqs) -> list:
        with Outbox(path, collector="c-1", max_bytes=10**7, when_full="drop_oldest") as outbox:
            for seq in seqs:
                outbox.append(READING_TOPIC, readings(seq))
            entries = outbox.pending(10**9)
            outbox.acknowledge(entries[-1])
        return [entry.message for entry in entries]

    original, backup = tmp_path / "c.sqlite", tmp_path / "backup.sqlite"
    log = sent(original, (1, 2, 3))
    shutil.copy(original, backup)
    log += sent(original, (4, 5, 6))
    backup.replace(original)
    log += sent(original, (7, 8, 9, 10, 11))
    feed = one_log(log)
    if restarts:
        some = one_log(log[:8])
        run_to_end(make_sink(lake, some), some)
    run_to_end(make_sink(lake, feed), feed)
    assert values(lake) == values_of(*range(1, 12))
