"""Outdoor air: a smooth function of time, so that any step size sees the same weather."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

DAY_S = 86400.0
YEAR_S = 365.2425 * DAY_S


@dataclass(frozen=True, slots=True)
class Climate:
    """Wet bulb over the year and the day, in °C; the defaults are like Seoul's."""

    mean_c: float = 9.5
    seasonal_c: float = 13.5
    diurnal_c: float = 2.0
    synoptic_c: float = 2.5
    """Weather that comes and goes over days."""
    warmest_day: float = 213.0
    coldest_c: float = -18.0
    warmest_c: float = 28.0


@dataclass(frozen=True, slots=True)
class Outdoor:
    """The air outside at one moment."""

    wet_bulb_c: float
    dry_bulb_c: float
    local_hour: float


OutdoorNow = Callable[[], Outdoor]


class Weather:
    """The outdoor air of one site, by its climate and a seed."""

    def __init__(self, climate: Climate, zone: ZoneInfo, rng: np.random.Generator) -> None:
        self._climate = climate
        self._zone = zone
        self._waves = [
            (2 * math.pi / (days * DAY_S), phase)
            for days, phase in zip(
                rng.uniform(1.7, 9.0, 4), rng.uniform(0, 2 * math.pi, 4), strict=True
            )
        ]

    def at(self, moment: float) -> Outdoor:
        """Return the air at a Unix time."""
        climate = self._climate
        local = datetime.fromtimestamp(moment, self._zone)
        hour = local.hour + local.minute / 60 + (local.second + local.microsecond / 1e6) / 3600
        season = math.cos(
            2 * math.pi * (moment / YEAR_S % 1 - climate.warmest_day * DAY_S / YEAR_S)
        )
        day = math.cos(2 * math.pi * (hour - 15) / 24)
        synoptic = sum(math.sin(rate * moment + phase) for rate, phase in self._waves) / 2
        wet_bulb = (
            climate.mean_c
            + climate.seasonal_c * season
            + climate.diurnal_c * day
            + climate.synoptic_c * synoptic
        )
        wet_bulb = min(max(wet_bulb, climate.coldest_c), climate.warmest_c)
        depression = 1.5 + 1.5 * (1 + day) + 0.08 * max(wet_bulb, 0.0)
        return Outdoor(wet_bulb, wet_bulb + depression, hour)
