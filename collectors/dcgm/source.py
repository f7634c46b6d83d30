"""The GPUs of a node, through its exporter, as a source of polls."""

from __future__ import annotations

import numpy as np

from collectors.dcgm.expected import Expected
from collectors.dcgm.fields import Fields
from collectors.exporter.exposition import Exposition
from collectors.exporter.inventory import Numbering
from collectors.exporter.polls import Manners, Polls
from collectors.exporter.source import ExporterSource, Text
from collectors.profile import DcgmSection
from facility.site import Device

BLANKS = ((0x7FFFFFF0, 0x7FFFFFFF), (2**63 - 16, np.inf), (2.0**47, 2.0**47 + 15))
"""What DCGM writes for "no value" (dcgm_structs.h): int32, int64 and double, plus the reason.

As a double, every int64 blank is 2**63; some exporters have printed one as a temperature.
"""
MANNERS = Manners(blanks=BLANKS, samples_by_itself=True)


class DcgmSource(ExporterSource):
    """A node's GPUs and CPUs.

    Args:
        device: whom to read, how often, and the GPUs it must have.
        section: the fields.
        text: the exporter.
    """

    def __init__(self, device: Device, section: DcgmSection, text: Text) -> None:
        exposition = Exposition(Fields(section.points).recognise)
        super().__init__(device.id, text, exposition, gpu_polls(device, section, exposition))


def gpu_polls(device: Device, section: DcgmSection, series: Numbering) -> Polls:
    """The polls of a node's GPUs, whichever way their numbers come."""
    expected = Expected(device.gpus, section.points)
    return Polls(device, section.points, series, expected, MANNERS)
