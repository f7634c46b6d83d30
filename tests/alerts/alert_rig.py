"""Watches, samples and a board to play them to, for tests; times in seconds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from alerts.board import Action, Board, Deed
from alerts.samples import Samples
from alerts.transitions import microseconds
from alerts.watch import Measure, RuleFacts, Watch, build_table
from facility.alert import Transition

T0 = 1_790_000_000_000_000


def us(seconds: float) -> int:
    return round(seconds * 1e6)


def rule(name="hot", **facts) -> RuleFacts:
    given = {"name": name, "priority": 2, "class_": "cooling", "message": "{device}: {value}"}
    return RuleFacts(**(given | facts))


def watch(
    device="d",
    component="",
    quantity="q",
    *,
    rule="hot",
    inputs=(),
    on=0.0,
    off=0.0,
    stale=30.0,
    window=0.0,
    **facts,
) -> Watch:
    given = {
        "rule": rule, "device": device, "component": component, "quantity": quantity,
        "measure": Measure.LATEST, "inputs": inputs or ((device, component, quantity),),
        "fire": 30.0, "clear": 28.0, "on_delay_us": us(on), "off_delay_us": us(off),
        "stale_after_us": us(stale), "window_us": us(window),
    }  # fmt: skip
    return Watch(**(given | facts))


class Player:
    """A board, fed by hand."""

    def __init__(self, watches: Sequence[Watch], rules=(), feeds=(), *, last=(), at=0.0) -> None:
        self.board = Board(build_table(rules or [rule()], watches), feeds)
        self.told: list[Transition] = self.board.start(last, T0 + us(at))
        self._number = {key: number for number, key in enumerate(self.board.table.series)}

    def sample(self, at: float, *values, uncertain=False) -> list[str]:
        """Values by series, in the table's order, or pairs of (key, value)."""
        pairs = [
            (self._number[value[0]], value[1]) if isinstance(value, tuple) else (place, value)
            for place, value in enumerate(values)
        ]
        samples = Samples(
            np.array([number for number, _ in pairs], np.int32),
            np.full(len(pairs), T0 + us(at)),
            np.array([float(value) for _, value in pairs]),
            np.full(len(pairs), uncertain),
        )
        return self._note(self.board.take(samples, T0 + us(at), T0 + us(at)))

    def tick(self, at: float) -> list[str]:
        return self._note(self.board.tick(T0 + us(at), T0 + us(at)))

    def act(self, deed: Deed, at: float, *, which=0, until: float | None = None) -> list[str]:
        alert = self.board.table.alert[which]
        ends = {} if until is None else {"until_us": T0 + us(until)}
        return self._note(
            self.board.act(Action(alert, deed, "kim", **ends), T0 + us(at), T0 + us(at))
        )

    def _note(self, told: list[Transition]) -> list[str]:
        self.told += told
        return [f"{t.state}" for t in told]


def times(told: Sequence[Transition]) -> list[tuple[str, float]]:
    """State and seconds since T0 of each."""
    return [(str(t.state), (microseconds(t.happened_at) - T0) / 1e6) for t in told]
