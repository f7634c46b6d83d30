"""Laws of pumps, fans, chillers and towers; pure functions of arrays or floats.

Sources: affinity laws (flow ~ speed, power ~ speed³); heat carried by water, 4.18 kJ/(kg K), by a
quarter propylene glycol, by air of 1.2 kg/m³; a chiller's COP as a fixed share of Carnot's.
"""

from __future__ import annotations

import numpy as np

from simulator.plant.arrays import Floats

WATER_W_PER_LPM_K = 69.7
GLYCOL_W_PER_LPM_K = 66.0
AIR_W_PER_LPS_K = 1.206
KELVIN = 273.15

CARNOT_SHARE = 0.52
SMALLEST_LIFT_K = 12.0
REFRIGERANT_APPROACH_K = 2.0
"""Between refrigerant and water, in the evaporator and in the condenser."""


def fan_law_w(rated_w: Floats, speed_ratio: Floats) -> Floats:
    """Power of a pump or fan at a speed over its full speed: the cube of it."""
    return rated_w * speed_ratio**3


def chiller_cop(evaporator_c: float, condenser_c: float, load_ratio: float) -> float:
    """Heat removed over compressor power.

    Args:
        evaporator_c: water leaving the evaporator, °C.
        condenser_c: water leaving the condenser, °C.
        load_ratio: load over capacity; best at 0.7.
    """
    cold = evaporator_c - REFRIGERANT_APPROACH_K + KELVIN
    lift = max(condenser_c + REFRIGERANT_APPROACH_K + KELVIN - cold, SMALLEST_LIFT_K)
    part_load = 1 - 0.35 * (load_ratio - 0.7) ** 2
    return CARNOT_SHARE * part_load * cold / lift


def tower_fan_speed(heat_ratio: float, approach_k: float, design_approach_k: float) -> float:
    """Fan speed that cools a heat (over design) to an approach to wet bulb; 0.2 to 1."""
    return float(np.clip(design_approach_k * heat_ratio / max(approach_k, 0.1), 0.2, 1.0))
