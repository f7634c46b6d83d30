"""From samples of series to what they say of the watches; keeps latest values and windows."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from alerts.adopt import Moves, adopt_columns
from alerts.kernels import combine, judge
from alerts.machine import Judged, Verdict
from alerts.ragged import Ragged
from alerts.standing import LONG_AGO, Chosen
from alerts.watch import MOST_CODE, Flags, Floats, Integers, Measure, Numbers, WatchTable
from alerts.windows import Counts, Frozen, Rates

_Sampled: TypeAlias = tuple[Chosen, Integers, Integers, Floats, Flags]
"""Watches, the time of each one's newest input and of its oldest, its value, and whether that is
uncertain."""


class Evaluator:
    """The newest sample of each series, and the windows that some watches look back on."""

    def __init__(self, table: WatchTable) -> None:
        self._table = table
        self._inputs = Ragged(table.input_start, table.inputs)
        self._watches_of = self._inputs.inverted(len(table.series))
        self._at = np.full(len(table.series), LONG_AGO, np.int64)
        self._value = np.full(len(table.series), np.nan)
        self._uncertain = np.zeros(len(table.series), np.bool_)
        self._is_relative = bool((table.relative_to >= 0).any())
        self._is_coded = (table.mask != 0) | (table.code_set >= 0)
        self._has_codes = bool(self._is_coded.any())
        self._single = np.diff(table.input_start) == 1
        self._all_single = bool(self._single.all())
        self._row = np.zeros(len(table), np.int64)
        """Of a watch in the windows of its measure."""
        chosen = {measure: np.flatnonzero(table.measure == measure) for measure in Measure}
        for watches in chosen.values():
            self._row[watches] = np.arange(len(watches))
        self._rates = Rates(table.window_us[chosen[Measure.RATE]])
        self._frozen = Frozen(len(chosen[Measure.FROZEN]))
        self._counts = Counts(table.window_us[chosen[Measure.COUNT]])
        self._in_use = {measure for measure, watches in chosen.items() if len(watches)}

    def take(self, series: Numbers, at: Integers, value: Floats, uncertain: Flags) -> Judged:
        """Take samples, each series once; those that are not newer than the last are left out."""
        newer = at > self._at[series]
        if not newer.all():
            series, at = series[newer], at[newer]
            value, uncertain = value[newer], uncertain[newer]
        before = self._value[series]
        self._at[series], self._value[series] = at, value
        self._uncertain[series] = uncertain
        if Measure.COUNT in self._in_use:
            changed = np.flatnonzero((value != before) & ~np.isnan(before))
            self._note_events(series[changed], at[changed], value[changed], before[changed])
        return self._judge(*self._affected(series))

    def adopt(self, old: Evaluator, watches: Moves, series: Moves) -> None:
        """Go on with what another one knows of the same series and watches."""
        for mine, its in (
            (self._at, old._at),
            (self._value, old._value),
            (self._uncertain, old._uncertain),
        ):
            mine[series.new] = its[series.old]
        for measure, mine_of, its_of in (
            (Measure.RATE, self._rates, old._rates),
            (Measure.FROZEN, self._frozen, old._frozen),
            (Measure.COUNT, self._counts, old._counts),
        ):
            of_measure = watches.among(old._table.measure == measure)
            adopt_columns(its_of, mine_of, of_measure.renumbered(old._row, self._row))

    def _note_events(self, series: Numbers, at: Integers, value: Floats, before: Floats) -> None:
        origin, watches = self._watches_of.of(series)
        counting = self._table.measure[watches] == Measure.COUNT
        origin, watches = origin[counting], watches[counting]
        counted = self._counted(watches, value[origin])
        events = (counted > 0) & (counted != self._counted(watches, before[origin]))
        self._counts.take(self._row[watches], at[origin], events)

    def _counted(self, watches: Chosen, value: Floats) -> Floats:
        """Give what counts of each input: some of its bits, or only certain codes."""
        coded = np.flatnonzero(self._is_coded[watches]) if self._has_codes else ()
        if len(coded) == 0:
            return value
        table = self._table
        chosen = watches[coded]
        whole = np.clip(value[coded], 0, 2.0**62).astype(np.int64)
        mask, code_set = table.mask[chosen], table.code_set[chosen]
        counted = np.where(mask != 0, whole & mask, value[coded])
        if len(table.code_sets):
            known = table.code_sets[code_set, np.minimum(whole, MOST_CODE + 1)]
            counted[(code_set >= 0) & ~known] = 0.0
        value = value.copy()
        value[coded] = counted
        return value

    def _affected(self, series: Numbers) -> _Sampled:
        """Give the watches that any of the series is an input of, with what they come to."""
        _, watches = self._watches_of.of(series)
        if self._all_single:
            return self._of_one(watches)
        one = self._of_one(watches[self._single[watches]])
        if len(several := np.unique(watches[~self._single[watches]])) == 0:
            return one
        many = self._of_several(several)
        return (
            np.concatenate([one[0], many[0]]),
            np.concatenate([one[1], many[1]]),
            np.concatenate([one[2], many[2]]),
            np.concatenate([one[3], many[3]]),
            np.concatenate([one[4], many[4]]),
        )

    def _of_one(self, watches: Chosen) -> _Sampled:
        series = self._inputs.values[self._inputs.start[watches]]
        at = self._at[series]
        value = self._counted(watches, self._value[series])
        return watches, at, at, value, self._uncertain[series]

    def _of_several(self, watches: Chosen) -> _Sampled:
        _, series = self._inputs.of(watches)
        counts = self._inputs.start[watches + 1] - self._inputs.start[watches]
        starts = np.cumsum(counts) - counts
        at = np.maximum.reduceat(self._at[series], starts)
        since = np.minimum.reduceat(self._at[series], starts)
        value = combine(self._value[series], starts, self._table.measure[watches])
        counting = self._table.measure[watches] == Measure.COUNT
        since[counting] = at[counting]
        value[since + self._table.stale_after_us[watches] <= at] = np.nan
        return watches, at, since, value, np.logical_or.reduceat(self._uncertain[series], starts)

    def _judge(
        self, watches: Chosen, at: Integers, since: Integers, value: Floats, uncertain: Flags
    ) -> Judged:
        table = self._table
        measure = table.measure[watches]
        if Measure.RATE in self._in_use:
            chosen = measure == Measure.RATE
            value[chosen] = self._rates.take(self._row[watches[chosen]], at[chosen], value[chosen])
        if Measure.FROZEN in self._in_use:
            chosen = measure == Measure.FROZEN
            value[chosen] = self._frozen.take(self._row[watches[chosen]], at[chosen], value[chosen])
        if Measure.COUNT in self._in_use:
            chosen = measure == Measure.COUNT
            value[chosen] = self._counts.counts(self._row[watches[chosen]], at[chosen])
        fire, clear = self._thresholds(watches)
        verdict = judge(value, fire, clear, table.below[watches], uncertain)
        if Measure.SILENCE in self._in_use:
            chosen = measure == Measure.SILENCE
            verdict[chosen], value[chosen] = Verdict.CLEAR, 0.0
            fire = np.where(chosen, table.stale_after_us[watches] / 1e6, fire)
        return Judged(watches, at, since, verdict, value, fire)

    def _thresholds(self, watches: Chosen) -> tuple[Floats, Floats]:
        """Give `fire` and `clear`; multiples of a rating that is unknown are NaN."""
        fire, clear = self._table.fire[watches], self._table.clear[watches]
        if not self._is_relative:
            return fire, clear
        rating = self._table.relative_to[watches]
        reading = self._value[rating]
        added = self._table.is_added[watches]
        factor = np.where((rating >= 0) & ~added, reading, 1.0)
        offset = np.where((rating >= 0) & added, reading, 0.0)
        return fire * factor + offset, clear * factor + offset
