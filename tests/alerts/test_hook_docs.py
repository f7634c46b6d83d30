"""docs/alerts.md tells of every kind of hook, variable, metric, name in a title, and command."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from hook_rig import T0
from prometheus_client import Counter, Gauge, Histogram
from typer.main import get_command

from alerts import delivery, heartbeat, queue, telling
from alerts.hooks.program import environment
from alerts.sample import samples
from busway.cli import app
from facility.alert_hooks import TITLE_NAMES, Hook

PAGE = (Path(__file__).parents[2] / "docs/alerts.md").read_text("utf-8")


def test_every_kind_of_hook() -> None:
    kinds = {
        get_args(model.model_fields["kind"].annotation)[0] for model in get_args(get_args(Hook)[0])
    }
    assert len(kinds) == 7
    assert {kind for kind in kinds if f"| `{kind}` |" not in PAGE} == set()


OF_COMMANDS = {"BUSWAY_ALERTS", "BUSWAY_ALERTS_TOKEN", "BUSWAY_ALERTS_TOKEN_FILE"}


def test_every_variable_and_no_other() -> None:
    told = set(environment(next(samples("a", "s", T0)))) - {"PATH"}
    assert set(re.findall(r"`(BUSWAY_[A-Z_]+)`", PAGE)) - OF_COMMANDS == told


def test_every_name_of_a_title() -> None:
    assert {name for name in TITLE_NAMES if f"`{{{name}}}`" not in PAGE} == set()


def test_every_metric_of_hooks() -> None:
    names = {
        metric._name
        for module in (delivery, heartbeat, queue, telling)
        for metric in vars(module).values()
        if isinstance(metric, Counter | Gauge | Histogram)
    }
    assert len(names) == 5
    assert {name for name in names if f"`{name}" not in PAGE} == set()


def test_every_command() -> None:
    commands = get_command(app).commands["alert"].commands
    named = {name for name in commands if re.search(rf"`(busway alert )?{name}\b", PAGE)}
    assert commands.keys() - named - {"rules"} == set()
