"""Object identifiers as tuples of numbers, which sort as an agent's MIB does."""

from __future__ import annotations

Oid = tuple[int, ...]


def parse_oid(text: str) -> Oid:
    """`1.3.6.1` to (1, 3, 6, 1).

    Raises:
        ValueError: a part is not a number.
    """
    return tuple(int(part) for part in text.strip(".").split("."))


def format_oid(oid: Oid) -> str:
    """(1, 3, 6, 1) to `1.3.6.1`."""
    return ".".join(map(str, oid))
