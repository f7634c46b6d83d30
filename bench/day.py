"""A day of the meters that make up the 250 MW site's PUE, at their own intervals, in a lake.

Energies are the plant's, minute by minute, straight lines between; power is their slope with each
reading's noise. The dimensions are the whole site's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bench.commits import Commits
from bench.load import SITE
from facility.counter import CounterFacts
from facility.reading import NAME, READINGS, TIMESTAMP
from facility.roles import DeviceRole
from facility.site import Device, Site
from facility.site_file import load_site
from simulator.plant import Plant
from warehouse.dimensions import store_dimensions
from warehouse.lake import Lake
from warehouse.sweep import sink_present

MIDNIGHT_S = 1_790_002_800
"""2026-09-22, 00:00 in the site's time zone."""
INTERVAL_S, STEP_S, HOUR_S = 5, 60, 3600
NOISE = 3e-3
ROLES = frozenset(
    {DeviceRole.UTILITY_METER, DeviceRole.GENERATOR_METER, DeviceRole.UPS_OUTPUT_METER}
    | {DeviceRole.CDU}
)
"""Of PUE category 1: utility and generators over the UPS's output less the CDUs."""
Names: TypeAlias = "pa.DictionaryArray[Any, Any]"
Floats = npt.NDArray[np.float64]


def write_day(lake: Lake, hours: int) -> int:
    """Bring so many hours of the meters into a new lake, a flush an hour; give the rows."""
    site = load_site(SITE)
    store_dimensions(lake, site, lambda *_: CounterFacts(modulus=None, resolution=1.0))
    meters = [device for device in site.devices if device.role in ROLES]
    with sink_present(lake):
        commits = Commits(lake)
        return sum(commits.commit([batch]) for batch in _hours(site, meters, hours))


def _hours(site: Site, meters: Sequence[Device], hours: int) -> Iterator[pa.RecordBatch]:
    plant = Plant(site, seed=1, start_at=MIDNIGHT_S, step_s=STEP_S)
    panel = plant.panel((meter.id, [("", "energy_imported_wh")]) for meter in meters)
    rng = np.random.default_rng(1)
    phase_s = rng.random(len(meters)) * INTERVAL_S
    begin = panel.read()
    for hour in range(hours):
        energies = [begin]
        for minute in range(1, HOUR_S // STEP_S + 1):
            plant.advance(MIDNIGHT_S + hour * HOUR_S + minute * STEP_S)
            energies.append(panel.read())
        begin = energies[-1]
        yield _batch(meters, hour, np.array(energies), phase_s, rng)


def _batch(
    meters: Sequence[Device],
    hour: int,
    energies: Floats,
    phase_s: Floats,
    rng: np.random.Generator,
) -> pa.RecordBatch:
    """All samples of an hour, in the order of time; two rows each: energy, then power."""
    at_s = np.arange(0, HOUR_S, INTERVAL_S)[:, None] + phase_s
    step, within = np.divmod(at_s, STEP_S)
    meter = np.broadcast_to(np.arange(len(meters)), at_s.shape)
    row = np.minimum(step.astype(np.intp), len(energies) - 2)
    slope_w = (energies[row + 1, meter] - energies[row, meter]) * HOUR_S / STEP_S
    energy = np.rint(energies[row, meter] + slope_w * within / HOUR_S)
    power = np.rint(slope_w * (1 + NOISE * rng.standard_normal(at_s.shape)))
    times = ((MIDNIGHT_S + hour * HOUR_S + at_s) * 1e6).astype(np.int64)
    count = 2 * at_s.size
    devices = pa.array([device.id for device in meters])
    quantities = pa.array(["energy_imported_wh", "active_power_w"])
    columns = [
        pa.array(np.repeat(times.ravel(), 2)).cast(TIMESTAMP),
        _named(np.repeat(meter.ravel(), 2), devices),
        pa.array([""]).cast(NAME).take(pa.array([0] * count, pa.int32())),
        _named(np.tile(np.arange(2), at_s.size), quantities),
        pa.array(np.stack([energy.ravel(), power.ravel()], axis=1).ravel()),
        pa.array(np.zeros(count, np.uint8)),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=READINGS)


def _named(codes: npt.NDArray[np.intp], names: pa.StringArray) -> Names:
    return pa.DictionaryArray.from_arrays(codes.astype(np.int32), names)
