"""The meters of the simulated plant over months of its life, read every five minutes, as columns.

The plant's own powers, each meter's error included, become registers: summed, wrapped at the
modulus, cut to whole counts. What goes wrong on a site is laid over them: faults for a while,
registers that begin again, readings that never come. The registers of a Modbus meter whose words
are swapped go through the simulator's encoding, the collectors' decoder and judge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from plant_readings import ModbusMeter

from facility.counter import CounterFacts
from facility.quality import Quality
from facility.reading import READINGS
from facility.site import Meter, Site
from simulator.plant import Plant
from simulator.plant.meter_faults import MeterFault, gain_of
from simulator.truth import Truth
from warehouse.dimension_rows import CounterFactsOf

Floats = npt.NDArray[np.float64]
Span = tuple[float, float]
"""Unix seconds, from one up to the other."""
POLL_S = 300.0
STEP_S = 3500.0
"""Of the plant: within one, powers are constant and registers rise evenly."""


@dataclass(frozen=True)
class Trouble:
    """What happens to the meters, by device."""

    wrong: Sequence[tuple[MeterFault, Span]] = ()
    """Wired or set up wrongly for a while."""
    opening_wh: dict[str, float] = field(default_factory=dict)
    """What a register shows when the plant begins, where that matters."""
    begins_again: dict[str, tuple[float, float]] = field(default_factory=dict)
    """When a register is reset, or its meter swapped, and what it shows then."""
    unread: dict[str, Sequence[Span]] = field(default_factory=dict)
    """Times of which there are no readings."""


class PlantYear:
    """A plant that has lived its whole life; its meters can be read at any time of it."""

    def __init__(
        self, site: Site, span: Span, trouble: Trouble, facts: CounterFactsOf, *, seed: int
    ) -> None:
        self.site, self._span, self._trouble = site, span, trouble
        profiles = {device.id: device.profile for device in site.devices}
        self._profiles = profiles
        self._facts = {
            meter.device: facts(profiles[meter.device], meter.component, "energy_imported_wh")
            for meter in site.meters
        }
        steps = int((span[1] - span[0]) / STEP_S) + 1
        self._plant = Plant(
            site,
            seed=seed,
            start_at=span[0],
            step_s=STEP_S,
            remembered_steps=steps + 1,
            metering_error=True,
        )
        self._edges_s = span[0] + STEP_S * np.arange(steps + 1)
        self._opening_wh, self._power_w = self._live(steps)

    def truth(self, from_s: float, to_s: float) -> Truth:
        """What truly flowed in between."""
        return self._plant.truth(to_s) - self._plant.truth(from_s)

    def readings(self, meter: Meter, span: Span, *, unread: bool = False) -> pa.Table:
        """What the meter's polls in the span gave; with `unread`, what the others would have."""
        polls = self.polls(meter, span, unread=unread)
        columns = self._shown(self.site.meters.index(meter), meter, polls)
        return pa.concat_tables(
            _table(meter, quantity, polls, values, quality)
            for quantity, (values, quality) in columns.items()
        )

    def polls(self, meter: Meter, span: Span, *, unread: bool = False) -> Floats:
        """When the meter was read in the span, Unix seconds; with `unread`, when it was not."""
        phase_s = 2.0 + 1.3 * (self.site.meters.index(meter) % 7)
        polls = np.arange(span[0] // POLL_S * POLL_S + phase_s, span[1], POLL_S)
        polls = polls[polls >= max(span[0], self._span[0])]
        return polls[self._is_in(polls, self._trouble.unread.get(meter.device, ())) == unread]

    def _live(self, steps: int) -> tuple[Floats, Floats]:
        """Opening registers, and the powers that meters show; rows are steps."""
        points = [(m.device, m.component) for m in self.site.meters]
        panels = [
            self._plant.panel([(device, [(component, quantity)]) for device, component in points])
            for quantity in ("energy_imported_wh", "active_power_w")
        ]
        opening_wh = panels[0].read()
        power_w = np.empty((steps, len(points)))
        for step in range(steps):
            self._plant.advance(self._edges_s[step])
            power_w[step] = panels[1].read()
        self._plant.advance(self._edges_s[-1])
        return opening_wh, power_w

    def _shown(
        self, place: int, meter: Meter, polls: Floats
    ) -> dict[str, tuple[Floats, npt.NDArray[np.uint8]]]:
        edges_s, power_w = self._faulty_power(place, meter)
        step = np.searchsorted(edges_s, polls, side="right") - 1
        counted = {}
        for quantity, rate_w in (
            ("energy_imported_wh", np.maximum(power_w, 0)),
            ("energy_exported_wh", np.maximum(-power_w, 0)),
        ):
            total = np.concatenate([[0.0], np.cumsum(rate_w * np.diff(edges_s) / 3600)])
            counted[quantity] = total[step] + rate_w[step] * (polls - edges_s[step]) / 3600
        shown = {"active_power_w": power_w[step]}
        shown["energy_imported_wh"] = self._register(place, meter, polls, counted)
        if self._profiles[meter.device].startswith("schneider"):
            shown["energy_exported_wh"] = np.floor(counted["energy_exported_wh"])
        good = np.zeros(polls.size, np.uint8)
        found = {quantity: (values, good) for quantity, values in shown.items()}
        swapped = self._is_in(
            polls,
            [
                span
                for fault, span in self._trouble.wrong
                if fault.device == meter.device and fault.kind == "word_swapped"
            ],
        )
        if swapped.any():
            _swap(meter, self._profiles[meter.device], polls, swapped, found)
        return found

    def _faulty_power(self, place: int, meter: Meter) -> tuple[Floats, Floats]:
        """Edges of stretches of constant power, and the power shown in each."""
        mine = [(f, span) for f, span in self._trouble.wrong if f.device == meter.device]
        edges_s = np.unique([*self._edges_s, *(moment for _, span in mine for moment in span)])
        step = np.searchsorted(self._edges_s, edges_s[:-1], side="right") - 1
        power_w = self._power_w[step, place]
        for fault, span in mine:
            inside = (edges_s[:-1] >= span[0]) & (edges_s[:-1] < span[1])
            power_w = np.where(inside, power_w * gain_of([fault], {meter.device: 0})[0], power_w)
        return edges_s, power_w

    def _register(
        self, place: int, meter: Meter, polls: Floats, counted: dict[str, Floats]
    ) -> Floats:
        facts = self._facts[meter.device] or CounterFacts(modulus=None, resolution=1.0)
        opening = self._trouble.opening_wh.get(meter.device, self._opening_wh[place])
        register = opening + counted["energy_imported_wh"]
        if meter.device in self._trouble.begins_again:
            since_s, shown_wh = self._trouble.begins_again[meter.device]
            edges_s, power_w = self._faulty_power(place, meter)
            hours = np.clip(since_s - edges_s[:-1], 0, np.diff(edges_s)) / 3600
            before = float((np.maximum(power_w, 0) * hours).sum())
            again = shown_wh + counted["energy_imported_wh"] - before
            register = np.where(polls >= since_s, again, register)
        if facts.modulus is not None:
            register %= facts.modulus
        return np.floor(register / facts.resolution) * facts.resolution

    @staticmethod
    def _is_in(polls: Floats, spans: Sequence[Span]) -> npt.NDArray[np.bool_]:
        inside = np.zeros(polls.size, np.bool_)
        for start_s, end_s in spans:
            inside |= (polls >= start_s) & (polls < end_s)
        return inside


def _swap(
    meter: Meter,
    profile: str,
    polls: Floats,
    swapped: npt.NDArray[np.bool_],
    found: dict[str, tuple[Floats, npt.NDArray[np.uint8]]],
) -> None:
    """Read the polls within the fault through registers whose words come in reverse."""
    reader = ModbusMeter(meter, profile, swapped=True, interval_s=POLL_S)
    shown = {quantity: (values.copy(), good.copy()) for quantity, (values, good) in found.items()}
    for row in np.flatnonzero(swapped).tolist():
        now = {quantity: float(values[row]) for quantity, (values, _) in found.items()}
        for quantity, value, quality in reader.read(lambda _d, _c, q: now[q], polls[row]):  # noqa: B023 - called at once
            shown[quantity][0][row], shown[quantity][1][row] = value, quality
    found.update(shown)


def _table(
    meter: Meter, quantity: str, polls: Floats, values: Floats, quality: npt.NDArray[np.uint8]
) -> pa.Table:
    count = polls.size
    names = {"device": meter.device, "component": meter.component, "quantity": quantity}
    return pa.table(
        {
            "ts": pa.array(np.round(polls * 1e6).astype(np.int64)).cast(READINGS.field("ts").type),
            **{
                name: pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), [value])
                for name, value in names.items()
            },
            "value": pa.array(values, mask=quality == Quality.BAD),
            "quality": quality,
        },
        schema=READINGS,
    )
