"""Inference servers, over HTTP from a server that prints what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from collectors.open_source import open_source
from collectors.profile_library import load_profile
from collectors.source import Poll, Source
from facility.errors import DeviceRefused
from facility.quality import Quality
from facility.site import Device, Site
from tests.collectors.dcgm_rig import rows

GOOD, UNCERTAIN, _, _, BAD = Quality
MODEL = "model.llama"


class Server:
    """Answers every request with the text of the moment."""

    text = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection until it is closed."""
        while await reader.readline():
            while (await reader.readline()).strip():
                pass
            body = self.text.encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            await writer.drain()
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def rig(profile: str = "vllm") -> AsyncIterator[tuple[Server, Source]]:
    told = Server()
    server = await asyncio.start_server(told.answer, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    device = Device(
        id="llm-1",
        profile=profile,
        address=f"http://{host}:{port}/metrics",
        role="inference_server",
        interval_seconds=1.0,
    )
    source = open_source(device, load_profile(profile), Site(name="test", devices=(device,)))
    try:
        async with server:
            yield told, source
            await source.close()
    finally:
        await source.close()


def tokens(*of_engines: float, name: str = "vllm:generation_tokens_total") -> str:
    return "".join(
        f'{name}{{engine="{engine}",model_name="llama"}} {number}\n'
        for engine, number in enumerate(of_engines)
    )


def one(poll: Poll, quantity: str = "output_tokens_count", part: str = "") -> tuple[float, int]:
    return rows(poll)[MODEL + part, quantity]


async def test_engines_of_a_model_are_added_up() -> None:
    async with rig() as (server, source):
        server.text = tokens(1000, 234)
        assert one(await source.read()) == (1234.0, GOOD)
        server.text = tokens(1000, 235)
        assert one(await source.read()) == (1235.0, GOOD)


async def test_an_idle_server_is_good_and_not_stale() -> None:
    async with rig() as (server, source):
        server.text = tokens(1000) + 'vllm:num_requests_running{engine="0",model_name="llama"} 0\n'
        polls = [await source.read() for _ in range(5)]
    assert [set(poll.quality.tolist()) for poll in polls] == [{GOOD}] * 5


async def test_counters_that_begin_again_after_a_restart_are_good() -> None:
    async with rig() as (server, source):
        server.text = tokens(1_000_000)
        await source.read()
        server.text = tokens(25)
        assert one(await source.read()) == (25.0, GOOD)
        server.text = tokens(40)
        assert one(await source.read()) == (40.0, GOOD)


async def test_a_counter_that_falls_short_of_a_restart_is_uncertain() -> None:
    async with rig() as (server, source):
        server.text = tokens(1000)
        await source.read()
        server.text = tokens(900)
        assert one(await source.read()) == (900.0, UNCERTAIN)


async def test_a_sum_that_lacks_a_part_in_a_text_that_broke_off_is_none() -> None:
    async with rig() as (server, source):
        server.text = tokens(1000, 2000)
        await source.read()
        server.text = tokens(1001, 2001)[:-9]
        poll = await source.read()
        assert one(poll)[1] == BAD
        assert {failure.reason for failure in poll.failures} == {"not printed"}


async def test_the_old_and_the_new_name_of_a_histogram_count_once() -> None:
    old, new = "vllm:time_per_output_token_seconds", "vllm:inter_token_latency_seconds"
    printed = "".join(
        f'{name}_bucket{{le="{bound}",model_name="llama"}} {number}\n'
        for name in (old, new)
        for bound, number in (("0.05", 7), ("+Inf", 9))
    )
    async with rig() as (server, source):
        server.text = printed
        poll = await source.read()
        assert one(poll, "inter_token_latency_bucket_count", "/le.0.05") == (7.0, GOOD)
        assert one(poll, "inter_token_latency_bucket_count", "/le.inf") == (9.0, GOOD)
        server.text = printed.split(new, maxsplit=1)[0]
        poll = await source.read()
        assert one(poll, "inter_token_latency_bucket_count", "/le.0.05") == (7.0, GOOD)


async def test_a_count_that_dcgm_would_mean_as_blank_is_a_count_here() -> None:
    async with rig() as (server, source):
        server.text = tokens(2_147_483_632)
        assert one(await source.read()) == (2_147_483_632.0, GOOD)


async def test_series_without_labels_are_the_device_s_own() -> None:
    async with rig("huggingface-tgi") as (server, source):
        server.text = "# TYPE tgi_queue_size gauge\ntgi_queue_size 7\ntgi_request_success 3 17600\n"
        poll = await source.read()
    assert rows(poll) == {
        ("", "finished_requests_count"): (3.0, GOOD),
        ("", "waiting_requests_count"): (7.0, GOOD),
    }


@pytest.mark.parametrize("text", ["", "vllm:num_requests_running 3\n", "<html>no</html>\n"])
async def test_a_text_with_nothing_of_the_profile_is_refused(text: str) -> None:
    async with rig() as (server, source):
        server.text = text
        with pytest.raises(DeviceRefused, match="gives a field of the profile"):
            await source.read()
