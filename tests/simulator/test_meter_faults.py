"""Meters that are wired or set up wrongly, from a list or a file."""

from __future__ import annotations

import pytest

from facility.errors import ConfigError
from simulator.demo_site import demo_site
from simulator.devices import serve_devices
from simulator.plant import Plant
from simulator.plant.meter_faults import MeterFault, read_meter_faults, word_swapped

SITE = demo_site(1)
START = 1_790_000_000.0
TAP = "hall-1/rack-01/tap-a"


def lived(*faults: MeterFault) -> Plant:
    plant = Plant(SITE, seed=4, start_at=START, meter_faults=faults)
    plant.advance(START + 600)
    return plant


def counted(plant: Plant, quantity: str) -> float:
    before = Plant(SITE, seed=4, start_at=START).value(TAP, "", quantity)
    now = plant.value(TAP, "", quantity)
    assert before is not None
    assert now is not None
    return now - before


def test_a_wrong_ratio_shows_in_power_and_register_and_changes_no_truth() -> None:
    healthy, wrong = lived(), lived(MeterFault(device=TAP, kind="ct_ratio", factor=400 / 200))
    for quantity in ("active_power_w", "current_a", "apparent_power_va"):
        shown, true = wrong.value(TAP, "", quantity), healthy.value(TAP, "", quantity)
        assert shown == pytest.approx(2 * true, rel=0.05)  # the power factor moves with the load
    assert counted(wrong, "energy_imported_wh") == pytest.approx(
        2 * counted(healthy, "energy_imported_wh")
    )
    assert wrong.truth(START + 600) == healthy.truth(START + 600)


def test_reversed_transformers_make_power_negative_and_fill_the_export_register() -> None:
    healthy, wrong = lived(), lived(MeterFault(device=TAP, kind="reversed_ct"))
    assert wrong.value(TAP, "", "active_power_w") == -healthy.value(TAP, "", "active_power_w")
    assert wrong.value(TAP, "", "power_factor_ratio") < 0
    assert wrong.value(TAP, "", "current_a") == healthy.value(TAP, "", "current_a") > 0
    assert counted(wrong, "energy_imported_wh") == 0
    assert counted(wrong, "energy_exported_wh") == pytest.approx(
        counted(healthy, "energy_imported_wh")
    )
    assert counted(healthy, "energy_exported_wh") == 0


def test_a_file_lists_faults(tmp_path) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text(
        f"- {{device: {TAP}, kind: ct_ratio, factor: 2}}\n- {{device: a, kind: word_swapped}}"
    )
    faults = read_meter_faults(file)
    assert faults[0] == MeterFault(device=TAP, kind="ct_ratio", factor=2)
    assert word_swapped(faults) == {"a"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- {device: a, kind: broken}", "0.kind: Input should be 'ct_ratio'"),
        ("- {device: a, kind: ct_ratio, factor: 0}", "0.factor: Input should be greater than 0"),
        ("device: a", "Input should be a valid tuple"),
        ("- {device: [", "faults.yaml: while parsing"),
    ],
)
def test_a_file_that_is_wrong_is_refused(tmp_path, text, said) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=said):
        read_meter_faults(file)
    with pytest.raises(ConfigError, match="No such file"):
        read_meter_faults(tmp_path / "missing.yaml")


def test_a_fault_of_no_part_of_the_power_path_is_refused() -> None:
    with pytest.raises(ConfigError, match="'nowhere' is no part of the power path"):
        lived(MeterFault(device="nowhere", kind="reversed_ct"))


async def test_words_of_a_device_without_registers_are_refused() -> None:
    pdu = MeterFault(device="hall-1/rack-01/pdu-a", kind="word_swapped")
    plant = lived()
    with pytest.raises(ConfigError, match="is no Modbus device"):
        async with serve_devices(SITE, plant, lambda: START + 600, [pdu]):
            pass
