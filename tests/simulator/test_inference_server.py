"""Inference servers of the plant: tokens follow the GPUs, and a driver reads them over HTTP."""

from __future__ import annotations

import pytest

from collectors.open_source import open_source
from collectors.profile_library import load_profile
from collectors.source import Poll
from facility.quality import Quality
from facility.site import Device, Site
from simulator.dcgm_exporter import DcgmExporters
from simulator.demo_site import demo_site
from simulator.inference_server import InferenceServer
from simulator.plant import Plant
from simulator.plant.serving import MODEL, OUTPUT_TOKENS_PER_GPU_S

START = 1_790_000_000.0
PROFILE = load_profile("vllm")
RACKS = 4  # three train, one serves


def make_plant() -> tuple[Site, Plant]:
    site = demo_site(RACKS)
    return site, Plant(site, seed=7, start_at=START)


def values(plant: Plant, quantity: str, part: str = "") -> list[float]:
    """By rack."""
    found = [
        plant.value(f"hall-1/rack-{rack:02}/llm", MODEL + part, quantity)
        for rack in range(1, RACKS + 1)
    ]
    return [value for value in found if value is not None]


def test_the_rack_that_serves_counts_tokens_by_what_its_gpus_do() -> None:
    _, plant = make_plant()
    rates = []
    for second in range(60):
        plant.advance(START + second)
        rates.append(plant.serving.tokens_per_s()[-1])
    plant.advance(START + 60)
    counted = values(plant, "output_tokens_count")
    assert counted[:-1] == [0.0] * (RACKS - 1)
    assert counted[-1] == pytest.approx(sum(rates), rel=1e-9)
    assert 0 < counted[-1] < 60 * 72 * OUTPUT_TOKENS_PER_GPU_S


def test_a_histogram_rises_with_its_bounds_to_the_requests() -> None:
    _, plant = make_plant()
    plant.advance(START + 60)
    bounds = ("0.1", "0.25", "0.5", "1", "2.5", "5", "10", "inf")
    counts = [
        values(plant, "time_to_first_token_bucket_count", f"/le.{bound}")[-1] for bound in bounds
    ]
    assert counts == sorted(counts)
    assert counts[-1] == pytest.approx(values(plant, "finished_requests_count")[-1])


@pytest.fixture
def asked() -> dict[tuple[str, str], float]:
    return {
        ("model.a/b", "output_tokens_count"): 1234.4,
        ("model.a/b", "running_requests_count"): 3.0,
        ("model.a/b/le.0.25", "time_to_first_token_bucket_count"): 7.0,
        ("model.a/b/le.inf", "time_to_first_token_bucket_count"): 9.0,
    }


def test_the_text_is_that_of_the_profile(asked: dict[tuple[str, str], float]) -> None:
    components = {component for component, _ in asked}
    server = InferenceServer(PROFILE, sorted(components), lambda c, q: asked.get((c, q)))
    assert server.text().decode().splitlines() == [
        "# TYPE vllm:generation_tokens_total counter",
        'vllm:generation_tokens_total{model_name="a/b"} 1234.0',
        "# TYPE vllm:num_requests_running gauge",
        'vllm:num_requests_running{model_name="a/b"} 3.0',
        "# TYPE vllm:time_to_first_token_seconds histogram",
        'vllm:time_to_first_token_seconds_bucket{model_name="a/b",le="0.25"} 7.0',
        'vllm:time_to_first_token_seconds_bucket{model_name="a/b",le="+Inf"} 9.0',
    ]


async def read(device: Device, plant: Plant) -> Poll:
    """What the driver makes of the server's text."""

    def value(component: str, quantity: str) -> float | None:
        return plant.value(device.id, component, quantity)

    async with DcgmExporters() as exporters:
        server = InferenceServer(PROFILE, plant.components(device.id), value)
        host, port = await exporters.serve(server, "127.0.0.1")
        served = device.model_copy(
            update={"address": device.address.model_copy(update={"host": host, "port": port})}
        )
        source = open_source(served, PROFILE, Site(name="test", devices=(served,)))
        try:
            return await source.read()
        finally:
            await source.close()


async def test_a_driver_reads_what_the_plant_counts() -> None:
    site, plant = make_plant()
    plant.advance(START + 60)
    device = next(d for d in site.devices if d.id == f"hall-1/rack-{RACKS:02}/llm")
    poll = await read(device, plant)
    assert set(poll.quality.tolist()) == {Quality.GOOD}
    keys = zip(poll.points.components, poll.points.quantities, strict=True)
    found = dict(zip(keys, poll.value.tolist(), strict=True))
    assert len(found) == 5 + 8 + 9 + 9 + 7
    tokens = values(plant, "output_tokens_count")[-1]
    assert found[MODEL, "output_tokens_count"] == round(tokens)
