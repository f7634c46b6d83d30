"""One transaction: the files, the offsets they reach (fenced), and each collector's last seq."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass

from facility.errors import FenceLost, LakeUnavailable
from stream.message import Partition
from warehouse.connection import CatalogueBusy, Connection
from warehouse.parquet_files import DataFile
from warehouse.progress import Numbering, Standing
from warehouse.statements import statement

DEADLINE_S = 30.0
"""How long a transaction is tried anew while other writers are first."""
LONGEST_DELAY_S = 1.0


@dataclass(frozen=True, slots=True)
class Advance:
    """What a commit brings the lake to."""

    files: tuple[tuple[str, DataFile], ...]
    """Table and file."""
    offsets: Mapping[Partition, tuple[int, int]]
    """The next offset that the lake must have, and the one it gets."""
    standings: Mapping[Numbering, Standing]


def commit(connection: Connection, advance: Advance) -> None:
    """Store all of it, or nothing.

    Raises:
        FenceLost: the lake's offsets are not those expected; another sink has taken over.
        LakeUnavailable: the catalogue was locked for too long, or cannot be written.
    """
    _again_while_busy(lambda: _commit_once(connection, advance))


def open_offsets(connection: Connection, partitions: Iterable[Partition]) -> dict[Partition, int]:
    """Give the next offset of each partition as the lake has it, 0 for one it has never seen.

    Raises:
        LakeUnavailable: the catalogue was locked for too long, or cannot be written.
    """
    given = [_partition(partition) for partition in partitions]
    if not given:
        return {}

    def insert() -> None:
        with connection.transaction():
            connection.execute(statement("open_offsets"), {"partitions": given})

    _again_while_busy(insert)
    rows = connection.fetch(statement("read_offsets"), {"partitions": given}).to_pylist()
    return {
        Partition(row["topic"], row["topic_id"], row["partition"]): row["next_offset"]
        for row in rows
    }


def read_progress(connection: Connection) -> dict[Numbering, Standing]:
    """Give the standing of every numbering that the lake has seen."""
    rows = connection.fetch("from collector_progress").to_pylist()
    return {
        Numbering(row["collector"], row["topic"], row["outbox"]): Standing(
            row["last_seq"], row["missing"]
        )
        for row in rows
    }


def _commit_once(connection: Connection, advance: Advance) -> None:
    with connection.transaction():
        for table, file in advance.files:
            connection.execute(
                "call ducklake_add_data_files('lake', ?, ?)", [table, str(file.path)]
            )
        _advance_offsets(connection, advance.offsets)
        _advance_progress(connection, advance.standings)


def _advance_offsets(connection: Connection, offsets: Mapping[Partition, tuple[int, int]]) -> None:
    rows = [
        {**_partition(partition), "expected_offset": expected, "next_offset": reached}
        for partition, (expected, reached) in offsets.items()
    ]
    moved = connection.changed_rows(statement("advance_offsets"), {"offsets": rows})
    if moved != len(rows):
        raise FenceLost(
            f"{moved} of {len(rows)} offsets stand where this sink left them "
            f"({', '.join(f'{p.topic}/{p.number}' for p in offsets)}): another sink has taken over"
        )


def _advance_progress(connection: Connection, standings: Mapping[Numbering, Standing]) -> None:
    rows = [asdict(numbering) | asdict(standing) for numbering, standing in standings.items()]
    if not rows:
        return
    if connection.changed_rows(statement("advance_progress"), {"progress": rows}) != len(rows):
        connection.execute(statement("open_progress"), {"progress": rows})
        connection.execute(statement("advance_progress"), {"progress": rows})


def _partition(partition: Partition) -> dict[str, str | int]:
    return {
        "topic": partition.topic,
        "topic_id": partition.topic_id,
        "partition": partition.number,
    }


def _again_while_busy(transaction: Callable[[], None]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    delay_s = 0.02
    while True:
        try:
            return transaction()
        except CatalogueBusy as error:
            if time.monotonic() > deadline:
                raise LakeUnavailable(
                    f"the catalogue is held by other writers for more than {DEADLINE_S:.0f} s; "
                    f"DuckDB says: {error}"
                ) from error
        time.sleep(delay_s * random.uniform(0.5, 1.0))  # noqa: S311 - spreads the writers
        delay_s = min(2 * delay_s, LONGEST_DELAY_S)
