"""docs/alerts.md tells of the states and metrics that there are."""

from __future__ import annotations

import re
from pathlib import Path

from prometheus_client import Counter, Gauge

from alerts import engine, history, queries, samples
from facility.alert import State

PAGE = (Path(__file__).parents[2] / "docs/alerts.md").read_text("utf-8")
ENGINE = PAGE.split("## The engine")[1].split("\n## ")[0]


def test_every_state_is_explained() -> None:
    table = ENGINE.split("| state | means |")[1].split("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == {str(s) for s in State}


def test_every_metric_of_the_engine_is_named_and_no_other() -> None:
    ours = {
        metric._name
        for module in (engine, history, queries, samples)
        for metric in vars(module).values()
        if isinstance(metric, Counter | Gauge)
    }
    named = re.findall(r"`(busway_alert\w+?)(?:_total)?(?:\{[a-z,]+\})?`", ENGINE)
    assert len(ours) > 5
    assert set(named) == ours
