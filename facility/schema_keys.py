"""Which keys a JSON Schema allows at a path, to say what an unknown one was meant for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any


def keys_at(schema: dict[str, Any], path: Sequence[str | int]) -> set[str]:
    """Keys that the mapping at a path may have, by a schema that pydantic made."""
    schemas = list(_alternatives(schema, schema))
    for step in path:
        inner = [_inner(found, step) for found in schemas]
        schemas = [found for part in inner if part for found in _alternatives(part, schema)]
    return {key for found in schemas for key in found.get("properties", {})}


def _alternatives(part: dict[str, Any], whole: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "$ref" in part:
        yield from _alternatives(whole["$defs"][part["$ref"].rpartition("/")[2]], whole)
    elif choices := part.get("anyOf") or part.get("oneOf"):
        for choice in choices:
            yield from _alternatives(choice, whole)
    else:
        yield part


def _inner(part: dict[str, Any], step: str | int) -> dict[str, Any] | None:
    inner = part.get("properties", {}).get(step)
    if inner is None and isinstance(step, int):
        inner = part.get("items")
    if inner is None:
        named = part.get("patternProperties", {}).values()
        inner = next(iter(named), part.get("additionalProperties"))
    return inner if isinstance(inner, dict) else None
