"""A short campaign of `make chaos`: kills, a zombie and a power cut while readings flow."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from apache_kafka import KafkaMissing
from brokers import without_kafka

from bench.chaos.campaign import Campaign
from bench.chaos.faults import (
    Fault,
    kill_broker,
    kill_collector,
    kill_everything,
    kill_maintainer,
    zombie_sink,
)

FAULTS: tuple[Fault, ...] = (
    kill_collector,
    kill_maintainer,
    zombie_sink,
    kill_broker,
    kill_everything,
)


@pytest.mark.timeout(300)
def test_whatever_is_killed_each_reading_is_in_the_lake_once_or_in_the_books(
    tmp_path: Path,
) -> None:
    try:
        campaign = Campaign(tmp_path, seed=1)
    except KafkaMissing as missing:
        without_kafka(missing)
    trials = asyncio.run(campaign.run(FAULTS, lambda _: None))
    assert [trial for trial in trials if not trial.is_clean] == []
    whole = trials[-1].found
    assert (whole.served, whole.stored) == (
        sum(trial.found.served for trial in trials[:-1]),
        sum(trial.found.stored for trial in trials[:-1]),
    )
    assert whole.stored > 5_000
    assert whole.booked > 0, "the kills cost nothing: no test"
