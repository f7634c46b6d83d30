"""The full-size site's plant as batches: what its collectors would append, second after second.

Made once and kept in files, so that a stage only maps them into memory: making a load is no part
of what is measured. A batch is one collector's second; each collector's devices are spread over the
site, as those of `--shard` are. Values are the plant's with each meter's noise, in the steps in
which the device shows them.

A load is shorter than a measurement: `Series.batch` begins again from its first second, with
time going on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bench.points import OWN_SENSORS, PointKind, points_of_kinds
from collectors.batch import Names
from facility.reading import NAME, READINGS, TIMESTAMP
from facility.roles import DeviceRole
from facility.site import Device
from facility.site_file import load_site
from simulator.plant import Plant
from simulator.plant.noise import Drift

SITE = Path(__file__).parents[1] / "examples/site-250mw/site.yaml"
COLLECTORS = 27
"""About 100,000 points each, as many as one daemon polls at 1 Hz with room to spare."""
START_S = 1_790_000_000
SENSOR_MEMORY_S = 600.0
JITTER_US = 10_000
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Load:
    """Some collectors' seconds, in files of `directory`."""

    directory: Path
    points: tuple[int, ...]
    """Of each collector."""
    seconds: int

    @property
    def collectors(self) -> int:
        """How many there are; the first is 0."""
        return len(self.points)

    def series(self, collector: int) -> Series:
        """All seconds of one collector, mapped into memory."""
        return Series(self.directory / str(collector), self.seconds)


class Series:
    """One collector's seconds."""

    def __init__(self, directory: Path, seconds: int) -> None:
        with pa.memory_map(str(directory / "names.arrow")) as file:
            self._names = pa.ipc.open_file(file).get_batch(0)
        self._values = np.load(directory / "values.npy", mmap_mode="r")
        self._offsets_us = np.load(directory / "offsets.npy")
        self._device = np.load(directory / "device.npy")
        self._seconds = seconds
        self._quality = pa.array(np.zeros(len(self._device), np.uint8))

    def batch(self, second: int) -> pa.RecordBatch:
        """The readings of a second, stamped when each device answered."""
        at = second % self._seconds
        times = self._offsets_us[at].take(self._device) + (START_S + second) * 1_000_000
        columns = [
            pa.array(times).cast(TIMESTAMP),
            *self._names.columns,
            pa.array(self._values[at]),
            self._quality,
        ]
        return pa.RecordBatch.from_arrays(columns, schema=READINGS)


def open_load(directory: Path) -> Load:
    """Open what `write_load` has written."""
    facts = json.loads((directory / "load.json").read_text("utf-8"))
    return Load(directory, tuple(facts["points"]), facts["seconds"])


def write_load(directory: Path, *, collectors: int, seconds: int) -> Load:
    """Make the load of the first so many of COLLECTORS; plant and seed are always the same."""
    site = load_site(SITE)
    plant = Plant(site, seed=1, start_at=START_S)
    kinds = points_of_kinds(plant, site.devices)
    makers = [
        _Maker(directory / str(n), plant, site.devices[n::COLLECTORS], kinds, seconds)
        for n in range(collectors)
    ]
    for second in range(seconds):
        plant.advance(START_S + second)
        for maker in makers:
            maker.note(second)
    facts = {"points": [maker.points for maker in makers], "seconds": seconds}
    (directory / "load.json").write_text(json.dumps(facts), "utf-8")
    return open_load(directory)


class _Maker:
    """Writes one collector's seconds."""

    def __init__(
        self,
        directory: Path,
        plant: Plant,
        devices: Sequence[Device],
        kinds: dict[tuple[str, str], list[PointKind]],
        seconds: int,
    ) -> None:
        directory.mkdir(parents=True)
        named = _named(plant, devices, kinds)
        points = [point for device in devices for point in kinds[device.profile, device.role.value]]
        self.points = len(points)
        self._panel = plant.panel(
            (d, [(name, p.quantity) for name, p in of_it]) for d, of_it in named
        )
        self._step = np.array([point.step for point in points])
        self._noise = np.array([point.noise for point in points], np.float32)
        self._own = np.array([point.part is None for point in points])
        self._rng = np.random.default_rng(len(points))
        self._absolute_noise = np.array([point.absolute_noise for point in points])
        self._off_by = 10 * self._absolute_noise * self._rng.standard_normal(len(points))
        own = [OWN_SENSORS[point.quantity] for point in points if point.part is None]
        self._mean, self._spread = np.array(own).reshape(-1, 2).T
        self._mean = self._mean * self._rng.uniform(0.8, 1.2, len(own))
        self._drift = Drift(len(own), 1.0, SENSOR_MEMORY_S, self._rng)
        self._values = np.lib.format.open_memmap(
            directory / "values.npy", "w+", np.float64, (seconds, len(points))
        )
        sizes = [len(of_it) for _, of_it in named]
        np.save(directory / "device.npy", np.repeat(np.arange(len(devices)), sizes))
        phase = self._rng.integers(0, 1_000_000 - JITTER_US, len(devices))
        jitter = self._rng.integers(0, JITTER_US, (seconds, len(devices)))
        np.save(directory / "offsets.npy", phase + jitter)
        _write_names(directory / "names.arrow", named)

    def note(self, second: int) -> None:
        """Read every point as its device shows it now."""
        true = self._panel.read()
        true[self._own] = self._mean + self._spread * self._drift.step(1.0)
        noise = self._rng.standard_normal(len(true), np.float32)
        seen = true * (1 + self._noise * noise) + self._absolute_noise * noise + self._off_by
        floats = seen.astype(np.float32).astype(np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            count = np.rint(seen / self._step)
            steps = np.where(self._step < 1, count / np.rint(1 / self._step), count * self._step)
        self._values[second] = np.where(self._step > 0, steps, floats)


def _named(
    plant: Plant, devices: Sequence[Device], kinds: dict[tuple[str, str], list[PointKind]]
) -> list[tuple[str, list[tuple[str, PointKind]]]]:
    """Each device's points with their components' names; only GPUs have names of their own."""
    alike: dict[tuple[str, str], tuple[str, ...]] = {}
    named = []
    for device in devices:
        kind = device.profile, device.role.value
        parts = alike.get(kind) or plant.components(device.id)
        if device.role is not DeviceRole.GPU_NODE:
            alike[kind] = parts
        points = [(p.sensor if p.part is None else parts[p.part], p) for p in kinds[kind]]
        named.append((device.id, points))
    return named


def _write_names(path: Path, named: Sequence[tuple[str, list[tuple[str, PointKind]]]]) -> None:
    rows: dict[str, Iterator[str]] = {
        "device": (device for device, of_it in named for _ in of_it),
        "component": (name for _, of_it in named for name, _ in of_it),
        "quantity": (point.quantity for _, of_it in named for _, point in of_it),
    }
    columns = []
    for texts in rows.values():
        names = Names()
        columns.append(names.column(names.encode(texts)))
    schema = pa.schema([pa.field(name, NAME, nullable=False) for name in rows])
    batch = pa.RecordBatch.from_arrays(columns, schema=schema)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, schema) as writer:
        writer.write_batch(batch)
