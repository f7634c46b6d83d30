"""Which row a series belongs to, and what its number is worth."""

from __future__ import annotations

import numpy as np
import pytest

from collectors.dcgm.fields import Fields
from collectors.dcgm.source import BLANKS
from collectors.exporter.layout import Layout
from collectors.exporter.series import Key, Series, fill
from collectors.profile import DcgmPoint
from collectors.profile_library import load_profile

SECTION = load_profile("nvidia-dcgm-exporter").dcgm
assert SECTION is not None
POINTS = SECTION.points
FIELDS = Fields(POINTS)
PLACE = {point.quantity: n for n, point in enumerate(POINTS)}


def row(name: str, **labels: str) -> tuple[str, str] | None:
    """Component and quantity of a series."""
    found = FIELDS.recognise(name, labels)
    return found and (found.key.component, POINTS[found.key.point].quantity)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("DCGM_FI_DEV_POWER_USAGE", "DCGM_FI_DEV_BOARD_POWER_WATTS"),
        ("DCGM_FI_DEV_GPU_TEMP", "DCGM_FI_DEV_GPU_TEMP_CELSIUS"),
        ("DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_DEV_GPU_UTIL_RATIO"),
        ("DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", "DCGM_FI_PROF_TENSOR_UTIL_RATIO"),
        ("DCGM_FI_DEV_XID_ERRORS", "DCGM_FI_DEV_XID_ERROR"),
        ("DCGM_FI_DEV_CLOCK_THROTTLE_REASONS", "DCGM_FI_DEV_CLOCKS_EVENT_REASONS"),
    ],
)
def test_both_generations_of_names_give_the_same_row(old: str, new: str) -> None:
    assert row(old, UUID="GPU-1") == row(new, UUID="GPU-1") is not None


@pytest.mark.parametrize("label", ["UUID", "uuid", "gpu_uuid"])
def test_a_gpu_is_known_by_its_uuid_whatever_the_label_is_called(label: str) -> None:
    labels = {label: "GPU-5f-0", "gpu": "3", "Hostname": "n", "pod": "p"}
    assert row("DCGM_FI_DEV_GPU_TEMP", **labels) == ("gpu.GPU-5f-0", "gpu_temperature_c")


def test_a_mig_instance_has_rows_of_its_own_and_the_gpus_values_are_the_gpus() -> None:
    labels = {"UUID": "GPU-1", "GPU_I_PROFILE": "1g.6gb", "GPU_I_ID": "6"}
    assert row("DCGM_FI_PROF_SM_ACTIVE", **labels) == ("gpu.GPU-1/mig.6", "sm_active_ratio")
    assert row("DCGM_FI_DEV_POWER_USAGE", **labels) == ("gpu.GPU-1", "active_power_w")
    assert row("DCGM_FI_PROF_SM_ACTIVE", UUID="GPU-1") == ("gpu.GPU-1", "sm_active_ratio")


def test_a_cpu_is_known_by_its_socket() -> None:
    assert row("DCGM_FI_DEV_CPU_POWER_WATTS", cpu="1") == ("cpu.1", "cpu_power_w")


@pytest.mark.parametrize(
    "labels",
    [
        {},
        {"gpu": "0"},
        {"UUID": ""},
        {"UUID": "a b"},
        {"UUID": "a/b"},
        {"UUID": "é"},
        {"UUID": "x" * 81},
        {"UUID": "GPU-1", "vgpu": "7"},
        {"UUID": "GPU-1", "nvlink": "2"},
    ],
)
def test_what_names_no_gpu_is_no_row(labels: dict[str, str]) -> None:
    assert row("DCGM_FI_DEV_GPU_TEMP", **labels) is None


def test_a_field_that_is_not_in_the_profile_is_no_row() -> None:
    assert row("DCGM_FI_DEV_VGPU_LICENSE_STATUS", UUID="GPU-1") is None


def test_a_template_gives_the_parts_it_has_labels_for() -> None:
    assert fill("a.{x}/b.{y}", {"x": "1", "y": "2"}) == "a.1/b.2"
    assert fill("a.{x}/b.{y}", {"x": "1"}) == "a.1"
    assert fill("a.{x}/b.{y}", {"y": "2"}) is None
    assert fill("", {}) == ""


def values(raw: dict[str, float], points: tuple[DcgmPoint, ...] = POINTS) -> dict[str, float]:
    """Values by quantity; NaN where the number means none."""
    place = {point.quantity: n for n, point in enumerate(points)}
    layout = Layout("node", points, {Key("gpu.GPU-1", place[q]): "NAME" for q in raw}, BLANKS)
    ordered = np.array([raw[quantity] for quantity in layout.table.quantities])
    value = np.where(layout.unavailable(ordered), np.nan, layout.convert(ordered))
    return dict(zip(layout.table.quantities, value.tolist(), strict=True))


@pytest.mark.parametrize(
    ("quantity", "raw", "value"),
    [
        ("active_power_w", 703.459, 703.459),
        ("energy_imported_wh", 3_600_000.0, 1.0),
        ("energy_imported_wh", 5_147_823_904_661.0, 5_147_823_904_661 / 3_600_000),
        ("sm_clock_hz", 1980.0, 1.98e9),
        ("gpu_utilisation_ratio", 29.0, 0.29),
        ("sm_active_ratio", 0.873, 0.873),
        ("memory_used_bytes", 81_559.0, 81_559 * 2**20),
        ("power_violation_s", 1_500_000_000.0, 1.5),
        ("xid_error_code", 79.0, 79.0),
        ("pcie_sent_bytes_per_s", 2.5e10, 2.5e10),
    ],
)
def test_numbers_come_out_in_the_catalogues_unit(quantity: str, raw: float, value: float) -> None:
    assert values({quantity: raw}) == {quantity: value}


@pytest.mark.parametrize(
    "blank",
    [
        *range(0x7FFFFFF0, 0x7FFFFFF4),
        *range(0x7FFFFFFFFFFFFFF0, 0x7FFFFFFFFFFFFFF4),
        140737488355328.0,
        140737488355330.0,
        140737488355331.0,
    ],
)
def test_dcgms_blanks_are_no_values(blank: float) -> None:
    found = values({"memory_temperature_c": float(str(blank)), "gpu_temperature_c": 61.0})
    assert np.isnan(found["memory_temperature_c"])
    assert found["gpu_temperature_c"] == 61.0


def test_a_profiles_own_sentinels_are_no_values() -> None:
    point = DcgmPoint(quantity="gpu_temperature_c", field=150, names=("T",), sentinels=(255.0, 0.0))
    other = DcgmPoint(
        quantity="active_power_w", field=155, names=("P",), negative_means_missing=True
    )
    assert np.isnan(list(values({"gpu_temperature_c": 255.0}, (point,)).values())).all()
    assert np.isnan(list(values({"active_power_w": -1.0}, (other,)).values())).all()


def test_rows_stand_by_component_then_as_in_the_profile() -> None:
    keys = [Key("gpu.b", 0), Key("gpu.a", 3), Key("gpu.a", 1), Key("cpu.0", 33)]
    layout = Layout("node", POINTS, {key: f"NAME_{key.point}" for key in keys}, ())
    assert layout.table.components == ("cpu.0", "gpu.a", "gpu.a", "gpu.b")
    assert layout.table.sources == ("NAME_33", "NAME_1", "NAME_3", "NAME_0")
    series = [None, Series(keys[0], "x"), Series(Key("gpu.z", 0), "x")]
    assert layout.rows_of(series).tolist() == [-1, 3, -1]


def test_no_two_points_share_a_field_or_a_name() -> None:
    fields = [point.field for point in POINTS]
    names = [name for point in POINTS for name in point.names]
    assert len(set(fields)) == len(fields)
    assert len(set(names)) == len(names)
