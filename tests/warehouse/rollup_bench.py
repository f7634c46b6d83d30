"""A lake whose commits a test makes one by one, with roll-ups between, and what it then answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import pyarrow as pa
from sql_bench import BEGINNING, at

from facility.reading import READINGS, TOPICS
from stream.message import Partition
from warehouse.commit import Advance, commit, open_offsets
from warehouse.lake import Lake
from warehouse.layout import LAYOUTS
from warehouse.parquet_files import write_file
from warehouse.progress import Numbering, Standing
from warehouse.rollup.roll_up import roll_up
from warehouse.sorting import sort_rows

Row = tuple[float, str, str, float | None, int]
"""Second, device, quantity, value, quality."""
LAYOUT = LAYOUTS[TOPICS["readings"]]
PARTITION = Partition(TOPICS["readings"], "t", 0)
ROLLED = {
    "energy_15m": "quantity, device, component, first_at, kind",
    "energy_1d": "quantity, device, component, first_at, kind",
    "energy_1mo": "quantity, device, component, first_at, kind",
    "readings_1m": "quantity, device, component, minute_at",
}


class RollupBench:
    """Commits as a sink's, by the second of `sql_bench.START`."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self.commits = 0
        open_offsets(lake.connection, [PARTITION])
        lake.storage.prepare(["readings"])

    def insert(self, table: str, *values: object, since: datetime = BEGINNING) -> None:
        marks = ", ".join("?" * (len(values) + 2))
        row = (*values, since, None)
        self.lake.connection.execute(f"insert into {table} values ({marks})", row)

    def meter(
        self, name: str, role: str = "utility", *, interval_s: float = 10, **facts: object
    ) -> None:
        self.insert("devices", name, "p", "feeder_meter", interval_s, "hall-1", "", "")
        limits = {"max_power_w": 1e6, "modulus_wh": None, "resolution_wh": 1.0} | facts
        self.insert("meters", name, name, "", role, 0.5, *limits.values())

    def commit(self, rows: Iterable[Row]) -> None:
        """One commit of a sink."""
        seconds, devices, quantities, values, qualities = zip(*rows, strict=True)
        columns = [
            pa.array([at(second) for second in seconds], READINGS.field("ts").type),
            pa.array(devices).dictionary_encode(),
            pa.array([""] * len(devices)).dictionary_encode(),
            pa.array(quantities).dictionary_encode(),
            pa.array(values, pa.float64()),
            pa.array(qualities, pa.uint8()),
        ]
        self.commit_batches([pa.RecordBatch.from_arrays(columns, schema=READINGS)])

    def commit_batches(self, batches: Sequence[pa.RecordBatch]) -> None:
        """One commit of a sink, of readings."""
        file = write_file(sort_rows(batches, LAYOUT), LAYOUT, self.lake.storage)
        before = self.commits
        self.commits += 1
        commit(
            self.lake.connection,
            Advance(
                (("readings", file),),
                {PARTITION: (before, before + 1)},
                {Numbering("c", PARTITION.topic, "o"): Standing(before + 1)},
            ),
        )

    def roll_up(self, second: float) -> None:
        """Until there is nothing left to do, as it would at that second."""
        while roll_up(self.lake, now=at(second)).more:
            pass

    def ask(self, text: str, parameters: object = ()) -> list[dict]:
        return self.lake.connection.fetch(text, parameters).to_pylist()

    def tables(self) -> dict[str, list[dict]]:
        """The roll-ups' rows."""
        return {name: self.ask(f"from {name} order by {order}") for name, order in ROLLED.items()}
