"""Paths written in a site file are relative to its folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar, cast

from pydantic import BaseModel

from facility.mistakes import Step

T = TypeVar("T")


def resolved(value: T, folder: Path) -> T:
    """Copy a model, dict or tuple with every path in it joined to the folder."""
    if isinstance(value, Path):
        return cast("T", folder / value)
    if isinstance(value, BaseModel):
        return value.model_copy(update={name: resolved(inner, folder) for name, inner in value})
    if isinstance(value, dict):
        return cast("T", {name: resolved(inner, folder) for name, inner in value.items()})
    if isinstance(value, tuple):
        return cast("T", tuple(resolved(inner, folder) for inner in value))
    return value


def paths_in(value: object) -> Iterator[tuple[tuple[Step, ...], Path]]:
    """Give every path in a model, or a dict of models, and the field that holds it."""
    if isinstance(value, Path):
        yield (), value
    elif isinstance(value, (BaseModel, Mapping)):
        for name, inner in value.items() if isinstance(value, Mapping) else value:
            for field, path in paths_in(inner):
                yield (name, *field), path
