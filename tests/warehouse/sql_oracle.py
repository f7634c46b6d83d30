"""Energy from a register, once more and another way: a walk over all readings in plain Python.

It shares no line with the SQL and thins nothing, so what both give is what the rules say.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

HOUR_S = 3600.0


@dataclass(frozen=True)
class Meter:
    """The facts that a register's steps are judged by."""

    interval_s: float = 10
    power_limit_w: float = 1e6
    modulus_wh: float | None = None
    resolution_wh: float = 1


@dataclass(frozen=True)
class Step:
    """What flowed between two readings; `energy_wh` None: it cannot be told."""

    start_s: float
    end_s: float
    energy_wh: float | None
    is_measured: bool


@dataclass(frozen=True)
class Answer:
    energy_wh: float | None
    measured_s: float
    observed_s: float


def energy(
    readings: Iterable[tuple[float, float]], start_s: float, end_s: float, meter: Meter
) -> Answer:
    """Share the steps out over a window, evenly in time."""
    near = [r for r in readings if start_s - HOUR_S <= r[0] <= end_s + HOUR_S]
    total, measured, observed, any_energy = 0.0, 0.0, 0.0, False
    for step in steps(near, meter):
        length = step.end_s - step.start_s
        inside = min(step.end_s, end_s) - max(step.start_s, start_s)
        if inside <= 0:
            continue
        if step.energy_wh is not None:
            any_energy = True
            total += step.energy_wh * inside / length
        if step.is_measured:
            measured += inside
            observed += inside if length <= 3 * meter.interval_s else 0
    return Answer(total if any_energy else None, measured, observed)


def steps(readings: Iterable[tuple[float, float]], meter: Meter) -> list[Step]:
    """Judge what lies between readings, one after the other."""
    in_time = sorted(dict(sorted(readings, reverse=True)).items())  # of one time, the smallest
    found: list[Step] = []
    at = 0
    while at + 1 < len(in_time):
        if _shape(in_time, at, at + 1, meter) == "break":
            back = _comes_back(in_time, at, meter)
            to = at + 1 if back is None else back
        else:
            to = at + 1
        found.append(_step(in_time, at, to, meter))
        at = to
    return found


def _comes_back(r: list[tuple[float, float]], at: int, meter: Meter) -> int | None:
    """Where the register goes on from where it was: right after the next break, or nowhere."""
    for later in range(at + 1, len(r) - 1):
        if _shape(r, later, later + 1, meter) in ("break", "late"):
            rise = r[later + 1][1] - r[at][1]
            return later + 1 if 0 <= rise <= _most(r, at, later + 1, meter) else None
    return None


def _step(r: list[tuple[float, float]], at: int, to: int, meter: Meter) -> Step:
    (start_s, before), (end_s, after) = r[at], r[to]
    if to > at + 1 or _shape(r, at, to, meter) in ("plain", "late"):
        return Step(start_s, end_s, after - before, is_measured=True)
    if _shape(r, at, to, meter) == "rollover":
        assert meter.modulus_wh is not None
        return Step(start_s, end_s, after + meter.modulus_wh - before, is_measured=True)
    from_zero = after < before and after <= _most(r, at, to, meter)
    return Step(start_s, end_s, after if from_zero else None, is_measured=False)


def _shape(r: list[tuple[float, float]], at: int, to: int, meter: Meter) -> str:
    before, after, most = r[at][1], r[to][1], _most(r, at, to, meter)
    if 0 <= after - before <= _bound(r[to][0] - r[at][0], after, meter):
        return "plain"
    if 0 <= after - before <= most:
        return "late"
    if meter.modulus_wh is not None and 0 <= after + meter.modulus_wh - before <= most:
        return "rollover"
    if after > most and -most <= after - before < 0:
        return "plain"
    return "break"


def _most(r: list[tuple[float, float]], at: int, to: int, meter: Meter) -> float:
    since = at
    while since > 0 and r[since - 1][1] == r[at][1]:
        since -= 1
    return _bound(r[to][0] - r[since][0], r[to][1], meter)


def _bound(duration_s: float, shown_wh: float, meter: Meter) -> float:
    slack = meter.resolution_wh + shown_wh * 2**-23
    return 1.2 * meter.power_limit_w * duration_s / 3600 + slack
