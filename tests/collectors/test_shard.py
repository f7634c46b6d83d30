"""Sharding: whole, disjoint, even, stable, and never through a gateway."""

from __future__ import annotations

import socket
from collections import Counter

import pytest

from collectors.shard import WHOLE_SITE, Shard
from facility.errors import ConfigError
from facility.site import Device

DEVICES = [
    Device(
        id=f"meter-{i}", profile="any", address=f"modbus://10.0.{i // 250}.{i % 250}", role="ups"
    )
    for i in range(2000)
]


def owners(count: int) -> list[int]:
    shards = [Shard(number, count) for number in range(count)]
    found = [[s.number for s in shards if s.owns(device)] for device in DEVICES]
    assert all(len(numbers) == 1 for numbers in found)
    return [numbers[0] for numbers in found]


def test_every_device_has_one_owner_and_shares_are_even() -> None:
    assert all(350 < n < 450 for n in Counter(owners(5)).values())


def test_one_more_daemon_moves_only_what_it_takes() -> None:
    moved = [(a, b) for a, b in zip(owners(5), owners(6), strict=True) if a != b]
    assert {b for _, b in moved} == {5}
    assert len(moved) < 2000 / 6 * 1.2


def test_units_behind_one_gateway_stay_together() -> None:
    units = [
        Device(id=f"unit-{n}", profile="any", address=f"modbus://gw?unit={n}", role="ups")
        for n in range(1, 30)
    ]
    assert sorted(len(Shard(n, 4).share(units)) for n in range(4)) == [0, 0, 0, 29]


def test_one_shard_is_the_whole_site() -> None:
    assert WHOLE_SITE.share(DEVICES) == tuple(DEVICES)
    assert Shard.parse("2/8") == Shard(2, 8)


def test_a_machines_own_gpus_are_polled_on_it_and_left_out_elsewhere() -> None:
    own = socket.gethostname().lower()
    here, there = (
        Device(id=name, profile="any", address=f"nvml://{host}", role="gpu_node")
        for name, host in (("here", own), ("there", f"not-{own}"))
    )
    devices = [here, there, *DEVICES]
    assert Shard.parse("local").share(devices) == (here,)
    assert WHOLE_SITE.share(devices) == (here, *DEVICES)
    assert sum(Shard(number, 3).owns(here) for number in range(3)) == 1
    assert not any(Shard(number, 3).owns(there) for number in range(3))
    assert Shard.parse("local").collector == f"collector-{own}"


@pytest.mark.parametrize("text", ["", "3", "4/4", "5/4", "a/b", "0/0", "-1/4", "1/2/3", "1 / 2"])
def test_a_wrong_shard_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ConfigError, match="such as 2/8"):
        Shard.parse(text)
