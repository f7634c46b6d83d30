"""Simulated exporters print what a real one prints, as a foreign parser sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from collectors.profile_library import load_profile
from simulator.dcgm_exporter import DcgmExporters
from simulator.dcgm_node import DcgmNode

PROFILE = load_profile("nvidia-dcgm-exporter")
GPUS = ("gpu.GPU-aaaa", "gpu.GPU-bbbb")
VALUES = {
    "active_power_w": 703.459,
    "energy_imported_wh": 1.5,
    "gpu_utilisation_ratio": 0.29,
    "sm_active_ratio": 0.875,
    "memory_used_bytes": 3.0 * 2**20,
    "cpu_power_w": 210.25,
}


def value(component: str, quantity: str) -> float | None:
    is_of_cpu = quantity.startswith("cpu")
    return VALUES.get(quantity) if component.startswith("cpu") == is_of_cpu else None


def node(**options: Any) -> DcgmNode:
    return DcgmNode(PROFILE, (*GPUS, "cpu.0"), value, host_name="node-7", **options)


def samples(text: bytes) -> dict[tuple[str, str], float]:
    """Numbers by metric name, without the suffix that the parser gives counters, and GPU or CPU."""
    return {
        (
            sample.name.removesuffix("_total"),
            sample.labels.get("UUID") or sample.labels["cpu"],
        ): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_values_are_printed_in_dcgms_units_and_forms() -> None:
    text = node().text()
    assert samples(text)["DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "GPU-aaaa"] == 5_400_000
    assert samples(text)["DCGM_FI_DEV_FB_USED", "GPU-bbbb"] == 3
    assert b'DCGM_FI_DEV_CPU_POWER_UTIL_CURRENT{cpu="0",Hostname="node-7"} 210.250000\n' in text
    power = (
        b'DCGM_FI_DEV_POWER_USAGE{gpu="0",UUID="GPU-aaaa",pci_bus_id="00000001:01:00.0",'
        b'device="nvidia0",modelName="NVIDIA GB200",Hostname="node-7",'
        b'DCGM_FI_DRIVER_VERSION="580.82.07"} 703.459000\n'
    )
    assert power in text
    assert b"# TYPE DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION counter\n" in text
    assert b"# TYPE DCGM_FI_DEV_GPU_UTIL gauge\n" in text


def test_a_quantity_without_a_value_is_not_printed_at_all() -> None:
    assert b"DCGM_FI_DEV_GPU_TEMP" not in node().text()


def test_the_names_of_4_6_give_the_same_numbers() -> None:
    old, new = samples(node().text()), samples(node(generation="renamed").text())
    assert old["DCGM_FI_DEV_POWER_USAGE", "GPU-aaaa"] == 703.459
    assert new["DCGM_FI_DEV_BOARD_POWER_WATTS", "GPU-aaaa"] == 703.459
    assert new["DCGM_FI_DEV_GPU_UTIL_RATIO", "GPU-aaaa"] == 29
    assert sorted(old.values()) == sorted(new.values())
    assert b'hostname="node-7"' in node(generation="renamed").text()


def test_only_the_fields_asked_for_are_printed() -> None:
    names = {name for name, _ in samples(node(fields=(155, 1002)).text())}
    assert names == {"DCGM_FI_DEV_POWER_USAGE", "DCGM_FI_PROF_SM_ACTIVE"}


def test_within_its_interval_an_exporter_repeats_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    exporter = node(collect_interval_s=30.0, now=lambda: now)
    first = exporter.text()
    monkeypatch.setitem(VALUES, "active_power_w", 64.0)
    now = 129.9
    assert exporter.text() == first
    now = 130.0
    assert samples(exporter.text())["DCGM_FI_DEV_POWER_USAGE", "GPU-aaaa"] == 64.0


@asynccontextmanager
async def served(*nodes: DcgmNode) -> AsyncIterator[list[str]]:
    async with DcgmExporters() as exporters:
        places = [await exporters.serve(n, f"127.43.7.{i}") for i, n in enumerate(nodes, start=1)]
        yield [f"http://{host}:{port}" for host, port in places]


async def test_each_node_answers_at_its_own_address() -> None:
    hidden = node()
    hidden.faults.hidden = {GPUS[0]}
    async with served(node(), hidden) as urls, aiohttp.ClientSession() as session:
        texts = []
        for url in urls:
            async with session.get(f"{url}/metrics") as response:
                assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
                texts.append(await response.read())
        async with session.get(f"{urls[0]}/elsewhere") as response:
            assert response.status == 404
    assert [b"GPU-aaaa" in text for text in texts] == [True, False]
    assert [b"GPU-bbbb" in text for text in texts] == [True, True]


async def test_an_address_that_is_taken_is_refused() -> None:
    async with DcgmExporters() as exporters:
        host, port = await exporters.serve(node(), "127.0.0.1")
        with pytest.raises(OSError, match="in use"):
            await exporters.serve(node(), host, port)
