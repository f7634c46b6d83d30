"""What people ask of the running alert engine, and tell it, from the command line."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa

from busway.format import Format
from busway.health import tell
from busway.output import write_table
from busway.site import lake_location
from facility.errors import QueryError
from facility.secret import Secret
from warehouse.lake import Lake
from warehouse.query import run_sql

TOKEN_VARIABLE = "BUSWAY_ALERTS_TOKEN"  # noqa: S105 - where it is, not what
HISTORY = "from alerts where $alert in ('', alert) order by happened_at, alert, number"


@dataclass(frozen=True, slots=True)
class Desk:
    """Where the engine listens, and what lets us in."""

    address: str
    token_file: Path | None = None

    def token(self) -> str:
        """Read the token, of the file or of the environment; empty where there is none.

        Raises:
            ConfigError: the file cannot be read.
        """
        if self.token_file is not None:
            return Secret(file=self.token_file).reveal()
        return os.environ.get(TOKEN_VARIABLE, "")


def print_alerts(desk: Desk, output_format: Format) -> None:
    """Print the alerts that are not normal, the most urgent first."""
    _print(_ask(desk, "GET", "/alerts"), output_format, "No alert stands.")


def act(desk: Desk, deed: str, alerts: Sequence[str], actor: str, **said: Any) -> None:
    """Do something with alerts, one after the other, and say how each stands then."""
    for alert in alerts:
        path = f"/alerts/{quote(alert, safe='')}/{deed}"
        for told in _ask(desk, "POST", path, {"actor": actor, **said}):
            print(f"{told['alert']} {told['state']}: {told['message']}")


def print_silences(desk: Desk, output_format: Format) -> None:
    """Print all silences."""
    _print(_ask(desk, "GET", "/silences"), output_format, "There is no silence.")


def silence(desk: Desk, matches: Sequence[str], hours: float, author: str, comment: str) -> None:
    """Make a silence of `name=pattern` texts, and say its id."""
    said = {"match": _match(matches), "hours": hours, "author": author, "comment": comment}
    made = _ask(desk, "POST", "/silences", said)
    print(f"Silence {made['silence']} until {made['ends']}")


def end_silence(desk: Desk, silence: str) -> None:
    """End a silence."""
    _ask(desk, "POST", f"/silences/{quote(silence, safe='')}/end", {})
    print(f"Silence {silence} is over.")


def print_hooks(desk: Desk, output_format: Format) -> None:
    """Print how each hook does."""
    _print(_ask(desk, "GET", "/hooks"), output_format, "The site file has no hooks.")


def test_hook(desk: Desk, hook: str) -> None:
    """Have the engine send a sample."""
    _ask(desk, "POST", f"/hooks/{quote(hook, safe='')}/test", {})
    print(f"The hook {hook} has taken an alert that begins, and ends.")


def print_history(lake: Path, alert: str, output_format: Format) -> None:
    """Print the transitions of one alert, or of all, from the lake.

    Raises:
        LakeUnavailable: there is no lake, or it cannot be read.
    """
    with Lake.open_read_only(lake_location(lake)) as opened:
        write_table(run_sql(opened, HISTORY, {"alert": alert}), output_format)


def _ask(desk: Desk, method: str, path: str, said: Mapping[str, Any] | None = None) -> Any:
    return asyncio.run(tell(desk.address, method, path, said, token=desk.token()))


def _match(texts: Sequence[str]) -> dict[str, list[Any]]:
    match: dict[str, list[Any]] = {}
    for text in texts:
        name, equals, pattern = text.partition("=")
        if not equals or not name:
            raise QueryError(f"expected NAME=PATTERN such as device=hall-1/*, found {text!r}")
        is_number = name == "priority" and pattern.isdigit()
        match.setdefault(name, []).append(int(pattern) if is_number else pattern)
    return match


def _print(rows: Sequence[Mapping[str, Any]], output_format: Format, nothing: str) -> None:
    if rows or output_format is not Format.TABLE:
        write_table(pa.Table.from_pylist([dict(row) for row in rows]), output_format)
    else:
        print(nothing)
