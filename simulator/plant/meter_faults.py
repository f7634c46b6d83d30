"""What can be wrong with how a meter is wired or set up, as a list that a test or a file gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from facility.errors import ConfigError
from simulator.plant.arrays import Floats


class MeterFault(BaseModel):
    """One fault of one device, there from the start.

    - `ct_ratio`: it counts `factor` times what flows, as when it is set to another ratio than its
      current transformers have (2 for a meter set to 400/5 on transformers of 200/5).
    - `reversed_ct`: its current transformers are turned round: its power is negative, and its
      export register counts what the import register should.
    - `word_swapped`: the registers of its longer values come in reverse (Modbus only).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    device: str
    kind: Literal["ct_ratio", "reversed_ct", "word_swapped"]
    factor: float = Field(default=2.0, gt=0)


def read_meter_faults(path: Path) -> tuple[MeterFault, ...]:
    """Read a YAML list of faults: `- {device: hall-1/rack-01/tap-a, kind: ct_ratio, factor: 2}`.

    Raises:
        ConfigError: the file cannot be read, or is no such list.
    """
    try:
        found = yaml.safe_load(path.read_text("utf-8"))
        return TypeAdapter(tuple[MeterFault, ...]).validate_python(found)
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"])
        raise ConfigError(f"{path}: {place}: {first['msg']}") from error


def gain_of(faults: Iterable[MeterFault], index: Mapping[str, int]) -> Floats:
    """Factor by which each part's meter counts; `index` gives the row of a device.

    Raises:
        ConfigError: a device is no part of the power path.
    """
    gain: Floats = np.ones(len(index))
    for fault in faults:
        if fault.device not in index:
            raise ConfigError(f"meter fault: '{fault.device}' is no part of the power path")
        if fault.kind == "ct_ratio":
            gain[index[fault.device]] *= fault.factor
        elif fault.kind == "reversed_ct":
            gain[index[fault.device]] *= -1.0
    return gain


def word_swapped(faults: Sequence[MeterFault]) -> set[str]:
    """Devices whose registers come in reverse."""
    return {fault.device for fault in faults if fault.kind == "word_swapped"}
