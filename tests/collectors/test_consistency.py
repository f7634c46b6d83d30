"""Values that can be true together, and values that cannot; by hand."""

from __future__ import annotations

import pytest

from collectors.consistency import contradictions


def found(**parts: dict[str, float]) -> list[tuple[set[str], str]]:
    """The quantities and the sentence of each contradiction; `_` in a name stands for `.`."""
    rows: dict[str, dict[str, tuple[int, float]]] = {}
    names: list[str] = []
    for part, values in parts.items():
        component = "" if part == "device" else part.replace("_", ".")
        rows[component] = {}
        for quantity, value in values.items():
            rows[component][quantity] = (len(names), value)
            names.append(f"{component} {quantity}".strip())
    return [({names[row] for row in c.rows}, c.text) for c in contradictions(rows)]


@pytest.mark.parametrize(
    "phase",
    [
        {"active_power_w": 2185.0, "apparent_power_va": 2300.0, "power_factor_ratio": 0.95},
        {"active_power_w": -2185.0, "apparent_power_va": 2300.0, "power_factor_ratio": 0.95},
        {"voltage_v": 230.0, "current_a": 0.1, "apparent_power_va": 0.0, "active_power_w": 20.0},
        {"voltage_v": 230.0, "current_a": 10.0, "apparent_power_va": 2310.0},
        {"active_power_w": 10.0, "apparent_power_va": 20.0, "power_factor_ratio": 1.0},
        {"active_power_w": 10.0, "voltage_v": 230.0},
    ],
)
def test_these_agree(phase: dict[str, float]) -> None:
    assert found(phase_1=phase) == []


def test_active_power_is_at_most_apparent_power() -> None:
    ((rows, text),) = found(phase_1={"active_power_w": 5000.0, "apparent_power_va": 2300.0})
    assert rows == {"phase.1 active_power_w", "phase.1 apparent_power_va"}
    assert text == "active power 5,000 W is above apparent power 2,300 VA"


def test_the_power_factor_is_their_ratio() -> None:
    values = {"active_power_w": 1150.0, "apparent_power_va": 2300.0, "power_factor_ratio": 0.95}
    ((rows, text),) = found(phase_1=values)
    assert "phase.1 power_factor_ratio" in rows
    assert text == "power factor 0.95, but active over apparent power is 0.5"


@pytest.mark.parametrize("power", [23000.0, 230.0])
def test_a_phase_has_voltage_times_current(power: float) -> None:
    values = {"voltage_v": 230.0, "current_a": 10.0, "apparent_power_va": power}
    ((rows, _),) = found(phase_1=values)
    assert rows == {"phase.1 voltage_v", "phase.1 current_a", "phase.1 apparent_power_va"}


@pytest.mark.parametrize(("power", "count"), [(2300.0, 0), (6900.0, 0), (9000.0, 1)])
def test_a_whole_has_up_to_three_phases(power: float, count: int) -> None:
    values = {"voltage_v": 230.0, "current_a": 10.0, "active_power_w": power}
    assert len(found(inlet_1=values)) == count


@pytest.mark.parametrize(("total", "count"), [(6000.0, 0), (6300.0, 0), (2000.0, 1), (60000.0, 1)])
def test_a_total_is_the_sum_of_its_phases(total: float, count: int) -> None:
    phases = {f"phase_{n}": {"active_power_w": 2000.0} for n in (1, 2, 3)}
    contradicted = found(device={"active_power_w": total}, **phases)
    assert len(contradicted) == count
    if contradicted:
        assert contradicted[0][0] == {"active_power_w"} | {
            f"phase.{n} active_power_w" for n in (1, 2, 3)
        }
