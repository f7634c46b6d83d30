"""All of `pue`, once more and another way: plain Python over the walk of `sql_oracle`.

Windows are longer than an hour, so that what may have flowed at their edges is between nothing and
the meter's limit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import sql_oracle

Terms = Sequence[tuple[str, int]]
"""Role, and +1 or -1."""


@dataclass(frozen=True)
class Counted:
    """A meter, its readings, and what is known of it."""

    name: str
    role: str
    readings: Mapping[float, float]
    accuracy_class: float = 0.5
    facts: sql_oracle.Meter = field(default_factory=sql_oracle.Meter)


@dataclass(frozen=True)
class Total:
    energy_wh: float
    accuracy_wh: float
    limit_wh: float
    resolution_wh: float
    coverage_ratio: float
    missing: frozenset[str]
    has_all_roles: bool


@dataclass(frozen=True)
class Answer:
    e_dc_kwh: float
    e_it_kwh: float
    pue_ratio: float | None
    accuracy_band_ratio: float | None
    resolution_band_ratio: float | None
    coverage_ratio: float
    missing: frozenset[str]


def pue(
    meters: Sequence[Counted],
    e_dc: Terms,
    e_it: Terms,
    start_s: float,
    end_s: float,
    *,
    minimum_coverage: float,
) -> Answer:
    dc = _total(meters, e_dc, start_s, end_s, minimum_coverage)
    it = _total(meters, e_it, start_s, end_s, minimum_coverage)
    coverage = min(dc.coverage_ratio, it.coverage_ratio)
    missing = dc.missing | it.missing
    is_known = (
        dc.has_all_roles
        and it.has_all_roles
        and not missing
        and coverage >= minimum_coverage
        and it.energy_wh > 0
    )
    ratio = dc.energy_wh / it.energy_wh if is_known else None
    accuracy = resolution = None
    if ratio is not None:
        likely = math.hypot(dc.accuracy_wh / dc.energy_wh, it.accuracy_wh / it.energy_wh)
        farthest = (dc.energy_wh + dc.limit_wh) / (it.energy_wh - it.limit_wh)
        accuracy = min(math.sqrt(3) * likely * ratio, farthest - ratio)
        most = (dc.energy_wh + dc.resolution_wh) / (it.energy_wh - it.resolution_wh)
        resolution = most - ratio
    return Answer(
        dc.energy_wh / 1000,
        it.energy_wh / 1000,
        ratio,
        accuracy,
        resolution,
        coverage,
        missing,
    )


def _total(
    meters: Sequence[Counted], terms: Terms, start_s: float, end_s: float, minimum: float
) -> Total:
    span = end_s - start_s
    energies, limits, resolutions, coverages = [], [], [], []
    missing = set()
    has_all = True
    for role, sign in terms:
        answers = [
            (meter, sql_oracle.energy(meter.readings.items(), start_s, end_s, meter.facts))
            for meter in meters
            if meter.role == role
        ]
        has_all = has_all and bool(answers)
        for meter, answer in answers:
            if answer.measured_s / span < minimum:
                missing.add(meter.name)
            if answer.energy_wh is not None:
                energies.append(sign * answer.energy_wh)
                limits.append(meter.accuracy_class / 100 * abs(answer.energy_wh))
            resolutions.append(_resolution(meter, answer, start_s, end_s))
        coverages.append(
            sum(answer.observed_s for _, answer in answers) / span / len(answers) if answers else 0
        )
    return Total(
        math.fsum(energies),
        math.hypot(*limits),
        math.fsum(limits),
        math.fsum(resolutions),
        min(coverages),
        frozenset(missing),
        has_all,
    )


def _resolution(meter: Counted, answer: sql_oracle.Answer, start_s: float, end_s: float) -> float:
    """The register's step, the two edges, and the most that can have flowed while not measured."""
    near = [
        reading
        for reading in meter.readings.items()
        if start_s - sql_oracle.HOUR_S <= reading[0] <= end_s + sql_oracle.HOUR_S
    ]
    at_start, at_end = (0.0, 0.0), (0.0, 0.0)
    for step in sql_oracle.steps(near, meter.facts):
        if step.start_s < start_s < step.end_s:
            at_start = _edge(step, start_s - step.start_s, meter.facts.power_limit_w)
        if step.start_s < end_s < step.end_s:
            at_end = _edge(step, end_s - step.start_s, meter.facts.power_limit_w)
    edges = max(at_end[1] - at_start[0], at_start[1] - at_end[0])
    unmeasured = meter.facts.power_limit_w * (end_s - start_s - answer.measured_s) / 3600
    return meter.facts.resolution_wh + edges + unmeasured


def _edge(step: sql_oracle.Step, elapsed_s: float, limit_w: float) -> tuple[float, float]:
    """How far below and above the linear share what flowed until the edge can be."""
    if step.energy_wh is None:
        return 0.0, 0.0
    length = step.end_s - step.start_s
    share = step.energy_wh * elapsed_s / length
    ends = (
        max(0.0, step.energy_wh - limit_w * (length - elapsed_s) / 3600),
        min(limit_w * elapsed_s / 3600, step.energy_wh),
    )
    return min(ends) - share, max(ends) - share
