"""What NVML is asked about, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

Handle = Any
"""nvmlDevice_t, of a GPU or of a MIG instance."""


class GpuGone(Exception):
    """A GPU answers no more; in NVML's words."""


class NoAnswer(Exception):
    """NVML does not give this; in its words."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU, or a MIG instance of one."""

    index: int
    uuid: str
    """Of the whole GPU, as DCGM prints it."""
    whole: Handle
    handle: Handle
    instance: int | None = None
    """Id of the MIG instance, DCGM's GPU_I_ID; None for the whole GPU."""


class Answer(NamedTuple):
    """A number in the unit of its DCGM field; NaN with the reason where there is none."""

    source: str
    number: float
    reason: str = ""


Answers = dict[int, Answer]
"""By DCGM field."""
