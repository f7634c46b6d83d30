"""A simulated data centre: physics over arrays, one step after another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

import numpy as np

from facility.roles import DeviceRole
from facility.site import Site
from simulator.plant.accounts import Accounts
from simulator.plant.banks import Cell, find_cell
from simulator.plant.clock import StepClock
from simulator.plant.cooling import CoolingPlant
from simulator.plant.grid import Grid
from simulator.plant.history import TruthHistory
from simulator.plant.instruments import Instruments, PlantParts
from simulator.plant.meter_faults import MeterFault, gain_of
from simulator.plant.network import PowerNetwork
from simulator.plant.panel import Panel
from simulator.plant.racks import Racks
from simulator.plant.serving import Serving
from simulator.plant.topology import read_topology
from simulator.plant.weather import Climate, Weather
from simulator.plant.workload import Workload
from simulator.truth import Truth

OTHER_LOAD_RATIO = 0.010
"""Lighting, offices and security over the racks' full power."""
OFFICE_HOURS = (8.0, 19.0)
TENSOR = 1


class Plant:
    """The plant of a site: racks, power path, cooling, weather, all driven by one seed.

    Time runs on a grid of `step_s` from `start_at`. Powers are constant within a step and energies
    linear, so every register has one value at any moment and never falls. How `advance` is called
    changes nothing: the same seed, start and step give the same plant.
    """

    def __init__(
        self,
        site: Site,
        *,
        seed: int,
        start_at: float,
        step_s: float = 1.0,
        remembered_steps: int = 20_000,
        climate: Climate | None = None,
        metering_error: bool = False,
        meter_faults: Sequence[MeterFault] = (),
    ) -> None:
        """Build the plant at the Unix time `start_at`; its truth is kept for `remembered_steps`.

        With `metering_error`, every meter has an error of its own, fixed, within its class;
        `meter_faults` says which are wired or set up wrongly.

        Raises:
            ConfigError: the power path has a loop or a source that is not there, or a meter fault
                is of no part of it.
        """
        rng = np.random.default_rng(seed)
        topology = read_topology(site)
        self.clock = StepClock(start_at, step_s)
        self.network = PowerNetwork(topology.parts, rng)
        self.racks = Racks(topology.racks, rng)
        self.workload = Workload(
            self.racks.accelerated.size, self.racks.ordinary.size, start_at, rng
        )
        self.serving = Serving(self.clock, self.racks.gpus, self.workload)
        self.weather = Weather(climate or Climate(), ZoneInfo(site.time_zone), rng)
        places = [rack.place for rack in topology.racks]
        self.cooling = CoolingPlant(self.network, places, self.racks.heat(self.racks.full_w))
        self._rack_rows = np.array([self.network.index[r.part] for r in topology.racks], np.intp)
        self._others = self.network.of_role(DeviceRole.OTHER_LOAD_METER)
        self._other_w = OTHER_LOAD_RATIO * float(self.racks.full_w.sum()) / self._others.size
        self.own_w = np.zeros(len(self.network.parts))
        """What each part itself consumes."""
        transformers = self.network.of_role(DeviceRole.TRANSFORMER)
        self._indoors = np.setdiff1d(np.arange(self.own_w.size), transformers)
        self._rate_network()
        self._accounts = Accounts(self.network, topology.racks)
        self._grid = Grid(rng)
        parts = PlantParts(
            self.clock,
            topology,
            self.network,
            self.racks,
            self.workload,
            self.cooling,
            self._grid,
            lambda: self._outdoor,
            self.serving,
        )
        gain = _meter_gains(site, self.network, rng, metering_error=metering_error)
        gain *= gain_of(meter_faults, self.network.index)
        self._instruments = Instruments(site, parts, rng, seed=seed, gain=gain)
        self._cells: dict[tuple[str, str, str], Cell | None] = {}
        self._history = TruthHistory(self.clock, remembered_steps)
        self._begin_step()

    def advance(self, to: float) -> None:
        """Let the plant live until the Unix time `to`; a time already past changes nothing."""
        last = self.clock.step_of(to)
        while self.clock.step < last:
            self._end_step()
            self.clock.step += 1
            self._begin_step()
        self.clock.now = max(self.clock.now, to)

    def value(self, device: str, component: str, quantity: str) -> float | None:
        """Return a quantity now, in the catalogue's unit; None where the device has it not."""
        key = (device, component, quantity)
        if key not in self._cells:
            faces = self._instruments.faces(device)
            self._cells[key] = find_cell(faces, component, quantity)
        cell = self._cells[key]
        return cell[0].at(cell[1]) if cell else None

    def panel(self, devices: Iterable[tuple[str, Iterable[tuple[str, str]]]]) -> Panel:
        """Return a panel of the (component, quantity) points of each device, in order."""
        cells: list[Cell | None] = []
        for device, points in devices:
            faces = self._instruments.faces(device)
            cells += [find_cell(faces, component, quantity) for component, quantity in points]
        return Panel(cells)

    def components(self, device: str) -> tuple[str, ...]:
        """Return the components that a device has, the device itself ("") among them."""
        faces = self._instruments.faces(device)
        return tuple(dict.fromkeys(name for face in faces for name in face.components()))

    @property
    def gpu_count(self) -> int:
        """GPUs in all racks."""
        return self.racks.gpus.count

    def truth(self, at: float) -> Truth:
        """Return the exact energies from the plant's start up to a Unix time.

        Raises:
            ValueError: the moment has not come yet, or is forgotten.
        """
        return self._history.at(at)

    def _begin_step(self) -> None:
        moment, step_s = self.clock.step_at, self.clock.step_s
        self._outdoor = outdoor = self.weather.at(moment)
        self._grid.step(step_s)
        self.workload.step(moment, step_s, outdoor.local_hour)
        coolant_c = self.cooling.rack_coolant_c[self.racks.accelerated]
        self.racks.step(self.workload.activity, self.workload.servers, coolant_c, step_s)
        heat = self.racks.heat(self.racks.ac_w)
        self.cooling.step(heat, self._loss_w(), outdoor, step_s)
        self._consume(self.racks.ac_w, outdoor.local_hour)
        self.network.solve(self.own_w)
        self._instruments.begin_step()
        tensor = self.workload.activity[TENSOR]
        self._history.begin_step(self._accounts.power_w(self.own_w, self.racks, tensor))

    def _end_step(self) -> None:
        self.racks.gpus.account(self.clock.step_s)
        self.serving.account(self.clock.step_s)
        self._instruments.end_step(self.clock.step_s)

    def _consume(self, racks_w: np.ndarray, local_hour: float) -> None:
        self.own_w[self._rack_rows] = racks_w
        self.cooling.own_power(self.own_w)
        busy = OFFICE_HOURS[0] <= local_hour < OFFICE_HOURS[1]
        self.own_w[self._others] = self._other_w * (1.0 if busy else 0.6)

    def _loss_w(self) -> float:
        """Losses that warmed the halls in the step before."""
        return float((self.network.drawn - self.network.load)[self._indoors].sum())

    def _rate_network(self) -> None:
        """Size the power path for all racks and all cooling at full power."""
        self._consume(self.racks.full_w, OFFICE_HOURS[0])
        self.cooling.full_power(self.own_w)
        self.network.rate(self.own_w)


def _meter_gains(
    site: Site, network: PowerNetwork, rng: np.random.Generator, *, metering_error: bool
) -> np.ndarray:
    """Factor by which each part's meter is wrong."""
    gain = np.ones(len(network.parts))
    errors = rng.uniform(-0.01, 0.01, len(site.meters))
    if metering_error:
        for meter, error in zip(site.meters, errors, strict=True):
            gain[network.index[meter.device]] += error * meter.accuracy_class
    return gain
