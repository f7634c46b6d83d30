"""Hours of the simulator's demo, as its devices would be read, and one instrument gone wrong."""

from __future__ import annotations

import re
from functools import cache

import numpy as np

from alerts.board import Board
from alerts.rule_file import load_pack, load_rules
from alerts.samples import Samples
from alerts.selection import resolve
from alerts.watch import ANSWERED, POLLED, Measure, WatchTable
from busway.alert_rules import offers_of
from facility.alert import Transition
from facility.site import Site
from simulator.demo_site import demo_site
from simulator.plant import Plant

START_S, STEP_S = 1_790_000_000, 30
WHOLE_S, SPARE_S = 16_000, 150
DROP = 1e9


def slow_demo(step_s: int, racks: int = 2) -> Site:
    """The demo, its devices read every so many seconds."""
    site = demo_site(racks)
    slow = tuple(d.model_copy(update={"interval_seconds": float(step_s)}) for d in site.devices)
    return site.model_copy(update={"devices": slow})


def table_of(site: Site, plant: Plant) -> WatchTable:
    """What the pack watches once the site's devices have been read."""
    offers = offers_of(site)
    shown = [
        (device.id, component, quantity)
        for device in site.devices
        for template, quantity in offers.tables(device.profile)
        for component in plant.components(device.id)
        if re.fullmatch(re.sub(r"\\\{.*?\\\}", r"[^./]+", re.escape(template)), component)
    ]
    return resolve(load_rules(site.alerts), site, offers.with_shown(shown)).table


@cache
def demo() -> Site:
    return slow_demo(STEP_S)


@cache
def whole_table() -> WatchTable:
    return table_of(demo(), Plant(demo(), seed=1, start_at=START_S, step_s=STEP_S))


@cache
def hours() -> np.ndarray:
    """Steps by series: what is shown while all is well."""
    plant = Plant(demo(), seed=1, start_at=START_S, step_s=STEP_S)
    series = whole_table().series
    panel = plant.panel((device, [(component, q)]) for device, component, q in series)
    rows = []
    for second in range(0, WHOLE_S, STEP_S):
        plant.advance(START_S + second)
        rows.append(panel.read().copy())
    values = np.array(rows)
    values[:, [key[2] == POLLED for key in series]] = 1.0
    return values


def watched() -> list[str]:
    """The pack's rules that the demo's readings decide; those in SQL are asked of a lake."""
    table = whole_table()
    asked = {n for n, key in enumerate(table.series) if key[2] == ANSWERED}
    found = {
        table.rules[table.rule[n]].name
        for n in range(len(table))
        if table.inputs[table.input_start[n]] not in asked
    }
    return sorted(found & {placed.rule.name for placed in load_pack()})


def first_watch(rule: str) -> int:
    table = whole_table()
    return next(n for n in range(len(table)) if table.rules[table.rule[n]].name == rule)


def spans(watch: int) -> tuple[slice, int]:
    """Give the steps in which something is wrong, after as many as a window needs; and the end."""
    table = whole_table()
    window, on, off = (
        int(column[watch]) // 1_000_000
        for column in (table.window_us, table.on_delay_us, table.off_delay_us)
    )
    stale = int(table.stale_after_us[watch]) // 1_000_000
    begin = window + SPARE_S
    end = begin + window + on + stale + SPARE_S
    over = end + window + off + stale + SPARE_S
    return slice(begin // STEP_S, end // STEP_S), over // STEP_S


def gone_wrong(rule: str) -> np.ndarray:
    """As many of the hours as it takes, for some of which the rule's first watch is breached."""
    watch = first_watch(rule)
    wrong, whole = spans(watch)
    values = hours()[:whole].copy()
    rows = np.arange(wrong.start, wrong.stop)
    table = whole_table()
    inputs = table.inputs[table.input_start[watch] : table.input_start[watch + 1]]
    if Measure(table.measure[watch]) is Measure.SUM:
        values[np.ix_(rows, inputs)] = _beyond(values, watch, rows)[:, None] / len(inputs)
    elif Measure(table.measure[watch]) is Measure.COUNT:
        count = int(np.ceil(table.fire[watch]))
        values[np.ix_(rows, inputs[:count])] = _code(watch)
    else:
        values[rows, inputs[0]] = _shown(values, watch, rows)
    return values


def _shown(values: np.ndarray, watch: int, rows: np.ndarray) -> np.ndarray | float:  # noqa: PLR0911 - a kind a line
    """What the first input shows so that a watch of it, or of its likes, is breached."""
    table = whole_table()
    number = table.inputs[table.input_start[watch]]
    fire, before = float(table.fire[watch]), values[rows[0] - 1, number]
    match Measure(table.measure[watch]):
        case Measure.SILENCE:
            return float("nan")
        case Measure.FROZEN:
            return float(before)
        case Measure.RATE if table.quantity[watch] == "energy_imported_wh":
            return values[rows, number] - DROP
        case Measure.RATE:
            slope = 1.5 * fire / (table.window_us[watch] / 1e6)
            return before + slope * STEP_S * np.arange(len(rows))
        case Measure.NEMA:
            return values[rows, number] * (1 + 3 * fire)
        case Measure.MAX_MIN:
            return values[rows, number] * (1 - fire)
    return _code(watch) or _beyond(values, watch, rows)


def _beyond(values: np.ndarray, watch: int, rows: np.ndarray) -> np.ndarray:
    """Give what is a little beyond the threshold."""
    table = whole_table()
    fire, other = float(table.fire[watch]), table.relative_to[watch]
    threshold = np.full(len(rows), fire)
    if other >= 0:
        shown = values[rows, other]
        threshold = shown + fire if table.is_added[watch] else shown * fire
    margin = 0.02 * np.abs(threshold) + (fire == 0)
    return threshold - margin if table.below[watch] else threshold + margin


def play(rule: str, values: np.ndarray) -> list[Transition]:
    """What the engine says of a rule at its first watch, all other rules watching as well."""
    table = whole_table()
    board = Board(table, [(feed.source, feed.target) for feed in demo().feeds])
    board.start((), START_S * 1_000_000)
    told: list[Transition] = []
    for step, row in enumerate(values):
        now = (START_S + step * STEP_S) * 1_000_000
        series = np.flatnonzero(~np.isnan(row))
        count = len(series)
        samples = Samples(
            series.astype(np.int32), np.full(count, now), row[series], np.zeros(count, np.bool_)
        )
        told += board.take(samples, now, now) + board.tick(now, now)
    alert = table.alert[first_watch(rule)]
    return [made for made in told if made.alert == alert]


def _code(watch: int) -> float:
    """Give a code or flag that the watch is for; 0 where it is for a number."""
    table = whole_table()
    if mask := int(table.mask[watch]):
        return float(mask & -mask)
    if table.code_set[watch] >= 0:
        return float(np.flatnonzero(table.code_sets[table.code_set[watch]])[0])
    return 0.0
