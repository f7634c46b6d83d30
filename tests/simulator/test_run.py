"""The whole simulator on real sockets: devices answer what the plant does, and the truth agrees."""

import asyncio
import socket
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import aiohttp
import numpy as np
import pytest

from collectors.open_source import open_source
from collectors.profile_library import load_profile
from facility.errors import ConfigError
from facility.quality import Quality
from facility.site import Site
from simulator.demo_site import demo_site
from simulator.run import run


def free_port(kind):
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def small_site():
    tcp, udp = socket.SOCK_STREAM, socket.SOCK_DGRAM
    return demo_site(
        1, modbus_port=free_port(tcp), snmp_port=free_port(udp), http_port=free_port(tcp)
    )


@asynccontextmanager
async def running(site, **more):
    """Run the simulator; gives the truth's URL."""
    stop, ready = asyncio.Event(), asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(
            run(
                site,
                seed=1,
                stop=stop,
                truth_address=("127.0.0.1", 0),
                on_ready=ready.set_result,
                **more,
            )
        )
        await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
        if ready.done():
            host, port = ready.result()
            yield f"http://{host}:{port}"
        stop.set()


def device_of(site, profile):
    return next(device for device in site.devices if device.profile == profile)


async def polled(site, profile):
    device = device_of(site, profile)
    source = open_source(device, load_profile(profile), site)
    try:
        async with asyncio.timeout(20):
            return await source.read()
    finally:
        await source.close()


async def asked(url, **query):
    async with aiohttp.ClientSession() as session, session.get(url, params=query) as response:
        return response.status, await response.json()


def iso(moment):
    return datetime.fromtimestamp(moment, UTC).isoformat()


async def test_every_kind_of_device_answers_every_point_well():
    site = small_site()
    async with running(site):
        for profile in sorted({device.profile for device in site.devices}):
            poll = await polled(site, profile)
            assert len(poll.points) > 5
            assert (poll.quality == Quality.GOOD).all(), (profile, poll.failures)
            assert np.isfinite(poll.value).all()


async def test_a_meters_register_and_the_truth_agree():
    site = small_site()

    async def energy_wh():
        poll = await polled(site, "schneider-pm5000")
        rows = list(zip(poll.points.components, poll.points.quantities, strict=True))
        return poll.sampled_at_us / 1e6, poll.value[rows.index(("", "energy_imported_wh"))]

    began = time.time()

    def fast():
        return began + 60 * (time.time() - began)

    async with running(site, now=fast) as url:
        _, first = await energy_wh()
        begin = fast()
        await asyncio.sleep(1.0)
        _, last = await energy_wh()
        end = fast()
        status, truth = await asked(f"{url}/truth", **{"from": iso(begin), "to": iso(end)})
    assert status == 200
    assert device_of(site, "schneider-pm5000").role == "utility_meter"
    assert last - first == pytest.approx(truth["e_dc_wh"], rel=0.1)
    assert truth["pue"]["3"] > truth["pue"]["2"] > truth["pue"]["1"] > 1
    assert truth["gpu_count"] == 72
    assert 0 <= truth["tensor_active_energy_share"] <= 1


async def test_the_truth_says_what_is_wrong_with_a_question():
    async with running(small_site()) as url:
        now = time.time()
        for query, text in (
            ({"to": iso(now)}, "from= is missing"),
            ({"from": "yesterday", "to": iso(now)}, "no ISO 8601 time"),
            ({"from": "2026-01-01T00:00:00", "to": iso(now)}, "lacks its offset"),
            ({"from": iso(now), "to": iso(now - 5)}, "later than"),
            ({"from": iso(now - 5), "to": iso(now + 3600)}, "after the plant's present"),
            ({"from": iso(now - 3600), "to": iso(now)}, "before"),
        ):
            status, answer = await asked(f"{url}/truth", **query)
            assert status == 400
            assert text in answer["error"]


async def test_health_tells_the_plants_time():
    async with running(small_site()) as url:
        status, health = await asked(f"{url}/healthz")
    assert status == 200
    assert health["ready"]
    assert abs(datetime.fromisoformat(health["plant_at"]).timestamp() - time.time()) < 30


async def test_an_address_in_use_is_named():
    site = small_site()
    meter = device_of(site, "schneider-pm5000").address
    with (
        socket.create_server((meter.host, meter.port)),
        pytest.raises(ConfigError, match=meter.host),
    ):
        await run(site, seed=1, stop=asyncio.Event(), truth_address=("127.0.0.1", 0))
    pdu = device_of(site, "raritan-px3").address
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((pdu.host, pdu.port))
        with pytest.raises(ConfigError, match=pdu.host):
            await run(site, seed=1, stop=asyncio.Event(), truth_address=("127.0.0.1", 0))


async def test_a_protocol_that_is_not_simulated_is_named():
    node = device_of(small_site(), "nvidia-dcgm-exporter")
    address = node.address.model_copy(update={"scheme": "https"})
    secure = node.model_copy(update={"address": address, "fed_by": ()})
    with pytest.raises(ConfigError, match="cannot be simulated"):
        await run(
            Site(name="s", devices=(secure,)),
            seed=1,
            stop=asyncio.Event(),
            truth_address=("127.0.0.1", 0),
        )
