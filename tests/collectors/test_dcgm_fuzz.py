"""Nothing that an exporter prints, or sends instead, crashes or hangs the driver."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Callable
from random import Random

import numpy as np
from dcgm_rig import PROFILE
from fuzzing import PATIENCE, examples
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_dcgm_exposition import TEXT, recognise

from collectors.dcgm.opening import open_dcgm
from collectors.dcgm.source import DcgmSource
from collectors.exporter.exposition import Exposition
from facility.errors import DeviceError
from facility.quality import Quality
from facility.site import Device, Site

pytestmark = PATIENCE
TIMEOUT_S = 3.0


def spoilt(random: Random) -> bytes:
    """The text with some of its bytes changed, doubled or left out, or cut short."""
    text = bytearray(TEXT)
    for _ in range(random.randrange(1, 6)):
        at = random.randrange(len(text) or 1)
        text = text or bytearray(TEXT)
        match random.randrange(4):
            case 0:
                text[at] = random.randrange(256)
            case 1:
                del text[at : at + random.randrange(1, 40)]
            case 2:
                text[at:at] = text[at : at + random.randrange(1, 40)]
            case _:
                del text[at + 1 :]
    return bytes(text)


def test_spoilt_texts_do_no_harm_to_the_next_good_one() -> None:
    random, exposition = Random(1), Exposition(recognise)
    for _ in range(examples(10_000)):
        scrape = exposition.read(spoilt(random))
        assert len(scrape.values) == len(exposition.series)
    good = exposition.read(TEXT)
    assert (good.malformed, good.conflicts, good.broke_off) == (0, [], False)
    assert sorted(value for value in good.values if not math.isnan(value)) == [64.1, 703.459]


PIECES = st.sampled_from(
    [
        b"DCGM_X", b"{", b"}", b'"', b"UUID=", b'UUID="a"', b"} ", b" ", b"\n", b"# HELP ", b"\\",
        b"NaN", b"Inf", b"1e999", b"9" * 400, b"\xff\xfe", b"\x00", b",", b"1_0", b"-", b"\r",
    ]
)  # fmt: skip


@settings(max_examples=examples(1000), deadline=None)
@given(st.lists(st.lists(PIECES | st.binary(max_size=6), max_size=12).map(b"".join), max_size=6))
@example([b'DCGM_X{UUID="' + b"\\" * 100_000 + b"\n"])
@example([b'DCGM_X{UUID="' + b'",a="' * 50_000 + b'"} 1\n'])
@example([b"{" * 100_000 + b"} 1\n"])
def test_no_bytes_crash_or_hang_it_and_every_value_has_a_series(texts: list[bytes]) -> None:
    exposition = Exposition(recognise)
    for text in [*texts, TEXT]:
        scrape = exposition.read(text)
        assert len(scrape.values) == len(exposition.series)
        assert math.isnan(scrape.values[0])
    assert 703.459 in scrape.values


NUMBERS = st.one_of(
    st.floats().map(repr),
    st.integers(-(2**64), 2**64).map(str),
    st.sampled_from(
        ["NaN", "+Inf", "-Inf", "1e999", "-1e999", "9" * 400, "0x10", "", "5 1700000000"]
    ),
)
SERIES = st.tuples(
    st.sampled_from([name for point in PROFILE.dcgm.points for name in point.names]),
    st.sampled_from(["GPU-1", "GPU-2", "", "\xff", "a b"]),
    NUMBERS,
)


class Told:
    """Texts as they are set, where the way they come is not the matter."""

    text = b""

    async def get(self) -> bytes:
        return self.text

    async def close(self) -> None:
        pass


@settings(max_examples=examples(600), deadline=None)
@given(st.lists(st.lists(SERIES, min_size=1, max_size=20), min_size=1, max_size=3))
def test_whatever_is_printed_what_is_good_is_a_number(
    texts: list[list[tuple[str, str, str]]],
) -> None:
    """Duplicate series, NaN and Inf, labels that are none."""
    told = Told()
    device = Device(id="node-1", profile="any", address="http://node", role="gpu_node")
    source = DcgmSource(device, PROFILE.dcgm, told)
    for series in texts:
        lines = [f'{name}{{gpu="0",UUID="{uuid}"}} {number}\n' for name, uuid, number in series]
        told.text = "".join(lines).encode("latin-1")
        try:
            poll = asyncio.run(source.read())
        except DeviceError:
            continue
        assert (np.isnan(poll.value) == (poll.quality == Quality.BAD)).all()
        assert np.isfinite(poll.value[poll.quality == Quality.GOOD]).all()
        assert len(poll.value) == len(poll.points)


OK = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def healthy(text: bytes = TEXT) -> bytes:
    return OK % len(text) + text


def spoilt_answer(random: Random) -> bytes:
    """An HTTP answer with its length, its coding, its head or its body wrong; or mere noise."""
    text = spoilt(random)
    match random.randrange(6):
        case 0:
            return random.randbytes(random.randrange(400))
        case 1:
            return OK % random.choice((0, 1, len(text) * 2, 10**18)) + text
        case 2:
            size = random.choice((b"%x" % len(text), b"ffffffffffff", b"-1", b"zz", b""))
            return CHUNKED + size + b"\r\n" + text + random.choice((b"\r\n0\r\n\r\n", b""))
        case 3:
            answer = bytearray(healthy(text))
            answer[random.randrange(min(60, len(answer)))] = random.randrange(256)
            return bytes(answer)
        case 4:
            answer = healthy(text)
            return answer[: random.randrange(len(answer))]
        case _:
            return healthy(text) + healthy(random.randbytes(20))


async def outcomes(spoil: Callable[[], bytes], count: int) -> Counter[str]:
    """Kind of error, or `poll`, of each answer; every one followed by a healthy answer."""
    now = [b""]

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(now[0])
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    kinds: Counter[str] = Counter()
    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        device = Device(
            id="node-1",
            profile="any",
            address=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}",
            role="gpu_node",
            timeout_seconds=TIMEOUT_S,
        )
        source = open_dcgm(device, PROFILE, Site(name="test", devices=(device,)))
        for _ in range(count):
            now[0] = spoil()
            try:
                await source.read()
                kinds["poll"] += 1
            except DeviceError as error:
                kinds[error.kind] += 1
            now[0] = healthy()
            poll = await source.read()
            assert {703.459, 64.1} <= set(poll.value.tolist())
        await source.close()
    return kinds


def test_spoilt_http_answers_are_named_and_the_next_one_is_read() -> None:
    random = Random(1)
    count = examples(1000)
    kinds = asyncio.run(outcomes(lambda: spoilt_answer(random), count))
    assert kinds.total() == count
    assert {"garbled", "refused", "poll"} <= kinds.keys()
    assert kinds.keys() <= {"garbled", "refused", "poll", "timeout", "unreachable"}
