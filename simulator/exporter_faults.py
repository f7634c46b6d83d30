"""What can be wrong with any exporter's HTTP."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class ExporterFaults:
    """What is wrong with the answers; all off at first."""

    status: int = 200
    """Of every answer."""
    stalled: bool = False
    """No answer comes."""
    truncated: bool = False
    """The connection closes in the middle of an answer."""
    endless: bool = False
    """The answer goes on and on."""
