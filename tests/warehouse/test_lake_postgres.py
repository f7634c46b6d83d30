"""A lake whose catalogue is PostgreSQL: made, opened, refused, fought over, cut off."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from certificates import Authority
from cut_line import CutLine
from postgres_cluster import PASSWORD
from sink_feed import READING_TOPIC, make_sink, message, one_log, readings, run_to_end, run_until

from facility.errors import FenceLost, LakeUnavailable
from facility.secret import Secret
from facility.site import Tls
from stream.message import Partition
from warehouse import attachment
from warehouse.commit import Advance, commit, open_offsets
from warehouse.lake import Lake
from warehouse.layout import LAYOUTS
from warehouse.parquet_files import write_file
from warehouse.progress import Numbering, Standing
from warehouse.query import run_sql
from warehouse.sink import ENGINE
from warehouse.sorting import sort_rows

LAYOUT = LAYOUTS[READING_TOPIC]


def values(lake) -> list[float]:
    return run_sql(lake, "select value from readings order by value")["value"].to_pylist()


def values_of(seqs) -> list[float]:
    return [seq * 1000.0 + row for seq in seqs for row in range(50)]


def opened(place) -> Lake:
    return Lake.create_or_open(place, settings=ENGINE)


@pytest.fixture
def place(postgres_lake):
    return postgres_lake()


@pytest.fixture
def lake(place):
    with opened(place) as made:
        made.storage.prepare(["readings", "polls"])
        yield made


def advance(lake, partition, before, seq) -> Advance:
    """What a sink commits that takes one message."""
    file = write_file(sort_rows([readings(seq)], LAYOUT), LAYOUT, lake.storage)
    standing = {Numbering(f"c-{partition.number}", partition.topic, "o"): Standing(before + 1)}
    return Advance((("readings", file),), {partition: (before, before + 1)}, standing)


def test_a_sink_fills_a_new_one_and_a_reader_sees_it(no_lake):
    with opened(no_lake) as lake:
        feed = one_log([message(seq) for seq in range(1, 5)])
        run_to_end(make_sink(lake, feed), feed)
    with Lake.open_read_only(no_lake) as reader:
        assert values(reader) == values_of(range(1, 5))
        assert reader.connection.fetch("from sink_offsets")["next_offset"].to_pylist() == [4]
        assert str(reader.location).startswith("postgresql://busway@127.0.0.1:")


def test_opening_again_changes_nothing(place):
    count = "select count(*) as n from ducklake_snapshots('lake')"
    with opened(place) as lake:
        first = lake.connection.fetch(count)
    with opened(place) as again:
        assert again.connection.fetch(count) == first


def test_several_may_make_the_same_lake_at_once(no_lake):
    with ThreadPoolExecutor(3) as pool:
        lakes = list(pool.map(lambda _: opened(no_lake), range(3)))
    assert lakes[0].connection.fetch("from lake_format").num_rows == 1
    for lake in lakes:
        lake.close()


def test_a_reader_of_an_empty_database_makes_nothing(no_lake):
    with pytest.raises(LakeUnavailable, match=r"no lake in postgresql://.*`busway sink` makes"):
        Lake.open_read_only(no_lake)


def test_a_wrong_password_is_named_and_never_printed(postgres_lake, monkeypatch):
    monkeypatch.setenv("WRONG", "open 'barley")
    place = postgres_lake(password=Secret(env="WRONG"))
    with pytest.raises(LakeUnavailable, match="password authentication failed") as refused:
        opened(place)
    said = f"{refused.value} {refused.value.__cause__}"
    assert "barley" not in said
    assert PASSWORD not in said
    assert "barley" not in repr(place)


def test_over_tls_the_server_is_known_by_its_authority(postgres_lake, authority, tmp_path):
    place = postgres_lake(tls=Tls(ca_file=authority.ca_file))
    with opened(place) as lake:
        used = "from postgres_query('__ducklake_metadata_lake', 'select ssl from pg_stat_ssl')"
        assert True in lake.connection.fetch(used)["ssl"].to_pylist()
    stranger = Authority(tmp_path, "stranger")
    place = postgres_lake(tls=Tls(ca_file=stranger.ca_file))
    with pytest.raises(LakeUnavailable, match="certificate verify failed"):
        opened(place)


def test_a_server_that_is_not_there_is_named(postgres_lake):
    place = postgres_lake(port=1)
    with pytest.raises(LakeUnavailable, match=r"postgresql://.*:1/.*Connection refused"):
        opened(place)


def test_of_two_writers_of_one_partition_one_wins_each_time(place, lake):
    """Both believe that the partition is theirs; the files of the one that lost are in no table."""
    partition = Partition(READING_TOPIC, "t", 0)
    rounds, won = 6, []
    with opened(place) as rival:
        open_offsets(lake.connection, [partition])
        for before in range(rounds):
            barrier = threading.Barrier(2)

            def race(writer, seq, before=before, barrier=barrier):
                wanted = advance(writer, partition, before, seq)
                barrier.wait(10)
                try:
                    commit(writer.connection, wanted)
                except FenceLost:
                    return
                won.append(seq)

            with ThreadPoolExecutor(2) as pool:
                list(pool.map(race, (lake, rival), (before, before + 100)))
            assert len(won) == before + 1
    assert values(lake) == values_of(sorted(won))


def test_writers_of_different_partitions_wait_for_each_other_and_all_commit(place, lake):
    """Each of their transactions changes the same table, so that most collide and run again."""
    partitions = [Partition(READING_TOPIC, "t", number) for number in range(3)]
    with opened(place) as second, opened(place) as third:

        def fill(writer, partition):
            open_offsets(writer.connection, [partition])
            for before in range(5):
                commit(
                    writer.connection,
                    advance(writer, partition, before, before + 10 * partition.number),
                )

        with ThreadPoolExecutor(3) as pool:
            list(pool.map(fill, (lake, second, third), partitions))
    assert values(lake) == values_of(n + 10 * p for p in range(3) for n in range(5))
    offsets = run_sql(lake, "select next_offset from sink_offsets")["next_offset"]
    assert offsets.to_pylist() == [5, 5, 5]


def test_a_partition_that_two_open_at_once_has_one_offset(place, lake):
    partitions = [Partition(READING_TOPIC, "t", number) for number in range(4)]
    barrier = threading.Barrier(2)

    def begin(writer):
        barrier.wait(10)
        return open_offsets(writer.connection, partitions)

    with opened(place) as rival, ThreadPoolExecutor(2) as pool:
        found = list(pool.map(begin, (lake, rival)))
    assert found == [dict.fromkeys(partitions, 0)] * 2
    assert run_sql(lake, "from sink_offsets").num_rows == len(partitions)


def test_a_writer_paused_in_the_middle_of_its_commit_holds_nobody_up(place, lake, monkeypatch):
    """PostgreSQL ends its transaction; awake again it finds that the offsets have moved on."""
    partition = Partition(READING_TOPIC, "t", 0)
    open_offsets(lake.connection, [partition])
    monkeypatch.setattr(attachment, "IDLE_TIMEOUT_S", 1)
    with opened(place) as zombie:
        wanted = advance(zombie, partition, 0, 1)
        zombie.connection.execute("begin transaction")
        zombie.connection.execute("update sink_offsets set next_offset = 1")
        commit(lake.connection, advance(lake, partition, 0, 2))
        time.sleep(1.5)
        with pytest.raises(LakeUnavailable):
            zombie.connection.execute("commit")
        with pytest.raises(FenceLost):
            commit(zombie.connection, wanted)
    assert values(lake) == values_of([2])


@pytest.mark.parametrize("side", ["before", "after"])
def test_a_connection_that_is_lost_at_the_commit_costs_nothing(
    postgres_lake, postgres, side, monkeypatch
):
    """After the server has committed, the answer is lost: the sink must find its files there."""
    monkeypatch.setenv("PGSSLMODE", "disable")  # the line must understand what is said
    with CutLine(postgres.port) as line:
        place = postgres_lake(port=line.port)
        with opened(place) as lake:
            feed = one_log([message(seq) for seq in range(1, 13)])
            sink = make_sink(lake, feed, flush_rows=200)
            line.cut_at(b"ducklake_snapshot_changes VALUES", b"COMMIT", side)
            run_to_end(sink, feed)
            assert line.cuts == 1
            assert values(lake) == values_of(range(1, 13))
            [progress] = run_sql(lake, "from collector_progress").to_pylist()
            assert (progress["last_seq"], progress["missing"]) == (12, 0)
            registered = run_sql(lake, "from ducklake_list_files('lake', 'readings')").num_rows
            assert len(lake.storage.files("readings")) == registered


def test_a_lake_can_be_closed_though_its_server_is_gone(place, postgres):
    """DuckDB ends the whole process where it finds this out by itself."""
    lake = opened(place)
    lake.connection.execute("begin transaction")
    lake.connection.execute("insert into feeds values ('a', 'b', now(), null)")
    postgres.crash()
    lake.close()
    postgres.start()


def test_a_server_that_crashes_and_comes_back_costs_nothing(place, lake, postgres):
    feed = one_log([message(seq) for seq in range(1, 25)])
    feed.a_poll = 1
    sink = make_sink(lake, feed, flush_rows=50)
    has_crashed: list[None] = []

    def is_done() -> bool:
        committed = sink.health()["committed"]
        last = committed[0]["last_seq"] if committed else 0
        if last > 3 and not has_crashed:
            postgres.crash()
            time.sleep(0.5)
            postgres.start()
            has_crashed.append(None)
        return last == 24

    run_until(sink, is_done)
    assert has_crashed
    assert values(lake) == values_of(range(1, 25))
