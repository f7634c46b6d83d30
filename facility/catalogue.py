"""The catalogue of quantities: name, unit, kind, range, meaning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict


class Quantity(BaseModel):
    """One thing that can be measured, in its one unit (UCUM)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    unit: str
    kind: Literal["gauge", "counter"]
    range: tuple[float, float]
    meaning: str


class Catalogue(Mapping[str, Quantity]):
    """Quantities by name, in the order of the file."""

    def __init__(self, quantities: Mapping[str, Quantity]) -> None:
        self._quantities = dict(quantities)

    def __getitem__(self, name: str) -> Quantity:
        return self._quantities[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._quantities)

    def __len__(self) -> int:
        return len(self._quantities)


@cache
def load_catalogue() -> Catalogue:
    """Read `quantities.yaml`, the only place where a unit is decided."""
    rows = yaml.safe_load(Path(__file__).with_name("quantities.yaml").read_text("utf-8"))
    return Catalogue({name: Quantity(name=name, **row) for name, row in rows.items()})
