"""The cooling plant: liquid and air heat, through CDUs and air handlers, to chillers and towers.

CDUs give the racks' liquid heat to warm facility water, which towers cool directly; chillers trim
it when the air outside is too warm. Air handlers give the rest to chilled water, which towers cool
as far as the weather allows (free cooling) and chillers for the remainder.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facility.roles import DeviceRole
from facility.site import Place
from simulator.plant.arrays import Floats
from simulator.plant.chillers import RISE_K, Chillers
from simulator.plant.movers import AIR_HANDLERS, CDU_PUMPS, FACILITY_PUMPS, Movers
from simulator.plant.network import PowerNetwork
from simulator.plant.noise import approach
from simulator.plant.served import Served
from simulator.plant.thermal import fan_law_w, tower_fan_speed
from simulator.plant.weather import Outdoor

SIZING = 1.15
"""Design heat of a unit over the largest planned."""
WARM_WATER_C = 30.0
"""Set-point of facility water to the CDUs."""
EXCHANGER_K = 2.0
CDU_APPROACH_K = 5.0
TOWER_APPROACH_K = 4.0
TOWER_POWER_RATIO = 0.022
"""Fan power at full speed over design heat."""
COLDEST_TOWER_C = 12.0
LARGEST_TRIM = 0.5
"""Share of the liquid heat that the chillers are sized to trim."""
PLANNED_COP = 5.0
LIQUID_TAU_S, AIR_TAU_S, TOWER_TAU_S = 25.0, 240.0, 180.0


@dataclass(frozen=True, slots=True)
class RackHeat:
    """Heat of each rack, in W."""

    liquid: Floats
    air: Floats


class CoolingPlant:
    """State of all cooling equipment; `own_power` is what each unit draws now."""

    def __init__(self, network: PowerNetwork, racks: list[Place], planned: RackHeat) -> None:
        self.rows = {
            role: network.of_role(role)
            for role in (
                DeviceRole.CDU,
                DeviceRole.AIR_HANDLER,
                DeviceRole.PUMP,
                DeviceRole.COOLING_TOWER,
                DeviceRole.CHILLER,
            )
        }
        places = {
            role: [network.parts[row].place for row in rows] for role, rows in self.rows.items()
        }
        self.cdu_racks = Served(racks, places[DeviceRole.CDU])
        self.air_racks = Served(racks, places[DeviceRole.AIR_HANDLER])
        liquid, air = float(planned.liquid.sum()), float(planned.air.sum()) * SIZING
        total = max(SIZING * (liquid + air), 1.0)
        pumps, towers = self.rows[DeviceRole.PUMP].size, self.rows[DeviceRole.COOLING_TOWER].size
        self.cdus = Movers(CDU_PUMPS, SIZING * self.cdu_racks.heat(planned.liquid))
        self.air_handlers = Movers(AIR_HANDLERS, SIZING * self.air_racks.heat(planned.air))
        self.pumps = Movers(FACILITY_PUMPS, np.full(pumps, total / pumps))
        self.chillers = Chillers(
            self.rows[DeviceRole.CHILLER].size, SIZING * (air + LARGEST_TRIM * liquid)
        )
        self.tower_design_w = total
        self._tower_rated_w = np.full(towers, TOWER_POWER_RATIO * total / towers)
        self.tower_speed, self.tower_power_w = 0.2, np.zeros(towers)
        self._heat = RackHeat(0.4 * planned.liquid, 0.6 * planned.air)
        self._tower_water = np.array([20.0])
        self.free_cooling = self.trim = 0.0
        self.air_heat_w = self.rejected_w = 0.0

    def step(self, heat: RackHeat, indoor_loss_w: float, outdoor: Outdoor, step_s: float) -> None:
        """Go on by a step, given each rack's heat and the losses that warm the halls."""
        approach(self._heat.liquid, heat.liquid, LIQUID_TAU_S, step_s)
        approach(self._heat.air, heat.air, AIR_TAU_S, step_s)
        self.cdus.step(self.cdu_racks.heat(self._heat.liquid))
        warmth = self.air_racks.heat(self._heat.air) + self.air_handlers.power_w
        self.air_handlers.step(warmth + indoor_loss_w / warmth.size)
        liquid_w = float(self.cdus.heat_w.sum() + self.cdus.power_w.sum())
        self.air_heat_w = float(self.air_handlers.heat_w.sum())
        self.pumps.step(
            np.full(self.pumps.heat_w.size, (liquid_w + self.air_heat_w) / self.pumps.heat_w.size)
        )
        self._reject(liquid_w, outdoor, step_s)

    def _reject(self, liquid_w: float, outdoor: Outdoor, step_s: float) -> None:
        free_c = self.tower_water_c + EXCHANGER_K
        self.trim = float(np.clip((free_c - WARM_WATER_C) / FACILITY_PUMPS.rise_k, 0.0, 1.0))
        chilled_return_c = self.chilled_return_c
        span = max(chilled_return_c - self.chillers.supply_c, 0.1)
        self.free_cooling = float(np.clip((chilled_return_c - free_c) / span, 0.0, 1.0))
        chilled_w = self.air_heat_w * (1 - self.free_cooling) + liquid_w * self.trim
        self.chillers.step(chilled_w, self.tower_water_c)
        self.rejected_w = liquid_w + self.air_heat_w + self.chillers.compressor_w
        heat_ratio = self.rejected_w / self.tower_design_w
        target_c = max(outdoor.wet_bulb_c + TOWER_APPROACH_K, COLDEST_TOWER_C)
        self.tower_speed = tower_fan_speed(
            heat_ratio, target_c - outdoor.wet_bulb_c, TOWER_APPROACH_K
        )
        reached_c = outdoor.wet_bulb_c + TOWER_APPROACH_K * heat_ratio / self.tower_speed
        target = np.array([max(reached_c, COLDEST_TOWER_C)])
        approach(self._tower_water, target, TOWER_TAU_S, step_s)
        speed = np.full(self._tower_rated_w.size, self.tower_speed)
        self.tower_power_w = fan_law_w(self._tower_rated_w, speed)

    @property
    def tower_water_c(self) -> float:
        """Water leaving the towers, towards the condensers."""
        return float(self._tower_water[0])

    @property
    def facility_supply_c(self) -> float:
        """Water to the CDUs: kept at its set-point, by mixing or by the chillers' trim."""
        free_c = self.tower_water_c + EXCHANGER_K
        return max(WARM_WATER_C, free_c - self.trim * FACILITY_PUMPS.rise_k)

    @property
    def chilled_return_c(self) -> float:
        """Chilled water coming back: warmer, the more heat there is to carry."""
        carried = self.air_heat_w / float(self.air_handlers.design_heat_w.sum())
        return self.chillers.supply_c + RISE_K * float(np.clip(carried, 0.3, 1.2))

    @property
    def rack_coolant_c(self) -> Floats:
        """Fluid that the CDUs supply to each rack."""
        return self.cdu_racks.mean(self.cdu_supply_c)

    @property
    def cdu_supply_c(self) -> Floats:
        """Secondary fluid out of each CDU: facility water plus an approach that grows with heat."""
        return self.facility_supply_c + CDU_APPROACH_K * self.cdus.load_ratio

    def full_power(self, own: Floats) -> None:
        """Write the most that each unit can draw (W) to its row."""
        for role, movers in (
            (DeviceRole.CDU, self.cdus),
            (DeviceRole.AIR_HANDLER, self.air_handlers),
            (DeviceRole.PUMP, self.pumps),
        ):
            own[self.rows[role]] = movers.design.power_ratio * movers.design_heat_w
        own[self.rows[DeviceRole.COOLING_TOWER]] = self._tower_rated_w
        own[self.rows[DeviceRole.CHILLER]] = self.chillers.capacity_w / PLANNED_COP

    def own_power(self, own: Floats) -> None:
        """Write each unit's electric power (W) to its row."""
        own[self.rows[DeviceRole.CDU]] = self.cdus.power_w
        own[self.rows[DeviceRole.AIR_HANDLER]] = self.air_handlers.power_w
        own[self.rows[DeviceRole.PUMP]] = self.pumps.power_w
        own[self.rows[DeviceRole.COOLING_TOWER]] = self.tower_power_w
        own[self.rows[DeviceRole.CHILLER]] = self.chillers.power_w
