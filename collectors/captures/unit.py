"""Recorded registers as a Modbus unit: read by a profile, or asked what they are of."""

from __future__ import annotations

from collections.abc import Mapping

from collectors.captures.line import CaptureTransport
from collectors.captures.registers import Place
from collectors.modbus.frames import ModbusRefused
from collectors.modbus.gateway import Gateway
from collectors.modbus.identification import ILLEGAL_FUNCTION
from collectors.modbus.planner import Range
from collectors.modbus.source import ModbusSource
from collectors.profile import ModbusSection
from collectors.source import Poll
from facility.site import Device


class CaptureUnit:
    """A `collectors.identify.unit.Unit`; of itself it says nothing but its SunSpec models."""

    def __init__(self, device: Device, values: Mapping[Place, int]) -> None:
        self._device = device
        self._values = values

    async def identification(self) -> Mapping[str, str]:
        """See `Unit`."""
        raise ModbusRefused(ILLEGAL_FUNCTION, "device identification, not in the capture")

    async def read(self, place: Range) -> bytes:
        """See `Unit`."""
        transport = CaptureTransport(self._values, place.table)
        return await transport.read(self._device.address.unit, place, 0)

    async def poll(self, section: ModbusSection) -> Poll:
        """See `Unit`."""
        return await registers_source(self._device, section, self._values).read()


def registers_source(
    device: Device, section: ModbusSection, values: Mapping[Place, int]
) -> ModbusSource:
    """The source that reads the registers as a device of this section."""
    transport = CaptureTransport(values, section.table)
    return ModbusSource(device, _unhurried(section), Gateway(transport))


def _unhurried(section: ModbusSection) -> ModbusSection:
    """Without the silence that the device itself would need between requests."""
    return section.model_copy(
        update={"limits": section.limits.model_copy(update={"gap_milliseconds": 0})}
    )
