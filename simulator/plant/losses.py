"""What is lost on the way from the utility meter to the chip, as per-unit curves by role.

Sources of the figures: reference efficiencies of each stage, main transformer 99.5-99.7 %, unit
substation 99.1 %, UPS 97 % (97.5 % at best), LV and busway 99.3 %, rack power shelf 97.2 % (97.5 %
at half load).
"""

from __future__ import annotations

from dataclasses import dataclass

from facility.roles import DeviceRole


@dataclass(frozen=True, slots=True)
class LossCurve:
    """Loss over rating by load over rating x: no_load + proportional x + square x²."""

    no_load: float = 0.0
    proportional: float = 0.0
    square: float = 0.0

    def loss_ratio(self, load_ratio: float) -> float:
        """Loss over rating at a load over rating."""
        return self.no_load + (self.proportional + self.square * load_ratio) * load_ratio


@dataclass(frozen=True, slots=True)
class Rating:
    """A part's loss curve, and its rating over its largest planned load."""

    curve: LossCurve
    margin: float = 1.0


LOSSLESS = Rating(LossCurve())

RATINGS: dict[DeviceRole | None, Rating] = {
    DeviceRole.UPS: Rating(LossCurve(0.006, 0.012, 0.010), margin=1 / 0.75),
    DeviceRole.TRANSFORMER: Rating(LossCurve(0.0012, 0.0, 0.0070), margin=1 / 0.8),
}
"""Losses inside a part, between its input and its output."""

CABLE_LOSS: dict[DeviceRole | None, float] = {
    DeviceRole.PDU_OUTPUT_METER: 0.005,
    DeviceRole.RACK_PDU: 0.002,
    DeviceRole.POWER_SHELF: 0.002,
    DeviceRole.UPS: 0.002,
    DeviceRole.UPS_OUTPUT_METER: 0.0,
    DeviceRole.OTHER_LOAD_METER: 0.0,
    DeviceRole.COOLING_METER: 0.0,
    None: 0.0,
}
"""I²R loss in the cable or busway that feeds a part, over its power, at its largest planned load.

A UPS output meter sits on the UPS's terminals, so nothing is lost before it.
"""

OTHER_CABLE_LOSS = 0.001

POWER_SHELF = Rating(LossCurve(0.003, 0.0136, 0.012), margin=2.0)
"""Rack shelf, 415 V AC to 50 V DC, N+N: runs at half its rating, where it is best."""

SERVER_SUPPLY = Rating(LossCurve(0.008, 0.030, 0.016), margin=2.0)
"""The supplies of ordinary servers."""
