"""Whether the values of one reading can all be true together. Pure.

By the definition of the quantities (IEC 60050-131): P <= S, S = V I in each phase, power factor =
P / S, and a total is the sum of its phases. Readings of one poll are some milliseconds apart and
have steps, so small differences are allowed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

TOLERANCE = 0.1
"""Of two powers that should be equal, and of two power factors (displacement or true)."""
SLACK_VA = 25.0
"""0.1 A at 230 V: what a coarse current register leaves open."""
LEAST_VA_FOR_FACTOR = 250.0
PHASES = 3

Rows = Mapping[str, tuple[int, float]]
"""Of one component: row and value by quantity."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Rows that cannot all be true, and why."""

    rows: tuple[int, ...]
    text: str


def contradictions(parts: Mapping[str, Rows]) -> Iterator[Contradiction]:
    """Every contradiction among the values of a device, by its components."""
    for component, rows in parts.items():
        yield from _powers(rows)
        yield from _voltage_times_current(component, rows)
        yield from _sum_of_phases(component, parts)


def _powers(rows: Rows) -> Iterator[Contradiction]:
    """Active power is at most the apparent, and their ratio the power factor."""
    if "active_power_w" not in rows or "apparent_power_va" not in rows:
        return
    (row_p, active), (row_s, apparent) = rows["active_power_w"], rows["apparent_power_va"]
    if abs(active) > apparent * (1 + TOLERANCE) + SLACK_VA:
        text = f"active power {active:,.4g} W is above apparent power {apparent:,.4g} VA"
        yield Contradiction((row_p, row_s), text)
    elif "power_factor_ratio" in rows and apparent >= LEAST_VA_FOR_FACTOR:
        row_f, factor = rows["power_factor_ratio"]
        ratio = abs(active) / apparent
        if abs(abs(factor) - ratio) > TOLERANCE:
            text = f"power factor {factor:.3g}, but active over apparent power is {ratio:.3g}"
            yield Contradiction((row_f, row_p, row_s), text)


def _voltage_times_current(component: str, rows: Rows) -> Iterator[Contradiction]:
    """V times I is a phase's apparent power, and bounds its active power.

    What is no phase has up to three, each of the mean voltage and current.
    """
    if "voltage_v" not in rows or "current_a" not in rows:
        return
    (row_v, voltage), (row_i, current) = rows["voltage_v"], rows["current_a"]
    is_phase = component.rpartition("/")[2].startswith("phase.")
    product = voltage * current
    most = product * (1 if is_phase else PHASES) * (1 + TOLERANCE) + SLACK_VA
    for quantity in ("apparent_power_va", "active_power_w"):
        row, power = rows.get(quantity, (0, 0.0))
        low = product * (1 - TOLERANCE) - SLACK_VA
        too_low = is_phase and quantity == "apparent_power_va" and quantity in rows and power < low
        if abs(power) > most or too_low:
            text = (
                f"{voltage:,.4g} V times {current:,.4g} A does not give {power:,.4g} of {quantity}"
            )
            yield Contradiction((row_v, row_i, row), text)


def _sum_of_phases(component: str, parts: Mapping[str, Rows]) -> Iterator[Contradiction]:
    """The active power of a whole is that of its phases."""
    total = parts[component].get("active_power_w")
    above = f"{component}/" if component else ""
    names = [f"{above}phase.{number}" for number in range(1, PHASES + 1)]
    phases = [parts.get(name, {}).get("active_power_w") for name in names]
    found = [phase for phase in phases if phase is not None]
    if total is None or len(found) < PHASES:
        return
    added = sum(value for _, value in found)
    if abs(added - total[1]) > TOLERANCE * max(abs(added), abs(total[1])) + SLACK_VA:
        text = f"active power is {total[1]:,.4g} W, that of the phases together {added:,.4g} W"
        yield Contradiction((total[0], *(row for row, _ in found)), text)
