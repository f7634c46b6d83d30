"""A device read over Modbus."""

from __future__ import annotations

import time
from collections.abc import Callable

from collectors.faults import Faults
from collectors.growth import NO_LIMITS, Limits, fastest_growth
from collectors.modbus.decode import Decoder, decoder_of
from collectors.modbus.frames import ModbusRefused
from collectors.modbus.gateway import Gateway
from collectors.modbus.planner import Range, value_range
from collectors.modbus.reading import Answers, Reading
from collectors.profile import ModbusSection
from collectors.quality import Judge
from collectors.source import SHARE_OF_DEADLINE, PointFailure, Poll
from facility.errors import DeviceError
from facility.point import PointTable
from facility.site import Device


class ModbusSource:
    """One device: its line, its reads, its decoder."""

    def __init__(
        self,
        device: Device,
        section: ModbusSection,
        gateway: Gateway,
        clock: Callable[[], float] = time.monotonic,
        *,
        limits: Limits = NO_LIMITS,
    ) -> None:
        self.device = device.id
        self._unit = device.address.unit
        self._timeout_s = device.timeout_seconds * SHARE_OF_DEADLINE
        self._section = section
        self._gateway = gateway
        self._faults = Faults(device.id)
        self._points = point_table(device.id, section)
        self.points_expected = len(self._points)
        self._places = [value_range(point, section) for point in section.points]
        self._reading = Reading(section, self._ask, clock)
        self._decoder = decoder_of(section, ())
        rates = fastest_growth(self._points.components, self._points.quantities, limits)
        self._judge = Judge(section.points, device.interval_seconds, max_rates=rates)
        self._states_scales = any(p.counter and p.exponent_address for p in section.points)

    async def read(self) -> Poll:
        """Read every point once; see `collectors.source.Source`."""
        self._gateway.join(self, self._unit, self._section.limits.gap_milliseconds / 1000)
        answers = await self._reading.once(time.monotonic() + self._timeout_s)
        sampled_at_us = time.time_ns() // 1000
        decoder = self._decoder_of(tuple(answers.payloads))
        payloads = list(answers.payloads.values())
        value, missing = decoder.decode(payloads)
        if self._states_scales:
            self._judge.rescale(decoder.unit_per_count(payloads))
        quality = self._judge.judge(value, missing, sampled_at_us)
        failures = self._failures(decoder, answers)
        return Poll(self._points, sampled_at_us, value, quality, failures)

    async def close(self) -> None:
        """Leave the line; safe before the first read, and twice."""
        self._gateway.leave(self)
        self._faults.forget()

    async def _ask(self, place: Range, deadline: float) -> bytes:
        try:
            return await self._gateway.read(self._unit, place, deadline)
        except ModbusRefused as error:
            self._faults.count(f"exception {error.code}")
            raise
        except DeviceError as error:
            self._faults.count(error.kind)
            raise

    def _decoder_of(self, blocks: tuple[Range, ...]) -> Decoder:
        """The decoder of these blocks; polls mostly read the same ones."""
        if blocks != self._decoder.blocks:
            self._decoder = decoder_of(self._section, blocks)
        return self._decoder

    def _failures(self, decoder: Decoder, answers: Answers) -> tuple[PointFailure, ...]:
        return tuple(
            PointFailure(row, self._reason(self._places[row], answers)) for row in decoder.absent
        )

    def _reason(self, place: Range, answers: Answers) -> str:
        quarantine = self._reading.refusals.reason(place)
        return quarantine or answers.reason(place) or "its scale could not be read"


def point_table(device: str, section: ModbusSection) -> PointTable:
    """The fixed columns of a Modbus device."""
    points = section.points
    return PointTable(
        device=device,
        components=tuple(point.component for point in points),
        quantities=tuple(point.quantity for point in points),
        sources=tuple(f"{value_range(point, section)} {point.type}" for point in points),
    )
