"""A simulated GPU node and the source that reads it, for the DCGM tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from collectors.dcgm.opening import open_dcgm
from collectors.dcgm.source import DcgmSource
from collectors.profile_library import load_profile
from collectors.source import Poll
from facility.site import Device, ExpectedGpus, Site
from simulator.dcgm_exporter import DcgmExporters
from simulator.dcgm_node import DcgmNode, Generation

PROFILE = load_profile("nvidia-dcgm-exporter")
COMPONENTS = ("gpu.GPU-aaaa", "gpu.GPU-bbbb", "cpu.0")
FIELDS = (155, 156, 150, 203, 1002, 251, 1130)


class Plant:
    """Values that a test sets; energy grows with every look."""

    def __init__(self) -> None:
        self.values = {
            "active_power_w": 703.459,
            "energy_imported_wh": 1234.5,
            "gpu_temperature_c": 61.0,
            "gpu_utilisation_ratio": 0.29,
            "sm_active_ratio": 0.87,
            "memory_free_bytes": 1024.0 * 2**20,
            "cpu_power_w": 210.25,
        }

    def value(self, component: str, quantity: str) -> float | None:
        if component.startswith("cpu") != quantity.startswith("cpu"):
            return None
        if quantity == "energy_imported_wh":
            self.values[quantity] += 0.001
        return self.values.get(quantity)


@dataclass
class Rig:
    """One simulated node and its source."""

    plant: Plant
    node: DcgmNode
    source: DcgmSource

    async def qualities(self) -> dict[tuple[str, str], int]:
        return {key: quality for key, (_, quality) in rows(await self.source.read()).items()}


def rows(poll: Poll) -> dict[tuple[str, str], tuple[float, int]]:
    keys = zip(poll.points.components, poll.points.quantities, strict=True)
    return dict(
        zip(keys, zip(poll.value.tolist(), poll.quality.tolist(), strict=True), strict=True)
    )


@asynccontextmanager
async def rig(
    *,
    timeout_s: float = 2.0,
    components: tuple[str, ...] = COMPONENTS,
    generation: Generation = "legacy",
    collect_interval_s: float = 0.0,
    gpus: ExpectedGpus | None = None,
) -> AsyncIterator[Rig]:
    plant = Plant()
    node = DcgmNode(
        PROFILE,
        components,
        plant.value,
        generation=generation,
        collect_interval_s=collect_interval_s,
        fields=FIELDS,
    )
    async with DcgmExporters() as exporters:
        host, port = await exporters.serve(node, "127.0.0.1")
        device = Device(
            id="node-1",
            profile="nvidia-dcgm-exporter",
            address=f"http://{host}:{port}",
            role="gpu_node",
            interval_seconds=1.0,
            timeout_seconds=timeout_s,
            gpus=gpus,
        )
        source = open_dcgm(device, PROFILE, Site(name="test", devices=(device,)))
        try:
            yield Rig(plant, node, source)
        finally:
            await source.close()
            await source.close()
