"""A node's GPUs through NVML: the whole driver and the real bindings, on a stand-in in C."""

from __future__ import annotations

import asyncio
import ctypes
import re
import socket
import sys
import time
from collections.abc import Iterator

import numpy as np
import pynvml
import pytest

from collectors.dcgm.nvml_fields import FIELD_VALUES, GETTERS, METRICS
from collectors.dcgm.nvml_source import NvmlSource
from collectors.dcgm.source import DcgmSource
from collectors.exporter import inventory as inventory_module
from collectors.source import Poll
from facility.errors import ConfigError, DeviceRefused, DeviceTimeout, DeviceUnreachable
from facility.quality import Quality
from facility.site import Device
from tests.collectors.counted import faults_of
from tests.collectors.dcgm_rig import rows
from tests.collectors.nvml_rig import (
    GPUS,
    PROFILE,
    Fake,
    compile_fake,
    gpu_node,
    load_fake,
    opened,
)

GOOD, _, STALE, _, BAD = Quality
A, B = GPUS
UUID_A = A.removeprefix("gpu.")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> tuple[ctypes.CDLL, Fake]:
    return load_fake(compile_fake(tmp_path_factory.mktemp("nvml")))


@pytest.fixture
def fake(loaded: tuple[ctypes.CDLL, Fake]) -> Iterator[Fake]:
    library, fake = loaded
    library.fake_reset()
    yield fake
    assert fake.samples == 0, "a sample was not freed"
    library.fake_reset()


def values(poll: Poll) -> dict[tuple[str, str], float]:
    return {key: value for key, (value, _) in rows(poll).items()}


def bad(poll: Poll) -> dict[tuple[str, str], str]:
    """Why rows are bad, by row."""
    points = poll.points
    names = list(zip(points.components, points.quantities, strict=True))
    reasons = {names[failure.row]: failure.reason for failure in poll.failures}
    assert reasons.keys() == {key for key, (_, quality) in rows(poll).items() if quality == BAD}
    return reasons


@pytest.mark.usefixtures("fake")
async def test_every_quantity_that_nvml_gives_comes_in_its_unit() -> None:
    async with opened() as source:
        poll = await source.read()
    found = values(poll)
    assert set(poll.quality.tolist()) == {GOOD}
    assert poll.failures == ()
    assert {quantity: found[c, quantity] for c, quantity in found if c == A} == {
        "active_power_w": 703.459,
        "energy_imported_wh": pytest.approx(1234.502, abs=1e-9),
        "power_limit_w": 1000.0,
        "gpu_temperature_c": 61.0,
        "memory_temperature_c": 88.0,
        "gpu_temperature_margin_c": -2.0,
        "sm_clock_hz": 1.98e9,
        "memory_clock_hz": 2.619e9,
        "clock_event_reasons_code": 0x44,
        "power_violation_s": 2.5,
        "thermal_violation_s": 1.5,
        "gpu_utilisation_ratio": 0.29,
        "memory_copy_utilisation_ratio": 0.07,
        "encoder_utilisation_ratio": 0.03,
        "decoder_utilisation_ratio": 0.04,
        "memory_free_bytes": 80 * 2**30 - 1536 * 2**20,
        "memory_used_bytes": 2**30,
        "memory_reserved_bytes": 2**29,
        "graphics_engine_active_ratio": 0.0625,
        "sm_active_ratio": 0.125,
        "sm_occupancy_ratio": 0.1875,
        "tensor_active_ratio": 0.3125,
        "dram_active_ratio": 0.625,
        "fp64_active_ratio": 0.6875,
        "fp32_active_ratio": 0.75,
        "pcie_sent_bytes_per_s": 11.5 * 2**20,
        "pcie_received_bytes_per_s": 12.5 * 2**20,
        "pcie_replay_count": 5.0,
        "remapped_rows_uncorrectable_count": 1.0,
        "remapped_rows_correctable_count": 2.0,
        "row_remap_failure_state": 0.0,
    }
    assert found[B, "active_power_w"] == 703.46
    assert {component for component, _ in found} == set(GPUS)


async def test_an_exporter_on_the_same_machine_gives_the_same_rows(fake: Fake) -> None:
    fake.frozen = 1
    async with opened() as source:
        here = await source.read()
    points = {p.field: p for p in PROFILE.points}
    by_quantity = {point.quantity: point for point in points.values()}
    lines = [
        f'{by_quantity[quantity].names[0]}{{gpu="0",UUID="{component[4:]}"}} '
        f"{value / by_quantity[quantity].scale!r}\n"
        for (component, quantity), value in values(here).items()
    ]
    device = Device(id="node-1", profile=PROFILE.name, address="http://node", role="gpu_node")
    there = await DcgmSource(device, PROFILE.dcgm, Told("".join(lines))).read()
    assert there.points.components == here.points.components
    assert there.points.quantities == here.points.quantities
    assert there.value == pytest.approx(here.value, rel=1e-15)


class Told:
    def __init__(self, text: str) -> None:
        self._text = text

    async def get(self) -> bytes:
        return self._text.encode()

    async def close(self) -> None:
        pass


@pytest.mark.usefixtures("fake")
async def test_a_row_says_which_call_gave_it() -> None:
    async with opened() as source:
        points = (await source.read()).points
    sources = dict(zip(points.quantities, points.sources, strict=True))
    assert sources["sm_clock_hz"] == "nvmlDeviceGetClockInfo(NVML_CLOCK_SM)"
    assert sources["memory_used_bytes"] == "nvmlDeviceGetMemoryInfo(nvmlMemory_v2).used"
    assert sources["energy_imported_wh"] == "NVML_FI_DEV_TOTAL_ENERGY_CONSUMPTION"
    assert sources["sm_active_ratio"] == "NVML_GPM_METRIC_SM_UTIL"


def test_each_way_through_nvml_is_of_a_field_of_the_profile_and_known_to_the_bindings() -> None:
    fields = {point.field for point in PROFILE.points}
    assert GETTERS.keys() | FIELD_VALUES.keys() | METRICS.keys() <= fields
    names = [*FIELD_VALUES.values(), *(metric.name for metric in METRICS.values())]
    names += [getter.function for getter in GETTERS.values()]
    names += [getter.argument for getter in GETTERS.values() if getter.argument]
    assert [name for name in names if not hasattr(pynvml, name)] == []


async def test_what_a_gpu_does_not_support_is_no_row_and_costs_no_other(fake: Fake) -> None:
    fake.failing, fake.error = b"nvmlDeviceGetMarginTemperature", pynvml.NVML_ERROR_NOT_SUPPORTED
    async with opened() as source:
        poll = await source.read()
    assert bad(poll) == {}
    assert (A, "gpu_temperature_margin_c") not in rows(poll)
    assert (B, "gpu_temperature_margin_c") in rows(poll)
    assert len(poll.points) == 2 * 31 - 1


@pytest.mark.parametrize(
    ("call", "missing"),
    [
        (b"nvmlDeviceGetPowerUsage", {"active_power_w"}),
        (
            b"nvmlDeviceGetMemoryInfo_v2",
            {"memory_free_bytes", "memory_used_bytes", "memory_reserved_bytes"},
        ),
        (
            b"nvmlDeviceGetFieldValues",
            {p.quantity for p in PROFILE.points if p.field in FIELD_VALUES},
        ),
        (
            b"nvmlGpmSampleGet",
            {p.quantity for p in PROFILE.points if p.field in METRICS} - {"fp16_active_ratio"},
        ),
    ],
)
async def test_a_call_that_fails_costs_its_own_points_by_name(
    fake: Fake, call: bytes, missing: set[str]
) -> None:
    async with opened() as source:
        await source.read()
        fake.failing, fake.error = call, pynvml.NVML_ERROR_NOT_SUPPORTED
        poll = await source.read()
        fake.failing = b""
        again = await source.read()
    assert bad(poll) == {(A, quantity): "Not Supported" for quantity in missing}
    assert set(again.quality.tolist()) == {GOOD}


async def test_a_field_that_fails_among_others_of_its_call_fails_alone(fake: Fake) -> None:
    async with opened() as source:
        await source.read()
        fake.field_error = pynvml.NVML_ERROR_UNKNOWN
        poll = await source.read()
    assert bad(poll) == {(gpu, "memory_temperature_c"): "Unknown Error" for gpu in GPUS}


async def test_not_available_never_reaches_a_table(fake: Fake) -> None:
    async with opened() as source:
        await source.read()
        fake.power_mw, fake.energy_mj[0], fake.frozen = 2**32 - 1, 2**64 - 1, 1
        poll = await source.read()
    missing = {(A, "active_power_w"), (A, "energy_imported_wh")}
    assert bad(poll) == dict.fromkeys(missing, "not available")
    assert all(np.isnan(values(poll)[row]) for row in missing)


async def test_a_lost_gpus_points_fail_and_name_it_and_the_others_are_good(fake: Fake) -> None:
    async with opened() as source:
        first = await source.read()
        fake.lost[1] = pynvml.NVML_ERROR_GPU_IS_LOST
        poll = await source.read()
        fake.lost[1] = 0
        again = await source.read()
    assert poll.points is first.points is again.points
    assert bad(poll) == {key: "GPU is lost" for key in rows(first) if key[0] == B}
    assert set(again.quality.tolist()) == {GOOD}


async def test_a_gpu_that_falls_off_in_the_middle_of_a_reading_fails_from_there_on(
    fake: Fake,
) -> None:
    async with opened() as source:
        await source.read()
        fake.failing = b"nvmlDeviceGetClockInfo"
        fake.error = pynvml.NVML_ERROR_GPU_IS_LOST
        poll = await source.read()
    assert {component for component, _ in bad(poll)} == {A}
    assert set(bad(poll).values()) == {"GPU is lost"}


async def test_a_gpu_missed_for_long_is_given_up_as_an_exporters_is(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory_module, "MISSED_S", 0.0)
    async with opened() as source:
        both = await source.read()
        fake.gpus = 1
        missed = await source.read()
        after = await source.read()
        fake.gpus = 2
        returned = await source.read()
    assert set(bad(missed).values()) == {"NVML does not list it"}
    assert [len(poll.points) for poll in (both, missed, after, returned)] == [62, 62, 31, 62]
    assert set(returned.quality.tolist()) == {GOOD}


async def test_a_gpu_that_was_lost_before_it_was_ever_read_is_counted(fake: Fake) -> None:
    before = faults_of("node-1")
    fake.lost[0] = pynvml.NVML_ERROR_GPU_IS_LOST
    async with opened() as source:
        poll = await source.read()
        counted = faults_of("node-1") - before
    assert set(poll.points.components) == {B}
    assert counted == {"gpu not opened": 1}


async def test_a_machine_of_lost_gpus_fails_whole_and_says_why(fake: Fake) -> None:
    fake.lost[:] = [pynvml.NVML_ERROR_GPU_IS_LOST] * 2
    async with opened() as source:
        with pytest.raises(DeviceRefused, match="no field of the profile: GPU is lost"):
            await source.read()
    fake.gpus = 0
    async with opened() as source:
        with pytest.raises(DeviceRefused, match="it has no GPU"):
            await source.read()


async def test_mig_instances_are_named_as_an_exporter_names_them(fake: Fake) -> None:
    fake.instances[0] = 1 << 1 | 1 << 3
    async with opened() as source:
        poll = await source.read()
    found = values(poll)
    assert {c for c, _ in found} == {A, f"{A}/mig.1", f"{A}/mig.3", B}
    assert found[f"{A}/mig.1", "memory_used_bytes"] == 2 * 2**30
    assert found[f"{A}/mig.3", "memory_used_bytes"] == 4 * 2**30
    assert found[f"{A}/mig.3", "sm_active_ratio"] == 0.155
    assert found[A, "active_power_w"] == 703.459
    assert found[A, "pcie_sent_bytes_per_s"] == 11.5 * 2**20
    assert (A, "memory_used_bytes") not in found
    assert (A, "gpu_utilisation_ratio") not in found, "NVML has none of a divided GPU"
    assert poll.failures == ()


async def test_an_instance_that_is_taken_down_is_missed_and_a_lost_gpus_instances_are_its_own(
    fake: Fake,
) -> None:
    fake.instances[0] = 1 << 1 | 1 << 3
    async with opened() as source:
        await source.read()
        fake.instances[0] = 1 << 1
        fewer = await source.read()
        fake.lost[0] = pynvml.NVML_ERROR_GPU_IS_LOST
        lost = await source.read()
    assert {component for component, _ in bad(fewer)} == {f"{A}/mig.3"}
    assert {component for component, _ in bad(lost)} == {A, f"{A}/mig.1", f"{A}/mig.3"}
    assert set(bad(lost).values()) == {"GPU is lost"}


async def test_readings_that_stand_still_are_stale_until_they_move(fake: Fake) -> None:
    async with opened() as source:
        await source.read()
        fake.frozen = 1
        await source.read()
        stale = await source.read()
        fake.frozen = 0
        moving = await source.read()
    assert set(stale.quality.tolist()) == {STALE}
    assert set(moving.quality.tolist()) == {GOOD}


async def test_a_reloaded_driver_is_started_anew_and_its_energy_is_a_reset(fake: Fake) -> None:
    async with opened() as source:
        first = await source.read()
        fake.initialised, fake.energy_mj[:] = 0, [0, 0]
        with pytest.raises(DeviceUnreachable, match="Uninitialized; is the GPUs' driver installed"):
            await source.read()
        again = await source.read()
    assert fake.inits == 2
    assert again.points is first.points
    assert set(again.quality.tolist()) == {GOOD}
    assert values(again)[A, "energy_imported_wh"] == pytest.approx(0.002)


@pytest.mark.parametrize(
    ("code", "error", "words"),
    [
        (pynvml.NVML_ERROR_DRIVER_NOT_LOADED, DeviceUnreachable, "Driver Not Loaded"),
        (pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH, DeviceUnreachable, "version mismatch"),
        (pynvml.NVML_ERROR_NO_PERMISSION, DeviceRefused, "Insufficient Permissions"),
        (pynvml.NVML_ERROR_FREQ_NOT_SUPPORTED, DeviceRefused, "Frequency Not Supported"),
    ],
)
async def test_a_driver_that_does_not_start_is_named_and_read_once_it_does(
    fake: Fake, code: int, error: type[Exception], words: str
) -> None:
    fake.init_error = code
    async with opened() as source:
        with pytest.raises(error, match=f"NVML: .*{words}"):
            await source.read()
        fake.init_error = 0
        assert set((await source.read()).quality.tolist()) == {GOOD}


async def test_a_hung_driver_costs_its_own_device_only_and_is_refused_by_name_until_it_returns(
    fake: Fake,
) -> None:
    before = faults_of("node-1")
    async with opened(timeout_s=0.2) as source:
        await source.read()
        fake.hanging = b"nvmlDeviceGetPowerUsage"
        others = asyncio.create_task(ticks_of_another_device(0.1))
        with pytest.raises(
            DeviceTimeout, match=rf"within 0\.18 s: nvmlDeviceGetPowerUsage of {UUID_A}"
        ):
            await source.read()
        begun_s = time.perf_counter()
        with pytest.raises(DeviceTimeout, match=rf"of {UUID_A} has hung for 0\.\d s; no other"):
            await source.read()
        counted = faults_of("node-1") - before
        await source.close()
        took_s = time.perf_counter() - begun_s
        fake.hanging = b""
        poll = await read_when_free(source)
    assert await others >= 10
    assert took_s < 0.1
    assert counted == {"hung": 1}
    assert set(poll.quality.tolist()) == {GOOD}


async def test_a_read_that_is_cut_off_leaves_the_source_usable(fake: Fake) -> None:
    async with opened() as source:
        fake.hanging = b"nvmlDeviceGetCount_v2"
        cut_off = asyncio.create_task(source.read())
        await asyncio.sleep(0.02)
        cut_off.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cut_off
        fake.hanging = b""
        assert set((await read_when_free(source)).quality.tolist()) == {GOOD}


async def ticks_of_another_device(seconds: float) -> int:
    ticks, ends = 0, time.perf_counter() + seconds
    while time.perf_counter() < ends:
        await asyncio.sleep(0.005)
        ticks += 1
    return ticks


async def read_when_free(source: NvmlSource) -> Poll:
    while True:
        try:
            return await source.read()
        except DeviceTimeout:
            await asyncio.sleep(0.01)


def test_only_this_machines_gpus_are_read_under_its_name() -> None:
    own = socket.gethostname().lower()
    for host in ("localhost", "127.0.0.1", own, own.partition(".")[0]):
        assert gpu_node(address=f"nvml://{host}").device == "node-1"
    refusal = f"node-1: nvml://node-17 is not this machine, {socket.gethostname()}: NVML sees"
    with pytest.raises(ConfigError, match=re.escape(refusal)):
        gpu_node(address="nvml://node-17")


def test_without_the_bindings_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "collectors.dcgm.nvml_source")
    monkeypatch.delitem(sys.modules, "collectors.dcgm.nvml_node")
    monkeypatch.delitem(sys.modules, "collectors.dcgm.nvml")
    monkeypatch.setitem(sys.modules, "pynvml", None)
    with pytest.raises(ConfigError, match=re.escape("pip install 'busway[nvml]'")):
        gpu_node()


async def test_a_gpu_that_the_site_file_expects_and_nvml_never_listed_is_missing(
    fake: Fake,
) -> None:
    fake.gpus = 1
    async with opened(gpus=2) as counted, opened(gpus=(UUID_A, "GPU-cccc")) as named:
        of_count, of_name = bad(await counted.read()), bad(await named.read())
    for reasons, gpu in ((of_count, "gpu.missing-1"), (of_name, "gpu.GPU-cccc")):
        assert {component for component, _ in reasons} == {gpu}
        assert set(reasons.values()) == {f"1 of 2 GPUs missing, {gpu}: NVML does not list it"}


async def test_a_gpu_that_nvml_lists_and_never_opened_is_missing_for_nvmls_reason(
    fake: Fake,
) -> None:
    fake.lost[1] = pynvml.NVML_ERROR_GPU_IS_LOST
    async with opened(gpus=2) as source:
        reasons = bad(await source.read())
    assert {component for component, _ in reasons} == {"gpu.missing-1"}
    (reason,) = set(reasons.values())
    assert reason.startswith("1 of 2 GPUs missing, gpu.missing-1: ")
    assert "lost" in reason
