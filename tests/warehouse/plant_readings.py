"""The meters of the simulated plant, read as they are on a site, into a bench: no network.

Modbus meters answer with registers, which the collectors' decoder and judge turn into readings; the
others give the plant's value in steps of their register.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

import numpy as np
import pyarrow as pa
from sql_bench import BEGINNING, START, SqlBench

from collectors.modbus.decode import Decoder
from collectors.modbus.planner import value_range
from collectors.profile import ModbusPoint
from collectors.profile_library import load_profile
from collectors.quality import Judge
from facility.counter import CounterFacts
from facility.roles import DeviceRole
from facility.site import Meter, Site
from simulator.modbus_registers import RegisterMap
from simulator.plant import Plant
from simulator.plant.meter_faults import MeterFault, word_swapped
from warehouse.dimension_rows import dimension_rows

INTERVAL_S = 10
ValueOf = Callable[[str, str, str], float | None]
"""(device, component, quantity) -> value now."""
QUANTITIES = ("energy_imported_wh", "energy_exported_wh", "active_power_w")
AROUND_S = 60
"""Readings before and after the window, so that its edges lie between two."""


class ModbusMeter:
    """The registers of a meter's quantities, and what a collector makes of them."""

    def __init__(
        self, meter: Meter, profile: str, *, swapped: bool, interval_s: float = INTERVAL_S
    ) -> None:
        section = load_profile(profile).modbus
        assert section is not None
        self.points: list[ModbusPoint] = [
            p for p in section.points if p.component == meter.component and p.quantity in QUANTITIES
        ]
        section = section.model_copy(update={"points": tuple(self.points)})
        self._ranges = [value_range(point, section) for point in self.points]
        self._map = RegisterMap(section)
        self._map.swap_words = swapped
        self._decoder = Decoder(section, self._ranges)
        self._judge = Judge(self.points, interval_s)
        self._device = meter.device

    def read(self, value_of: ValueOf, second: float) -> list[tuple[str, float, int]]:
        payloads = []
        for block in self._ranges:
            words = self._map.read(
                block.table,
                block.address,
                block.count,
                lambda component, quantity: value_of(self._device, component, quantity),
            )
            payloads.append(struct.pack(f">{len(words)}H", *words))
        values, missing = self._decoder.decode(payloads)
        quality = self._judge.judge(values, missing, round(second * 1e6))
        names = [point.quantity for point in self.points]
        return list(zip(names, values.tolist(), quality.tolist(), strict=True))


class _OtherMeter:
    """A meter's values in steps of 1 Wh and 1 W."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def read(self, value_of: ValueOf, second: float) -> list[tuple[str, float, int]]:
        device, component = self._meter.device, self._meter.component
        found = [(q, value_of(device, component, q)) for q in QUANTITIES]
        return [(q, float(np.floor(value)), 0) for q, value in found if value is not None]


def read_plant(
    bench: SqlBench,
    site: Site,
    *,
    seconds: int = 3600,
    meter_faults: Sequence[MeterFault] = (),
    seed: int = 1,
    with_gpus: bool = False,
) -> None:
    """Let the site's plant live, and fill the bench with its meters, read every ten seconds."""
    start = START.timestamp() - AROUND_S
    plant = Plant(
        site,
        seed=seed,
        start_at=start,
        step_s=INTERVAL_S,
        metering_error=True,
        meter_faults=meter_faults,
    )
    profiles = {device.id: device.profile for device in site.devices}
    swapped = word_swapped(meter_faults)
    meters = [_reader(m, profiles[m.device], swapped=m.device in swapped) for m in site.meters]
    gpus = list(_gpus(site, plant)) if with_gpus else []
    rows: list[tuple[float, str, str, str, float, int]] = []
    for second in range(-AROUND_S, seconds + AROUND_S + 1, INTERVAL_S):
        for place, (meter, reader) in enumerate(zip(site.meters, meters, strict=True)):
            at = second + place % 10 * 0.01
            plant.advance(START.timestamp() + at)
            rows += [
                (at, meter.device, meter.component, *reading)
                for reading in reader.read(plant.value, at)
            ]
        rows += [(second, *gpu, plant.value(*gpu) or 0.0, 0) for gpu in gpus]
    bench.clear()
    _fill(bench, site, rows)


def _reader(meter: Meter, profile: str, *, swapped: bool) -> ModbusMeter | _OtherMeter:
    if load_profile(profile).modbus is None:
        return _OtherMeter(meter)
    return ModbusMeter(meter, profile, swapped=swapped)


def _gpus(site: Site, plant: Plant) -> Iterator[tuple[str, str, str]]:
    for device in site.devices:
        if device.role is DeviceRole.GPU_NODE:
            for component in plant.components(device.id):
                if component.startswith("gpu.") and "/" not in component:
                    yield device.id, component, "energy_imported_wh"
                    yield device.id, component, "active_power_w"


def _fill(
    bench: SqlBench, site: Site, rows: Sequence[tuple[float, str, str, str, float, int]]
) -> None:
    filled = {table: found for table, found in dimension_rows(site, _facts).items() if found}
    for table, found in filled.items():
        given = pa.Table.from_pylist([_slower(row) for row in found])
        validity = "" if table == "quantities" else ", $1::timestamptz, null"
        bench.database.register("given", given)
        names = ", ".join(given.column_names)
        bench.database.execute(
            f"insert into {table} select {names}{validity} from given",
            [] if table == "quantities" else [BEGINNING],
        )
    at, device, component, quantity, value, quality = zip(*rows, strict=True)
    table = pa.table(
        {
            "ts": pa.array([START + timedelta(seconds=s) for s in at], pa.timestamp("us", "UTC")),
            "device": device,
            "component": component,
            "quantity": quantity,
            "value": pa.array(value, pa.float64(), from_pandas=True),
            "quality": pa.array(quality, pa.uint8()),
        }
    )
    bench.database.register("arrived", table)
    bench.database.execute("insert into readings select * from arrived")


def _facts(profile: str, component: str, quantity: str) -> CounterFacts:
    return CounterFacts(modulus=None, resolution=1.0)


def _slower(row: dict[str, object]) -> dict[str, object]:
    return row | {"interval_s": float(INTERVAL_S)} if "interval_s" in row else row
