"""A site that has what every rule of the pack watches, and a way to play readings to one rule."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from alerts.board import Board
from alerts.offers import Offers
from alerts.rule_file import load_pack
from alerts.samples import Samples
from alerts.selection import resolve
from alerts.watch import SeriesKey
from collectors.profile_library import load_profile
from facility.alert import Transition
from facility.alert_settings import Alerts
from facility.site import Device, Feed, Meter, Place, Site

STEP_US = 60_000_000
T0 = 1_790_000_000_000_000

DEVICES = {
    "utility": ("schneider-pm5000", "utility_meter"),
    "feeder": ("eastron-sdm630", "feeder_meter"),
    "tap-a": ("schneider-pm5000", "pdu_output_meter"),
    "tap-b": ("schneider-pm5000", "pdu_output_meter"),
    "pdu-a": ("raritan-px3", "rack_pdu"),
    "pdu-b": ("raritan-px3", "rack_pdu"),
    "node": ("nvidia-dcgm-exporter", "gpu_node"),
    "motors": ("schneider-pm5000", "cooling_meter"),
    "transformer": ("entity-sensor-rfc3433", "transformer"),
    "ups": ("vertiv-liebert-apm", "ups"),
    "ups-rfc1628": ("ups-rfc1628", "ups"),
    "ups-apc": ("apc-ups", "ups"),
    "ups-cyberpower": ("cyberpower-ups", "ups"),
    "ups-eaton": ("eaton-ups", "ups"),
    "ups-huawei": ("huawei-ups", "ups"),
    "ups-socomec": ("socomec-netvision", "ups"),
    "ups-tripplite": ("tripplite-modbuscard", "ups"),
    "cdu": ("ocp-orv3-rpu", "cdu"),
    "crac": ("vertiv-liebert-crac", "air_handler"),
    "in-row": ("apc-inrow-rc", "air_handler"),
    "air": ("vertiv-liebert-icom", "air_handler"),
    "door": ("vertiv-liebert-dcd", "air_handler"),
    "chiller": ("vertiv-liebert-hpc", "chiller"),
    "psu": ("ocp-orv3-psu", "power_shelf"),
    "water": ("of-the-site", "environment"),
}
WATER = tuple(("", name) for name in ("conductivity_us_cm", "ph", "level_ratio"))
SHOWN = [
    *(("node", f"gpu.{n}", q) for n in range(20) for q in (
        "gpu_temperature_margin_c", "clock_event_reasons_code", "power_violation_s",
        "thermal_violation_s", "xid_error_code", "row_remap_failure_state")),
    *((pdu, "inlet.1", q) for pdu in ("pdu-a", "pdu-b")
      for q in ("active_power_w", "energy_imported_wh")),
    *((pdu, f"inlet.1/phase.{n}", "current_a") for pdu in ("pdu-a", "pdu-b") for n in (1, 2, 3)),
    ("pdu-a", "breaker.1", "breaker_closed_state"),
    ("transformer", "sensor.1", "temperature_c"),
    ("ups-rfc1628", "output/phase.1", "load_ratio"),
]  # fmt: skip
SITE_VALUES = {
    "nominal_voltage_v": 230, "nominal_frequency_hz": 60, "current_rating_a": 100,
    "rack_budget_w": 140_000, "ramp_limit_w_per_minute": 1e6, "transformer_trip_c": 150,
    "ups_redundant_load_ratio": 0.75, "cdu_setpoint_c": 30, "cdu_design_flow_lpm": 1000,
    "cdu_minimum_head_kpa": 100, "loop_pressure_kpa": 300, "design_approach_k": 4,
    "conductivity_limit_us_cm": 1000, "ph_lowest": 7, "ph_highest": 9, "level_lowest_ratio": 0.3,
}  # fmt: skip
FEEDS = [
    ("utility", "tap-a"), ("utility", "tap-b"), ("tap-a", "pdu-a"), ("tap-b", "pdu-b"),
    ("pdu-a", "node"), ("pdu-b", "node"),
]  # fmt: skip

Value = float | Callable[[int], float]
Readings = Mapping[SeriesKey, Value]


def site() -> Site:
    place = Place(hall="hall-1", rack="rack-1")
    return Site(
        name="of the pack",
        devices=tuple(
            Device(
                id=name, profile=profile, role=role, address="snmp://127.0.0.1", place=place,
                interval_seconds=60,
            )
            for name, (profile, role) in DEVICES.items()
        ),
        feeds=tuple(Feed(source=source, target=target) for source, target in FEEDS),
        meters=tuple(
            Meter(id=name, device=name, role="feeder", max_power_kw=100)
            for name in ("tap-a", "tap-b", "pdu-a", "pdu-b", "feeder")
        ),
        alerts=Alerts.model_validate({"site_values": SITE_VALUES}),
    )  # fmt: skip


def offers() -> Offers:
    profiles = {profile for profile, _ in DEVICES.values()} - {"of-the-site"}
    promised = {
        name: tuple((point.component, point.quantity) for point in load_profile(name).points)
        for name in profiles
    }
    return Offers(promised | {"of-the-site": WATER}).with_shown(SHOWN)


class PackPlayer:
    """One rule and those that may explain it, fed a reading of each series a minute."""

    def __init__(self, name: str) -> None:
        pack = {placed.rule.name: placed for placed in load_pack()}
        self.rule = pack[name].rule
        named = {name, *(each.rule for each in self.rule.suppress_when if each.rule)}
        chosen = [placed for placed in load_pack() if placed.rule.name in named]
        table = resolve(chosen, site(), offers()).table
        self._number = {key: number for number, key in enumerate(table.series)}
        self.board = Board(table, FEEDS)
        self.board.start((), T0)
        self.now = T0
        self._minute = 0
        delays = self.rule.on_delay_seconds + self.rule.off_delay_seconds
        windows = (int(table.window_us.max(initial=0)) + int(table.stale_after_us.max())) / 1e6
        self.minutes = math.ceil((delays + windows) / 60) + 3
        """After which every delay and window has passed."""

    def play(self, readings: Readings, device: str) -> list[Transition]:
        """Give the transitions of the rule at a device."""
        told: list[Transition] = []
        for _ in range(self.minutes):
            self.now += STEP_US
            self._minute += 1
            values = {
                self._number[key]: float(value(self._minute) if callable(value) else value)
                for key, value in readings.items()
            }
            samples = Samples(
                np.array(list(values), np.int32),
                np.full(len(values), self.now),
                np.array(list(values.values())),
                np.zeros(len(values), np.bool_),
            )
            told += self.board.take(samples, self.now, self.now)
            told += self.board.tick(self.now, self.now)
        return [made for made in told if (made.rule, made.device) == (self.rule.name, device)]
