"""The outbox: numbers without gaps, bounds that hold, and files that are refused by name."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from stream_batches import POLLS_TOPIC, READINGS_TOPIC, polls, readings
from structlog.testing import capture_logs

from facility.errors import ConfigError, OutboxCorrupt, OutboxFull, OutboxInUse
from stream.codec import decode
from stream.message import Envelope
from stream.outbox import Outbox, WhenFull

ROOM = 1_000_000
OpenOutbox = Callable[..., Outbox]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox" / "collector.sqlite"


def outbox_at(
    path: Path, *, max_bytes: int = ROOM, when_full: WhenFull = "drop_oldest", **more: object
) -> Outbox:
    return Outbox(path, collector="c", max_bytes=max_bytes, when_full=when_full, **more)  # type: ignore[arg-type]


def contents(outbox: Outbox) -> list[Envelope]:
    entries = outbox.pending(10**9)
    return [decode(entry.message.value, entry.message.headers) for entry in entries]


def seqs(outbox: Outbox, topic: str = READINGS_TOPIC) -> list[int]:
    return [envelope.seq for envelope in contents(outbox) if envelope.topic == topic]


def test_each_topic_counts_from_one(path: Path) -> None:
    with outbox_at(path) as outbox:
        assert outbox.append(READINGS_TOPIC, readings(2)) == (1,)
        assert outbox.append(POLLS_TOPIC, polls(1)) == (1,)
        assert outbox.append(READINGS_TOPIC, readings(2)) == (2,)
        assert outbox.last_seq(READINGS_TOPIC) == 2
        assert outbox.last_seq("busway.alerts") == 0


def test_messages_come_in_the_order_of_appending(path: Path) -> None:
    with outbox_at(path) as outbox:
        for number in range(3):
            outbox.append(READINGS_TOPIC, readings(4, first=10 * number))
            outbox.append(POLLS_TOPIC, polls(1))
        found = contents(outbox)
        assert [(e.topic, e.seq) for e in found] == [
            (topic, seq) for seq in (1, 2, 3) for topic in (READINGS_TOPIC, POLLS_TOPIC)
        ]
        assert found[2].batch.equals(readings(4, first=10))
        assert {e.outbox for e in found} == {outbox.id}


def test_nothing_is_stored_for_an_empty_batch(path: Path) -> None:
    with outbox_at(path) as outbox:
        assert outbox.append(READINGS_TOPIC, readings(0)) == ()
        assert outbox.pending(ROOM) == []


def test_numbers_outlive_a_restart_with_an_empty_table(path: Path) -> None:
    with outbox_at(path) as outbox:
        for _ in range(3):
            outbox.append(READINGS_TOPIC, readings(1))
        outbox.acknowledge(outbox.pending(ROOM)[-1])
        identity = outbox.id
    with outbox_at(path) as outbox:
        assert outbox.depth().messages == 0
        assert outbox.append(READINGS_TOPIC, readings(1)) == (4,)
        assert seqs(outbox) == [4]
        assert outbox.id == identity


def test_pending_gives_pages_of_about_the_size_asked_for(path: Path) -> None:
    with outbox_at(path) as outbox:
        for _ in range(5):
            outbox.append(READINGS_TOPIC, readings(1))
        size = len(outbox.pending(1)[0].message.value)
        assert len(outbox.pending(1)) == 1
        assert len(outbox.pending(3 * size)) == 3
        outbox.acknowledge(outbox.pending(3 * size)[-1])
        assert seqs(outbox) == [4, 5]


def test_pending_gives_what_is_behind_a_message(path: Path) -> None:
    with outbox_at(path) as outbox:
        for _ in range(4):
            outbox.append(READINGS_TOPIC, readings(1))
        entries = outbox.pending(ROOM)
        assert outbox.pending(ROOM, after=entries[1]) == entries[2:]
        assert outbox.pending(ROOM, after=entries[3]) == []
        outbox.acknowledge(entries[2])
        assert outbox.pending(ROOM, after=entries[0]) == entries[3:]


def test_deleting_writes_nothing_over_what_it_deletes(path: Path) -> None:
    """SQLite as Debian builds it would, unless told not to, and that took most of the time."""
    wal = path.with_name(f"{path.name}-wal")
    with outbox_at(path) as outbox:
        for _ in range(3):
            outbox.append(READINGS_TOPIC, readings(20_000, noise=True))
        stored = outbox.depth().bytes
        outbox._file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        outbox.acknowledge(outbox.pending(ROOM)[-1])
        assert outbox.depth().messages == 0
        assert wal.stat().st_size < stored / 4


def test_a_batch_over_the_message_limit_becomes_several_messages(path: Path) -> None:
    batch = readings(20_000, noise=True)
    with outbox_at(path, max_message_bytes=60_000) as outbox:
        numbers = outbox.append(READINGS_TOPIC, batch)
        assert len(numbers) > 1
        assert numbers == tuple(range(1, len(numbers) + 1))
        rows = [row for e in contents(outbox) for row in e.batch.column("value").to_pylist()]
        assert rows == batch.column("value").to_pylist()
        assert all(len(e.message.value) < 60_000 for e in outbox.pending(ROOM))


def test_depth_says_how_much_waits_and_how_long(path: Path) -> None:
    with outbox_at(path) as outbox:
        assert outbox.depth().oldest_age_s == 0
        for _ in range(3):
            outbox.append(READINGS_TOPIC, readings(1))
        first, *_, last = outbox.pending(ROOM)
        size = sum(len(e.message.value) for e in outbox.pending(ROOM))
        depth = outbox.depth()
        assert (depth.messages, depth.waiting) == (3, 3)
        assert size < depth.bytes < size + 1000
        assert 0 < depth.oldest_age_s < 60
        outbox.acknowledge(first)
        assert outbox.depth().waiting == 2
        outbox.acknowledge(last)
        assert outbox.depth() == type(depth)(0, 0, 0, 0.0)


def test_full_outbox_drops_the_oldest_and_says_what(path: Path) -> None:
    with outbox_at(path, max_bytes=20_000) as outbox:
        for number in range(20):
            outbox.append(READINGS_TOPIC, readings(1, first=number))
        kept = seqs(outbox)
        dropped = outbox.dropped()
        assert kept[-1] == 20
        assert [lost.seq for lost in dropped] == list(range(1, kept[0]))
        assert {(lost.topic, lost.rows) for lost in dropped} == {(READINGS_TOPIC, 1)}
        assert outbox.depth().bytes <= 20_000
    with outbox_at(path, max_bytes=20_000) as outbox:
        assert outbox.dropped() == dropped
        outbox.forget_dropped(dropped[:2])
        assert outbox.dropped() == dropped[2:]


def test_drops_fall_on_the_topic_that_takes_the_room(path: Path) -> None:
    """The ledger's polls are small; readings must not push them out."""
    with outbox_at(path, max_bytes=100_000) as outbox:
        for _ in range(10):
            outbox.append(POLLS_TOPIC, polls(1))
            outbox.append(READINGS_TOPIC, readings(1500, noise=True))
        assert seqs(outbox, POLLS_TOPIC) == list(range(1, 11))
        assert {lost.topic for lost in outbox.dropped()} == {READINGS_TOPIC}


def test_full_outbox_refuses_when_polling_is_to_stop(path: Path) -> None:
    with outbox_at(path, max_bytes=20_000, when_full="stop_polling") as outbox:
        outbox.append(READINGS_TOPIC, readings(1))
        stored = 20_000 // outbox.depth().bytes
        for _ in range(stored - 1):
            outbox.append(READINGS_TOPIC, readings(1))
        with pytest.raises(OutboxFull, match="polling stops"):
            outbox.append(READINGS_TOPIC, readings(1))
        assert seqs(outbox) == list(range(1, stored + 1))
        outbox.acknowledge(outbox.pending(1)[0])
        assert outbox.append(READINGS_TOPIC, readings(1)) == (stored + 1,)
        assert outbox.dropped() == ()


@pytest.mark.parametrize("when_full", ["drop_oldest", "stop_polling"])
def test_a_batch_larger_than_the_outbox_is_refused(path: Path, when_full: WhenFull) -> None:
    with outbox_at(path, max_bytes=20_000, when_full=when_full) as outbox:
        outbox.append(READINGS_TOPIC, readings(1))
        with pytest.raises(OutboxFull, match="more than the outbox may ever hold"):
            outbox.append(READINGS_TOPIC, readings(10_000, noise=True))
        assert seqs(outbox) == [1]


def test_until_trimmed_a_restart_sends_everything_again(path: Path) -> None:
    with outbox_at(path, delete_at="trim") as outbox:
        for _ in range(4):
            outbox.append(READINGS_TOPIC, readings(1))
        outbox.append(POLLS_TOPIC, polls(1))
        outbox.acknowledge(outbox.pending(ROOM)[-1])
        assert outbox.pending(ROOM) == []
        assert (outbox.depth().messages, outbox.depth().waiting) == (5, 0)
        outbox.trim(READINGS_TOPIC, 2)
    with outbox_at(path, delete_at="trim") as outbox:
        assert seqs(outbox) == [3, 4]
        assert seqs(outbox, POLLS_TOPIC) == [1]


def test_resend_takes_back_what_was_acknowledged(path: Path) -> None:
    with outbox_at(path, delete_at="trim") as outbox:
        for _ in range(3):
            outbox.append(READINGS_TOPIC, readings(1))
        outbox.acknowledge(outbox.pending(ROOM)[1])
        assert seqs(outbox) == [3]
        outbox.resend()
        assert seqs(outbox) == [1, 2, 3]


def test_room_is_made_first_from_what_the_broker_has(path: Path) -> None:
    with outbox_at(path, max_bytes=20_000, delete_at="trim") as outbox:
        outbox.append(READINGS_TOPIC, readings(1))
        while outbox.depth().messages == outbox.last_seq(READINGS_TOPIC):
            outbox.acknowledge(outbox.pending(ROOM)[-1])
            outbox.append(READINGS_TOPIC, readings(1))
        assert outbox.dropped() == ()


def test_threads_append_and_drain_together(path: Path) -> None:
    taken: list[int] = []
    done = threading.Event()

    def drain(outbox: Outbox) -> None:
        while not done.is_set() or outbox.depth().messages:
            for entry in outbox.pending(5_000):
                taken.append(decode(entry.message.value, entry.message.headers).seq)
                outbox.acknowledge(entry)

    def append(outbox: Outbox) -> None:
        for _ in range(50):
            outbox.append(READINGS_TOPIC, readings(1))

    with outbox_at(path, max_bytes=10**8) as outbox:
        drainer = threading.Thread(target=drain, args=(outbox,))
        appenders = [threading.Thread(target=append, args=(outbox,)) for _ in range(3)]
        for thread in (drainer, *appenders):
            thread.start()
        for thread in appenders:
            thread.join(30)
        done.set()
        drainer.join(30)
    assert taken == list(range(1, 151))


def test_a_second_opener_is_refused(path: Path) -> None:
    with outbox_at(path), pytest.raises(OutboxInUse, match=f"{path} is open in another process"):
        outbox_at(path)
    outbox_at(path).close()


def test_another_collectors_outbox_is_refused(path: Path) -> None:
    outbox_at(path).close()
    with pytest.raises(ConfigError, match="belongs to collector 'c', not 'd'"):
        Outbox(path, collector="d", max_bytes=ROOM, when_full="drop_oldest")


def test_a_damaged_file_is_refused_by_name(path: Path) -> None:
    with outbox_at(path) as outbox:
        for _ in range(50):
            outbox.append(READINGS_TOPIC, readings(500, noise=True))
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xa5" * 20_000)
    with pytest.raises(OutboxCorrupt, match=f"outbox {path} is damaged.*move it away"):
        outbox_at(path)


@pytest.mark.parametrize("text", ["no database at all, " * 100, "SQLite format 3\0" + "x" * 5000])
def test_what_is_no_database_is_refused_by_name(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(OutboxCorrupt, match=str(path)):
        outbox_at(path)


def test_a_truncated_file_is_refused_by_name(path: Path) -> None:
    with outbox_at(path) as outbox:
        for _ in range(50):
            outbox.append(READINGS_TOPIC, readings(500, noise=True))
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    with pytest.raises(OutboxCorrupt, match=f"outbox {path} is damaged"):
        outbox_at(path)


def test_an_emptied_file_is_not_taken_for_a_new_one(path: Path) -> None:
    """A new outbox would count from 1 again, and nobody would know what the old one held."""
    with outbox_at(path) as outbox:
        outbox.append(READINGS_TOPIC, readings(5))
    path.write_bytes(b"")
    for _ in range(2):
        with pytest.raises(OutboxCorrupt, match=r"it is empty.*move it away"):
            outbox_at(path)


def test_a_file_without_its_wal_is_refused_by_name(path: Path) -> None:
    """It is an older state, whose next seqs the broker has had already."""
    with outbox_at(path) as outbox:
        outbox.append(READINGS_TOPIC, readings(5))
        older = path.with_name("older.sqlite")
        shutil.copy(path, older)
    for _ in range(2):
        with pytest.raises(OutboxCorrupt, match=r"its -wal file is missing.*move it away"):
            outbox_at(older)


def test_a_killed_outbox_goes_on_from_its_wal(path: Path) -> None:
    """Also where nothing was appended after it was opened."""
    with outbox_at(path) as outbox:
        copies = [path.with_name("idle.sqlite"), path.with_name("used.sqlite")]
        for copy, appended in zip(copies, (False, True), strict=True):
            if appended:
                outbox.append(READINGS_TOPIC, readings(5))
            shutil.copy(path, copy)
            shutil.copy(f"{path}-wal", f"{copy}-wal")
    assert [outbox_at(copy).last_seq(READINGS_TOPIC) for copy in copies] == [0, 1]


def test_a_start_that_was_cut_off_leaves_no_outbox(path: Path) -> None:
    path.parent.mkdir()
    path.with_name(f"{path.name}.1.new").write_bytes(b"half")
    with outbox_at(path) as outbox:
        assert outbox.append(READINGS_TOPIC, readings(5)) == (1,)


def test_another_programs_database_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()
    with pytest.raises(OutboxCorrupt, match="is an SQLite file, but no outbox"):
        outbox_at(path)


def test_a_newer_format_is_refused_by_number(path: Path) -> None:
    outbox_at(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 9")
    connection.close()
    with pytest.raises(ConfigError, match="has format 9, this Busway knows up to 1"):
        outbox_at(path)


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=f"outbox directory {tmp_path}/file"):
        outbox_at(tmp_path / "file" / "collector.sqlite")


def test_a_full_disk_is_a_full_outbox(path: Path) -> None:
    """SQLite reports its own page limit as it does a full disk."""
    with outbox_at(path, max_bytes=10**9) as outbox:
        outbox.append(READINGS_TOPIC, readings(1))
        ((pages,),) = outbox._file.execute("PRAGMA page_count")
        outbox._file.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(OutboxFull, match="the disk is full"):
            outbox.append(READINGS_TOPIC, readings(20_000, noise=True))
        assert seqs(outbox) == [1]
        outbox._file.execute("PRAGMA max_page_count = 10000")
        assert outbox.append(READINGS_TOPIC, readings(20_000, noise=True)) == (2,)


def test_a_copy_taken_while_open_is_a_whole_outbox(path: Path, tmp_path: Path) -> None:
    """What a crash leaves: the file and its write-ahead log, never closed."""
    with outbox_at(path) as outbox:
        for _ in range(5):
            outbox.append(READINGS_TOPIC, readings(1))
        crashed = tmp_path / "crashed"
        shutil.copytree(path.parent, crashed)
    with outbox_at(crashed / path.name) as outbox:
        assert seqs(outbox) == [1, 2, 3, 4, 5]


def test_an_outbox_that_the_lake_knew_at_a_later_time_counts_on_above_it(path: Path) -> None:
    """It was restored from a backup: the lake may not have what is in it; nothing is deleted."""
    with outbox_at(path, delete_at="trim") as outbox, capture_logs() as logs:
        outbox.append(READINGS_TOPIC, readings(1))
        outbox.append(READINGS_TOPIC, readings(2))
        outbox.trim(READINGS_TOPIC, 40)
        assert seqs(outbox) == [1, 2]
        assert outbox.append(READINGS_TOPIC, readings(3)) == (41,)
        outbox.trim(READINGS_TOPIC, 41)
        assert seqs(outbox) == [1, 2]
    [named] = logs
    assert named["log_level"] == "error"
    assert "restored from a backup, or copied" in named["event"]
    assert (named["last_seq"], named["lake_last_seq"]) == (2, 40)
    with outbox_at(path, delete_at="trim") as outbox:
        outbox.trim(READINGS_TOPIC, 41)
        assert seqs(outbox) == []
        assert outbox.append(READINGS_TOPIC, readings(4)) == (42,)
