"""Which device shows what: the faces of every device of the site on the plant's banks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from facility.roles import DeviceRole
from facility.site import Device, Site
from simulator.plant.air_banks import air_bank, air_handler_bank
from simulator.plant.arrays import Floats, Indices
from simulator.plant.banks import Bank, Face
from simulator.plant.chiller_banks import chiller_bank, tower_bank
from simulator.plant.clock import StepClock
from simulator.plant.cooling import CoolingPlant
from simulator.plant.electrical import Electrical, uneven_shares, wire
from simulator.plant.flows import Flow
from simulator.plant.gpu_bank import GpuBank
from simulator.plant.grid import Grid
from simulator.plant.liquid_banks import cdu_bank, pump_bank
from simulator.plant.network import PowerNetwork
from simulator.plant.outlets import Outlets, outlet_shares, phase_shares
from simulator.plant.racks import Racks
from simulator.plant.serving import MODEL, Serving
from simulator.plant.topology import Topology
from simulator.plant.ups_bank import ups_bank
from simulator.plant.weather import OutdoorNow
from simulator.plant.workload import Workload

SUPPLY_V = 22_900 / 3**0.5
LOW_V = 415 / 3**0.5


@dataclass(frozen=True, slots=True)
class PduKind:
    """What a rack PDU feeds, and has."""

    outlets: int
    spread: float
    """How uneven the outlets' shares are."""
    humidity_sensor: str


SHELF_PDU = PduKind(outlets=6, spread=0.05, humidity_sensor="sensor.2")
SERVER_PDU = PduKind(outlets=24, spread=0.6, humidity_sensor="sensor.1")


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
    outdoor: OutdoorNow
    serving: Serving


class Instruments:
    """The site's devices, each with its faces, and the meters' registers behind them."""

    def __init__(
        self, site: Site, parts: PlantParts, rng: np.random.Generator, *, seed: int, gain: Floats
    ) -> None:
        self._parts = parts
        network, clock = parts.network, parts.clock
        self._ups = network.of_role(DeviceRole.UPS)
        self._flow = Flow(lambda: network.load, network.rated, gain, rng)
        exact = np.ones(self._ups.size)
        self._ups_input = Flow(
            lambda: network.input[self._ups], network.rated[self._ups], exact, rng
        )
        shares = uneven_shares(len(network.parts), rng)
        outlets = self._share_out_outlets(shares, rng)
        self._load = Electrical(clock, self._flow, wire(self._voltages(), shares, rng), parts.grid)
        ups_wiring = wire(np.full(self._ups.size, LOW_V), uneven_shares(self._ups.size, rng), rng)
        self._input = Electrical(clock, self._ups_input, ups_wiring, parts.grid)
        self._banks = self._role_banks()
        self._outlets = [
            (_places(rows), self._outlet_bank(kind, rows, share)) for kind, rows, share in outlets
        ]
        nodes = [node for rack in parts.topology.racks for node in rack.nodes]
        self._node_row = {node: row for row, node in enumerate(nodes)}
        accelerated = [rack.place for rack in parts.topology.racks if rack.nodes]
        self._server_row = {place: row for row, place in enumerate(accelerated)}
        self._gpus = GpuBank(clock, parts.racks, parts.workload, nodes, seed)
        self._air = air_bank(clock, parts.outdoor)
        self._devices = {device.id: device for device in site.devices}

    def faces(self, device: str) -> tuple[Face, ...]:
        """Faces of a device, in the order in which they answer; none for one unknown."""
        found = self._devices.get(device)
        return tuple(self._faces_of(found)) if found else ()

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
        if device.role is DeviceRole.INFERENCE_SERVER:
            if (served := self._server_row.get(device.place)) is not None:
                yield Face(self._parts.serving.bank, served, MODEL)
                yield Face(self._parts.serving.bank, served)
            return
        row = self._parts.network.index.get(device.id)
        if row is None:
            yield Face(self._air, 0)
            return
        if bank := self._banks.get(device.role):
            rows, columns = bank
            yield Face(columns, rows[row])
        yield Face(self._load.bank, row)
        if device.role is DeviceRole.RACK_PDU:
            yield Face(self._load.bank, row, "inlet.1")
            yield from (Face(bank, rows[row]) for rows, bank in self._outlets if row in rows)
        if device.role is DeviceRole.UPS:
            yield Face(self._load.bank, row, "output")
            yield Face(self._input.bank, _places(self._ups)[row], "input")

    def _role_banks(self) -> dict[DeviceRole, tuple[dict[int, int], Bank]]:
        clock, plant, outdoor = self._parts.clock, self._parts.cooling, self._parts.outdoor
        rows = {role: _places(rows) for role, rows in plant.rows.items()}
        return {
            DeviceRole.UPS: (_places(self._ups), ups_bank(clock, self._parts.network, self._ups)),
            DeviceRole.CDU: (rows[DeviceRole.CDU], cdu_bank(clock, plant)),
            DeviceRole.AIR_HANDLER: (rows[DeviceRole.AIR_HANDLER], air_handler_bank(clock, plant)),
            DeviceRole.PUMP: (rows[DeviceRole.PUMP], pump_bank(clock, plant)),
            DeviceRole.CHILLER: (rows[DeviceRole.CHILLER], chiller_bank(clock, plant, outdoor)),
            DeviceRole.COOLING_TOWER: (
                rows[DeviceRole.COOLING_TOWER],
                tower_bank(clock, plant, outdoor),
            ),
        }

    def _outlet_bank(self, kind: PduKind, rows: Indices, share: Floats) -> Bank:
        return Outlets(
            self._parts.clock,
            rows,
            share,
            self._flow,
            self._load,
            humidity_sensor=kind.humidity_sensor,
        ).bank

    def _voltages(self) -> Floats:
        high = (DeviceRole.UTILITY_METER, DeviceRole.GENERATOR_METER)
        roles = [part.role for part in self._parts.network.parts]
        return np.array([SUPPLY_V if role in high else LOW_V for role in roles])

    def _share_out_outlets(
        self, shares: Floats, rng: np.random.Generator
    ) -> list[tuple[PduKind, Indices, Floats]]:
        """Share out the PDUs' power over outlets, and set their phases' shares to the sums."""
        network = self._parts.network
        pdus = network.of_role(DeviceRole.RACK_PDU)
        with_gpus = {rack.place for rack in self._parts.topology.racks if rack.nodes}
        of_shelves = np.array([network.parts[row].place in with_gpus for row in pdus], bool)
        found = []
        for kind, rows in ((SHELF_PDU, pdus[of_shelves]), (SERVER_PDU, pdus[~of_shelves])):
            share = outlet_shares(rows.size, kind.outlets, kind.spread, rng)
            shares[rows] = phase_shares(share)
            found.append((kind, rows, share))
        return found


def _places(rows: Indices) -> dict[int, int]:
    """Place of each row of the power path in a bank."""
    return {row: place for place, row in enumerate(rows.tolist())}
