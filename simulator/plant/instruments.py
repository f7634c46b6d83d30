"""Which device shows what: the faces of every device of the site on the plant's banks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from facility.roles import DeviceRole
from facility.site import Device, Site
from simulator.plant.arrays import Floats
from simulator.plant.banks import Bank, Face
from simulator.plant.clock import StepClock
from simulator.plant.cooling import CoolingPlant
from simulator.plant.cooling_banks import (
    AIR_SUPPLY_C,
    air_handler_bank,
    cdu_bank,
    chiller_bank,
    pump_bank,
    tower_bank,
)
from simulator.plant.electrical import Electrical, uneven_shares, wire
from simulator.plant.flows import Flow
from simulator.plant.gpu_bank import GpuBank
from simulator.plant.grid import Grid
from simulator.plant.network import PowerNetwork
from simulator.plant.outlets import Outlets, outlet_shares, phase_shares
from simulator.plant.racks import Racks
from simulator.plant.topology import Topology
from simulator.plant.ups_bank import ups_bank
from simulator.plant.weather import Outdoor
from simulator.plant.workload import Workload

SUPPLY_V = 22_900 / 3**0.5
LOW_V = 415 / 3**0.5
OUTLETS_OF_SHELVES, OUTLETS_OF_SERVERS = 6, 24
"""Outlets of a PDU that feeds power shelves, and of one that feeds ordinary servers."""


@dataclass(frozen=True, slots=True)
class PlantParts:
    """What instruments look at."""

    clock: StepClock
    topology: Topology
    network: PowerNetwork
    racks: Racks
    workload: Workload
    cooling: CoolingPlant
    grid: Grid
    outdoor: Callable[[], Outdoor]


class Instruments:
    """The site's devices, each with its faces, and the meters' registers behind them."""

    def __init__(
        self, site: Site, parts: PlantParts, rng: np.random.Generator, *, seed: int, gain: Floats
    ) -> None:
        self._parts = parts
        network, clock = parts.network, parts.clock
        self._ups = network.of_role(DeviceRole.UPS)
        self._flow = Flow(lambda: network.load, network.design, gain, rng)
        exact = np.ones(self._ups.size)
        self._ups_input = Flow(
            lambda: network.input[self._ups], 1.06 * network.design[self._ups], exact, rng
        )
        shares = uneven_shares(len(network.parts), rng)
        outlets = self._outlet_shares(shares, rng)
        self._load = Electrical(clock, self._flow, wire(self._voltages(), shares, rng), parts.grid)
        ups_wiring = wire(np.full(self._ups.size, LOW_V), uneven_shares(self._ups.size, rng), rng)
        self._input = Electrical(clock, self._ups_input, ups_wiring, parts.grid)
        self._banks = self._role_banks()
        self._outlets = [
            (rows.tolist(), Outlets(clock, rows, of_rows, self._flow, self._load).bank)
            for rows, of_rows in outlets
        ]
        nodes = [node for rack in parts.topology.racks for node in rack.nodes]
        self._node_row = {node: row for row, node in enumerate(nodes)}
        self._gpus = GpuBank(clock, parts.racks, parts.workload, nodes, seed)
        self._air = self._air_bank()
        self.faces = {device.id: tuple(self._faces_of(device)) for device in site.devices}

    def begin_step(self) -> None:
        """Let the meters see the powers of the step that begins."""
        self._flow.begin_step()
        self._ups_input.begin_step()

    def end_step(self, step_s: float) -> None:
        """Let the registers count the step that has passed."""
        self._flow.end_step(step_s)
        self._ups_input.end_step(step_s)

    def _faces_of(self, device: Device) -> Iterator[Face]:
        if device.id in self._node_row:
            yield Face(self._gpus, self._node_row[device.id])
            return
        row = self._parts.network.index.get(device.id)
        if row is None:
            yield Face(self._air, 0)
            return
        if bank := self._banks.get(device.role):
            rows, columns = bank
            yield Face(columns, rows.index(row))
        yield Face(self._load.bank, row)
        if device.role is DeviceRole.RACK_PDU:
            yield Face(self._load.bank, row, "inlet.1")
            yield from (Face(b, rows.index(row)) for rows, b in self._outlets if row in rows)
        if device.role is DeviceRole.UPS:
            yield Face(self._load.bank, row, "output")
            yield Face(self._input.bank, self._ups.tolist().index(row), "input")

    def _role_banks(self) -> dict[DeviceRole, tuple[list[int], Bank]]:
        clock, plant, outdoor = self._parts.clock, self._parts.cooling, self._parts.outdoor
        rows = {role: rows.tolist() for role, rows in plant.rows.items()}
        return {
            DeviceRole.UPS: (self._ups.tolist(), ups_bank(clock, self._parts.network, self._ups)),
            DeviceRole.CDU: (rows[DeviceRole.CDU], cdu_bank(clock, plant)),
            DeviceRole.AIR_HANDLER: (rows[DeviceRole.AIR_HANDLER], air_handler_bank(clock, plant)),
            DeviceRole.PUMP: (rows[DeviceRole.PUMP], pump_bank(clock, plant)),
            DeviceRole.CHILLER: (rows[DeviceRole.CHILLER], chiller_bank(clock, plant, outdoor)),
            DeviceRole.COOLING_TOWER: (
                rows[DeviceRole.COOLING_TOWER],
                tower_bank(clock, plant, outdoor),
            ),
        }

    def _air_bank(self) -> Bank:
        """Air outside and at the racks' intakes, for weather stations and room sensors."""
        bank, outdoor = Bank(self._parts.clock), self._parts.outdoor
        bank.gauge("", "outdoor_temperature_c", lambda: np.array([outdoor().dry_bulb_c]))
        bank.gauge("", "wet_bulb_temperature_c", lambda: np.array([outdoor().wet_bulb_c]))
        bank.constant("", "inlet_temperature_c", np.array([AIR_SUPPLY_C]))
        bank.constant("", "relative_humidity_ratio", np.array([0.48]))
        return bank

    def _voltages(self) -> Floats:
        high = (DeviceRole.UTILITY_METER, DeviceRole.GENERATOR_METER)
        roles = [part.role for part in self._parts.network.parts]
        return np.array([SUPPLY_V if role in high else LOW_V for role in roles])

    def _outlet_shares(
        self, shares: Floats, rng: np.random.Generator
    ) -> list[tuple[np.ndarray, Floats]]:
        """Share out the PDUs' outlets, and set their phases' shares to what those sum to."""
        network = self._parts.network
        pdus = network.of_role(DeviceRole.RACK_PDU)
        with_gpus = {rack.place for rack in self._parts.topology.racks if rack.nodes}
        is_shelf = np.array([network.parts[row].place in with_gpus for row in pdus], bool)
        found = []
        for rows, count, spread in (
            (pdus[is_shelf], OUTLETS_OF_SHELVES, 0.05),
            (pdus[~is_shelf], OUTLETS_OF_SERVERS, 0.6),
        ):
            of_rows = outlet_shares(rows.size, count, spread, rng)
            shares[rows] = phase_shares(of_rows)
            found.append((rows, of_rows))
        return found
