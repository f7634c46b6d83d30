"""The sink between a stream and a lake: each batch once, each message accounted for."""

from __future__ import annotations

import time

import prometheus_client
import pytest
from sink_feed import (
    POLL_TOPIC,
    READING_TOPIC,
    ListDeadLetters,
    ListFeed,
    committed,
    make_sink,
    message,
    one_log,
    polls,
    readings,
    run_to_end,
    run_until,
)

from facility.errors import FenceLost, LakeUnavailable
from facility.quality import Quality
from stream.message import Message, Partition
from warehouse import writer
from warehouse.query import run_sql


def metric(name: str, **labels: str) -> float:
    return prometheus_client.REGISTRY.get_sample_value(name, labels) or 0.0


def values(lake) -> list[float]:
    return run_sql(lake, "select value from readings order by value")["value"].to_pylist()


def values_of(*seqs: int, rows: int = 50) -> list[float]:
    return [seq * 1000.0 + row for seq in sorted(seqs) for row in range(rows)]


def progress(lake) -> list[dict]:
    return run_sql(lake, "from collector_progress order by all").to_pylist()


def test_every_row_arrives_once_with_offsets_and_seqs(lake):
    before = metric("busway_sink_rows_total", table="readings")
    feed = one_log([message(seq) for seq in range(1, 11)])
    run_to_end(sink := make_sink(lake, feed), feed)
    assert values(lake) == values_of(*range(1, 11))
    offsets = run_sql(lake, "from sink_offsets").to_pylist()
    assert offsets == [
        {"topic": READING_TOPIC, "topic_id": "t-1", "partition": 0, "next_offset": 10}
    ]
    assert committed(sink) == {("c-1", READING_TOPIC): 10}
    assert metric("busway_sink_rows_total", table="readings") == before + 500


def test_rows_arrive_unchanged(lake):
    feed = one_log([message(1, batch := readings(1, quality=Quality.STALE))])
    run_to_end(make_sink(lake, feed), feed)
    expected = sorted(batch.to_pylist(), key=lambda row: row["ts"])
    assert run_sql(lake, "from readings order by ts").to_pylist() == expected


def test_readings_and_polls_go_into_one_transaction(lake):
    feed = ListFeed(
        {
            Partition(READING_TOPIC, "t-1", 0): [message(1)],
            Partition(POLL_TOPIC, "t-2", 0): [message(1, polls(1), topic=POLL_TOPIC)],
        }
    )
    run_to_end(make_sink(lake, feed), feed)
    assert run_sql(lake, "select outcome, points_good, error from polls").to_pylist() == [
        {"outcome": "failed", "points_good": 0, "error": "timeout: no answer in 3 s"},
        {"outcome": "read", "points_good": 10, "error": None},
    ]
    files = run_sql(lake, "select begin_snapshot from __ducklake_metadata_lake.ducklake_data_file")
    assert len(files) == 2
    assert len(set(files["begin_snapshot"].to_pylist())) == 1


def test_a_second_sink_goes_on_where_the_first_stopped(lake):
    log = [message(seq) for seq in range(1, 6)]
    run_to_end(make_sink(lake, feed := one_log(log)), feed)
    log += [message(seq) for seq in range(6, 9)]
    feed = one_log(log)
    run_to_end(make_sink(lake, feed), feed)
    assert feed.at[Partition(READING_TOPIC, "t-1", 0)] == 8
    assert values(lake) == values_of(*range(1, 9))


def test_what_was_sent_twice_is_stored_once(lake):
    before = metric("busway_sink_duplicate_messages_total", topic=READING_TOPIC)
    feed = one_log([message(seq) for seq in (1, 2, 1, 2, 3, 3)])
    run_to_end(make_sink(lake, feed), feed)
    assert values(lake) == values_of(1, 2, 3)
    assert metric("busway_sink_duplicate_messages_total", topic=READING_TOPIC) == before + 3


def test_a_topic_made_anew_is_read_from_its_start_and_nothing_doubles(lake):
    """As when the embedded broker restarts: offsets begin at 0, outboxes send again."""
    feed = one_log([message(seq) for seq in range(1, 5)])
    run_to_end(make_sink(lake, feed), feed)
    feed = one_log([message(seq) for seq in range(3, 8)], topic_id="t-2")
    run_to_end(make_sink(lake, feed), feed)
    assert values(lake) == values_of(*range(1, 8))
    assert [row["missing"] for row in progress(lake)] == [0]


def test_collectors_and_outboxes_are_counted_apart(lake):
    feed = one_log(
        [
            message(1, collector="c-1"),
            message(1, readings(2), collector="c-2"),
            message(1, readings(3), collector="c-1", outbox="o-2"),
        ]
    )
    run_to_end(make_sink(lake, feed), feed)
    assert values(lake) == values_of(1, 2, 3)
    assert [(row["collector"], row["outbox"], row["last_seq"]) for row in progress(lake)] == [
        ("c-1", "o-1", 1),
        ("c-1", "o-2", 1),
        ("c-2", "o-1", 1),
    ]


def test_a_batch_without_rows_counts_and_makes_no_file(lake):
    feed = one_log([message(1, readings(1, 0)), message(2)])
    feed.a_poll = 1
    run_to_end(make_sink(lake, feed, flush_seconds=0.001), feed)
    assert values(lake) == values_of(2)
    assert len(list(lake.table_directory("readings").iterdir())) == 1
    assert [(row["last_seq"], row["missing"]) for row in progress(lake)] == [(2, 0)]


def test_missing_batches_are_counted_over_restarts(lake):
    before = metric("busway_sink_missing_messages_total", topic=READING_TOPIC)
    log = [message(seq) for seq in (1, 4)]
    run_to_end(make_sink(lake, feed := one_log(log)), feed)
    log.append(message(6))
    run_to_end(make_sink(lake, feed := one_log(log)), feed)
    assert [row["missing"] for row in progress(lake)] == [3]
    assert metric("busway_sink_missing_messages_total", topic=READING_TOPIC) == before + 3


def test_a_message_that_cannot_be_read_becomes_a_dead_letter(lake):
    broken = Message(READING_TOPIC, b"c-1", message(2).headers, b"not Arrow")
    letters = ListDeadLetters()
    feed = one_log([message(1), broken, message(3)])
    run_to_end(make_sink(lake, feed, letters), feed)
    assert [(kept.offset, kept.value) for kept, _ in letters.kept] == [(1, b"not Arrow")]
    assert "no sound Arrow IPC stream" in letters.kept[0][1]
    assert values(lake) == values_of(1, 3)
    assert [row["missing"] for row in progress(lake)] == [1]


def test_polls_among_readings_are_a_dead_letter(lake):
    letters = ListDeadLetters()
    feed = one_log([message(1, polls(1), topic=POLL_TOPIC), message(1)])
    run_to_end(make_sink(lake, feed, letters), feed)
    assert letters.kept[0][1] == "it carries busway.polls and lies in busway.readings"
    assert values(lake) == values_of(1)


def test_nothing_passes_a_dead_letter_that_cannot_be_kept(lake):
    broken = Message(READING_TOPIC, b"c-1", message(2).headers, b"not Arrow")
    letters = ListDeadLetters(failures=3)
    feed = one_log([message(1), broken, message(3)])
    run_to_end(make_sink(lake, feed, letters), feed)
    assert letters.failures == 0
    assert len(letters.kept) == 1
    assert values(lake) == values_of(1, 3)


def test_an_unknown_quantity_is_kept_and_doubted(lake):
    before = metric("busway_sink_unknown_quantity_rows_total")
    feed = one_log(
        [
            message(1, readings(1, 2, quantity="aura_lm")),
            message(2, readings(2, 2, quantity="aura_lm", quality=Quality.BAD)),
            message(3, readings(3, 2)),
        ]
    )
    run_to_end(make_sink(lake, feed), feed)
    stored = run_sql(lake, "select quality from readings order by ts")["quality"].to_pylist()
    assert stored == [Quality.UNCERTAIN] * 2 + [Quality.BAD] * 2 + [Quality.GOOD] * 2
    assert metric("busway_sink_unknown_quantity_rows_total") == before + 4


@pytest.mark.parametrize(
    "settings", [{"flush_rows": 100}, {"flush_megabytes": 0.003}], ids=["rows", "bytes"]
)
def test_a_full_buffer_is_flushed_before_its_time(lake, settings):
    """Even when one poll gives more than a buffer may hold."""
    feed = one_log([message(seq) for seq in range(1, 9)])
    feed.a_poll = 8
    before = metric("busway_sink_commits_total")
    sink = make_sink(lake, feed, flush_seconds=60, **settings)
    run_until(sink, lambda: committed(sink).get(("c-1", READING_TOPIC), 0) >= 6)
    assert metric("busway_sink_commits_total") >= before + 3


def test_a_lone_message_is_visible_after_the_flush_time(lake):
    feed = one_log([message(1)])
    sink = make_sink(lake, feed, flush_seconds=0.2)
    run_until(sink, lambda: committed(sink) != {})
    assert values(lake) == values_of(1)


def test_stopping_commits_what_has_been_taken(lake):
    feed = one_log([message(seq) for seq in range(1, 4)])
    sink = make_sink(lake, feed, flush_seconds=60)
    run_until(sink, lambda: sink._intake.buffer.rows == 150)
    assert values(lake) == values_of(1, 2, 3)


def test_a_sink_that_has_been_overtaken_reads_on_from_the_lake(lake):
    """It is asleep with two batches in its buffer while another takes its partition and goes on."""
    log = [message(seq) for seq in (1, 2)]
    fenced = metric("busway_sink_fenced_commits_total")
    sleeper = make_sink(lake, sleeping := one_log(log), flush_seconds=60)
    other = make_sink(lake, feed := one_log(log))

    def overtake() -> bool:
        if sleeper._intake.buffer.rows < 100:
            return False
        log.append(message(3))
        run_to_end(other, feed)
        return True

    taken_over = False

    def wakes_up_and_reads_on() -> bool:
        nonlocal taken_over
        taken_over = taken_over or overtake()
        if not taken_over:
            return False
        sleeper._settings = sleeper._settings.model_copy(update={"flush_seconds": 0.05})
        return metric("busway_sink_fenced_commits_total") > fenced

    run_until(sleeper, wakes_up_and_reads_on)
    log.append(message(4))
    run_to_end(make_sink(lake, sleeping := one_log(log)), sleeping)
    assert values(lake) == values_of(1, 2, 3, 4)
    assert metric("busway_sink_fenced_commits_total") == fenced + 1
    registered = run_sql(lake, "from ducklake_list_files('lake', 'readings')").num_rows
    assert len(list(lake.table_directory("readings").iterdir())) == registered


def test_two_sinks_that_fight_over_a_partition_give_up(lake):
    feed = one_log([message(seq) for seq in range(1, 200)])
    feed.a_poll = 1
    sink = make_sink(lake, feed, flush_seconds=0.01)
    original = sink._writer.take_over

    def and_then_another_moves_it(partitions):
        offsets = original(partitions)
        lake.connection.execute("update sink_offsets set next_offset = next_offset + 1")
        return offsets

    sink._writer.take_over = and_then_another_moves_it
    with pytest.raises(FenceLost, match="another sink has taken over"):
        run_until(sink, lambda: False)
    assert values(lake) == []


def test_a_partition_that_is_taken_away_is_thrown_away(lake):
    """What it gave and is not committed belongs to whoever reads it next."""
    here, there = Partition(READING_TOPIC, "t-1", 0), Partition(READING_TOPIC, "t-1", 1)
    feed = ListFeed({here: [message(1)], there: [message(1, readings(2), collector="c-2")]})
    sink = make_sink(lake, feed, flush_seconds=60)
    poll = feed.poll

    def poll_and_lose(timeout_s, max_bytes):
        if there in feed.assigned and sink._intake.buffer.rows == 100:
            feed.give_up(there)
        return poll(timeout_s, max_bytes)

    feed.poll = poll_and_lose
    run_until(sink, lambda: feed.assigned == (here,) and sink._intake.buffer.rows == 50)
    assert values(lake) == values_of(1)


def test_a_lake_that_is_away_is_waited_for(lake, monkeypatch):
    """As when the disk is full for a while: nothing is lost, health says so, no file is left."""
    attempts = []
    original = writer.write_file

    def failing(*arguments):
        attempts.append(1)
        if len(attempts) < 3:
            raise LakeUnavailable("readings/x.parquet cannot be written: No space left on device")
        return original(*arguments)

    monkeypatch.setattr(writer, "write_file", failing)
    feed = one_log([message(seq) for seq in (1, 2)])
    sink = make_sink(lake, feed)
    troubles = set()

    def is_done() -> bool:
        troubles.add(sink.health()["trouble"])
        return committed(sink) != {} and len(attempts) >= 3

    run_until(sink, is_done)
    assert values(lake) == values_of(1, 2)
    assert any("No space left" in trouble for trouble in troubles)
    assert sink.health()["trouble"] == ""


def test_a_file_that_vanished_before_its_commit_is_written_again(lake, monkeypatch):
    original, vanished = writer.commit, []

    def commit(connection, advance):
        if not vanished:
            [(_, file)] = advance.files
            lake.storage.delete(file.path)
            vanished.append(file)
        original(connection, advance)

    monkeypatch.setattr(writer, "commit", commit)
    feed = one_log([message(seq) for seq in (1, 2)])
    run_to_end(make_sink(lake, feed), feed)
    assert values(lake) == values_of(1, 2)
    assert vanished


def test_a_lake_that_stays_away_does_not_keep_the_sink_from_stopping(lake, monkeypatch):
    def failing(*_):
        raise LakeUnavailable("readings/x.parquet cannot be written: No space left on device")

    monkeypatch.setattr(writer, "write_file", failing)
    monkeypatch.setattr(writer, "STOPPING_S", 0.2)
    sink = make_sink(lake, one_log([message(1)]))
    started = time.monotonic()
    with pytest.raises(LakeUnavailable, match="No space left"):
        run_until(sink, lambda: sink.health()["trouble"] != "")
    assert time.monotonic() - started < 5


def test_lag_is_what_the_lake_lacks(lake):
    feed = one_log([message(seq) for seq in range(1, 8)])
    sink = make_sink(lake, feed, flush_seconds=60)
    run_until(sink, lambda: sink._intake.buffer.rows == 350)
    assert sink._writer.lag({Partition(READING_TOPIC, "t-1", 0): 9}) == {READING_TOPIC: 2}
    assert metric("busway_sink_lag_messages", topic=READING_TOPIC) == 7
