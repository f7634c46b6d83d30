"""What the sink costs beside bare pyarrow: `python -m bench.sink`.

The rows are the simulated plant's, as its devices' profiles round them, in the order in which
collectors send them: a small site for a minute, and a large one for two seconds (the small one many
times over, each copy at another time). Figures are rows per second of one core's CPU time, medians
of rounds in turn.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from collectors.profile import Point
from collectors.profile_library import load_profile
from collectors.snmp.index import read_component
from facility.reading import READINGS, TOPICS
from facility.site import Site
from simulator.demo_site import demo_site
from simulator.plant import Plant
from stream.message import Partition
from warehouse.commit import Advance, commit, open_offsets
from warehouse.lake import Lake
from warehouse.layout import LAYOUTS
from warehouse.parquet_files import write_file
from warehouse.progress import Numbering, Standing
from warehouse.sink import ENGINE
from warehouse.sorting import sort_rows
from warehouse.sweep import sink_present

RACKS, ROWS = 40, 1_000_000
ROUNDS = 5
BATCH_ROWS = 20_000
T0_US = 1_790_000_000_000_000
LAYOUT = LAYOUTS[TOPICS["readings"]]


def points_of(site: Site, plant: Plant) -> list[tuple[str, str, Point]]:
    """Device, component and point of all that the site's devices answer."""
    return [
        (device.id, component, point)
        for device in site.devices
        for component in plant.components(device.id)
        for point in load_profile(device.profile).points
        if read_component(point.component, component) is not None
        and plant.value(device.id, component, point.quantity) is not None
    ]


def rounded(values: np.ndarray, points: list[tuple[str, str, Point]]) -> np.ndarray:
    """As a device holds them: whole steps of its scale, or floats of 32 bits."""
    scale = np.array([point.scale for _, _, point in points])
    is_float = np.array([getattr(point, "type", "float32") == "float32" for *_, point in points])
    floats = values.astype(np.float32).astype(np.float64)
    return np.where(is_float, floats, np.rint(values / scale) * scale)


def live(seconds: int) -> tuple[list[tuple[str, str, Point]], np.ndarray, np.ndarray]:
    """The points, the arrival times (us) and the values, a row a second."""
    site = demo_site(RACKS)
    start_s = T0_US // 1_000_000
    plant = Plant(site, seed=1, start_at=start_s)
    points = points_of(site, plant)
    noise = np.random.default_rng(1)
    devices = {device: n for n, device in enumerate(dict.fromkeys(d for d, _, _ in points))}
    row_device = np.array([devices[device] for device, _, _ in points])
    phase_us = noise.random(len(devices)) * 1e6
    times, values = [], []
    for second in range(seconds):
        plant.advance(start_s + second)
        asked = (plant.value(d, c, p.quantity) for d, c, p in points)
        found = np.array([np.nan if value is None else value for value in asked])
        answer_us = T0_US + second * 1e6 + phase_us + 1e4 * noise.random(len(devices))
        times.append(answer_us.astype(np.int64)[row_device])
        values.append(rounded(found, points))
    return points, np.array(times), np.array(values)


def batches(copies: int, seconds: int) -> Iterator[pa.RecordBatch]:
    """The site `copies` times for `seconds`, each copy at another time of the plant's life."""
    points, times, values = live(copies * seconds if copies > 1 else seconds)
    for second in range(seconds):
        for copy in range(copies):
            at = copy * seconds + second
            shift_us = copy * seconds * 1_000_000
            for first in range(0, len(points), BATCH_ROWS):
                some = points[first : first + BATCH_ROWS]
                part = slice(first, first + BATCH_ROWS)
                devices = [f"{'' if copies == 1 else f'site-{copy}/'}{d}" for d, _, _ in some]
                columns = [
                    pa.array(times[at][part] - shift_us).cast(READINGS.field("ts").type),
                    pa.array(devices).dictionary_encode(),
                    pa.array([c for _, c, _ in some]).dictionary_encode(),
                    pa.array([p.quantity for *_, p in some]).dictionary_encode(),
                    pa.array(values[at][part], from_pandas=True),
                    pa.array(np.zeros(len(some), np.uint8)),
                ]
                yield pa.RecordBatch.from_arrays(columns, schema=READINGS)


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU time of this process for one call."""
    started = time.process_time()
    work()
    return time.process_time() - started


def measure(label: str, rows: list[pa.RecordBatch]) -> dict[str, float | str]:
    """Time each step of a flush of these rows, beside pyarrow writing them as they come."""
    table = pa.Table.from_batches(rows)
    with (
        tempfile.TemporaryDirectory() as folder,
        Lake.create_or_open(folder, settings=ENGINE) as lake,
    ):
        partition = Partition(TOPICS["readings"], "bench", 0)
        open_offsets(lake.connection, [partition])
        commits = count()
        sizes = []

        def flush() -> None:
            at = next(commits)
            file = write_file(sort_rows(rows, LAYOUT), LAYOUT, lake.storage)
            sizes.append(file.bytes / file.rows)
            standings = {
                Numbering(f"c-{n}", partition.topic, "o"): Standing(at + 1) for n in range(8)
            }
            offsets = {partition: (at, at + 1)}
            commit(lake.connection, Advance((("readings", file),), offsets, standings))

        steps: dict[str, Callable[[], object]] = {
            "bare_write_table": lambda: pq.write_table(table, Path(folder) / "bare.parquet"),
            "bare_write_table_zstd": lambda: pq.write_table(
                table, Path(folder) / "zstd.parquet", compression="zstd"
            ),
            "sort": lambda: sort_rows(rows, LAYOUT),
            "flush": flush,
        }
        with sink_present(lake):
            seconds: dict[str, list[float]] = {name: [] for name in steps}
            for _ in range(ROUNDS):
                for name, step in steps.items():
                    seconds[name].append(cpu_seconds(step))
        speed = {name: table.num_rows / median(found) for name, found in seconds.items()}
        bare_bytes = (Path(folder) / "bare.parquet").stat().st_size / table.num_rows
    return {
        "load": label,
        "rows": table.num_rows,
        **{f"{name}_rows_per_s": round(found) for name, found in speed.items()},
        "flush_over_bare": round(speed["flush"] / speed["bare_write_table"], 2),
        "flush_over_bare_zstd": round(speed["flush"] / speed["bare_write_table_zstd"], 2),
        "bytes_per_reading": round(median(sizes), 3),
        "bare_bytes_per_reading": round(bare_bytes, 3),
    }


def main() -> int:
    """Measure both loads and print a line of JSON for each."""
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    points = len(live(1)[0])
    seconds = max(1, ROWS // points)
    copies = max(1, ROWS // points // 2)
    for label, load in (
        (f"{points} points for {seconds} s", batches(1, seconds)),
        (f"{points * copies} points for 2 s", batches(copies, 2)),
    ):
        print(json.dumps(measure(label, list(load))), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
