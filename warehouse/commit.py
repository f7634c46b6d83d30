"""One transaction: files, the offsets they reach (fenced), each collector's last seq, arrivals."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from facility.errors import FenceLost
from stream.message import Partition
from warehouse.connection import Connection
from warehouse.parquet_files import DataFile
from warehouse.progress import Numbering, Standing
from warehouse.statements import statement
from warehouse.transaction import in_transaction


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

    def work() -> None:
        for table, file in advance.files:
            connection.execute("call ducklake_add_data_files('lake', ?, ?)", [table, file.path])
        _advance_offsets(connection, advance.offsets)
        _advance_progress(connection, advance.standings)
        _note_arrivals(connection, advance.files)

    in_transaction(connection, work)


def open_offsets(connection: Connection, partitions: Iterable[Partition]) -> dict[Partition, int]:
    """Give the next offset of each partition as the lake has it, 0 for one it has never seen.

    Raises:
        LakeUnavailable: the catalogue was locked for too long, or cannot be written.
    """
    given = [_partition(partition) for partition in partitions]
    if not given:
        return {}
    parameters = {"partitions": json.dumps(given)}
    in_transaction(connection, lambda: connection.execute(statement("open_offsets"), parameters))
    rows = connection.fetch(statement("read_offsets"), parameters).to_pylist()
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


def _advance_offsets(connection: Connection, offsets: Mapping[Partition, tuple[int, int]]) -> None:
    rows = [
        {**_partition(partition), "expected_offset": expected, "next_offset": reached}
        for partition, (expected, reached) in offsets.items()
    ]
    moved = connection.changed_rows(statement("advance_offsets"), {"offsets": json.dumps(rows)})
    if moved != len(rows):
        raise FenceLost(
            f"{moved} of {len(rows)} offsets stand where this sink left them "
            f"({', '.join(f'{p.topic}/{p.number}' for p in offsets)}): another sink has taken over"
        )


def _advance_progress(connection: Connection, standings: Mapping[Numbering, Standing]) -> None:
    rows = [asdict(numbering) | asdict(standing) for numbering, standing in standings.items()]
    if not rows:
        return
    parameters = {"progress": json.dumps(rows)}
    if connection.changed_rows(statement("advance_progress"), parameters) != len(rows):
        connection.execute(statement("open_progress"), parameters)
        connection.execute(statement("advance_progress"), parameters)


def _note_arrivals(connection: Connection, files: Iterable[tuple[str, DataFile]]) -> None:
    quarters = {
        quarter for table, file in files if table == "readings" for quarter in file.quarters
    }
    if quarters:
        connection.execute(statement("note_arrivals"), {"quarters": sorted(quarters)})


def _partition(partition: Partition) -> dict[str, str | int]:
    return {
        "topic": partition.topic,
        "topic_id": partition.topic_id,
        "partition": partition.number,
    }
