"""Against libmodbus: a server that is none of ours, its registers laid out in C."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from installable import is_missing
from modbus_rig import HOST, profile, source_at

from collectors.source import Poll
from facility.quality import Quality

SERVER = Path(__file__).with_name("foreign") / "modbus_server.c"
HEADER = Path("/usr/include/modbus/modbus.h")
ORDERS = ("ABCD", "BADC", "CDAB", "DCBA")
PLACES = {
    "int16": (0, -12345),
    "uint16": (1, 54321),
    "int32": (2, -1234567890),
    "uint32": (4, 3456789012),
    "float32": (6, 1234.5),
    "int64": (8, -1234567890123456),
    "uint64": (12, 9007199254740991),
    "float64": (16, 987654.321),
}
"""Offset and value of each type, as `modbus_server.c` places them."""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    compiler = shutil.which("cc")
    if compiler is None:
        is_missing("a C compiler")
    if not HEADER.exists():
        is_missing("libmodbus (libmodbus-dev)")
    program = tmp_path_factory.mktemp("libmodbus") / "server"
    command = [
        compiler,
        "-Wall",
        "-Werror",
        f"-I{HEADER.parent}",
        SERVER,
        "-o",
        program,
        "-lmodbus",
    ]
    subprocess.run(command, check=True, timeout=60)
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        free = probe.getsockname()[1]
    with subprocess.Popen([program, str(free)], stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"listening\n"
        yield free
        server.terminate()


def number(address: int, kind: str, **more: object) -> dict[str, object]:
    """A point without a unit of its own, a component named by its table and address."""
    place = {"component": f"{more.get('table', 'holding')}.{address}", "address": address}
    return {"quantity": "status_code", "type": kind, **place, **more}


async def read(port: int, *points: dict[str, object], **section: object) -> Poll:
    source = source_at(HOST, port, profile(*points, **section))
    try:
        return await source.read()
    finally:
        await source.close()


@pytest.mark.parametrize("order", ORDERS)
async def test_every_type_in_every_word_order(port: int, order: str) -> None:
    start = 100 * ORDERS.index(order)
    points = [number(start + offset, kind) for kind, (offset, _) in PLACES.items()]
    poll = await read(port, *points, word_order=order)
    assert poll.value.tolist() == [value for _, value in PLACES.values()]
    assert poll.failures == ()


async def test_all_four_orders_beside_each_other_in_one_device(port: int) -> None:
    points = [
        number(100 * n + offset, kind, word_order=order)
        for n, order in enumerate(ORDERS)
        for kind, (offset, _) in PLACES.items()
    ]
    poll = await read(port, *points)
    assert poll.value.tolist() == 4 * [value for _, value in PLACES.values()]


async def test_function_codes_1_to_4_in_one_poll(port: int) -> None:
    poll = await read(
        port,
        *(number(n, "bit", table="coil") for n in range(16)),
        *(number(n, "bit", table="discrete") for n in range(16)),
        number(0, "uint16", table="input"),
        number(1, "float32", table="input", word_order="CDAB"),
        number(1, "uint16"),
        number(0, "bit", table="holding", bit=3),
    )
    assert poll.failures == ()
    assert poll.value[:16].tolist() == [n % 3 == 0 for n in range(16)]
    assert poll.value[16:32].tolist() == [n % 2 == 0 for n in range(16)]
    assert poll.value[32:].tolist() == [4242, float(np.float32(49.98)), 54321, -12345 >> 3 & 1]


async def test_registers_that_answer_with_an_exception_cost_only_themselves(port: int) -> None:
    """450 to 459 fail with exception 4; 500 and on are unknown to the server, exception 2."""
    addresses = (448, 449, 450, 459, 460, 499, 500, 505)
    poll = await read(port, *(number(a, "uint16") for a in addresses), limits={"largest_gap": 20})
    bad = {addresses[n] for n in np.flatnonzero(poll.quality == Quality.BAD)}
    assert bad == {450, 459, 500, 505}
    reasons = {addresses[f.row]: f.reason for f in poll.failures}
    assert reasons[450] == "refused: exception 4 (device failure) for holding 450"
    assert reasons[500] == "refused: exception 2 (illegal data address) for holding 500"
