"""The files of `warehouse/sql/<layer>/`: each a view or macro of its file's name, in order.

A file opens with a comment that says what one row is, and holds one `create or replace view NAME`
or `create or replace macro NAME(...)`. It reads only its own layer and lower ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from hashlib import sha256
from pathlib import Path
from typing import Literal

from facility.errors import ConfigError

ROOT = Path(__file__).parent / "sql"
Kind = Literal["view", "macro", "macro table"]
"""As DROP wants it."""

_CREATE = re.compile(r"^create or replace (view|macro)\s+([a-z]\w*)", re.IGNORECASE | re.MULTILINE)
_TABLE_MACRO = re.compile(r"\)\s*as\s+table\b", re.IGNORECASE)
_COMMENT_OR_STRING = re.compile(r"--[^\n]*|'(?:[^']|'')*'")
_NULL_DEFAULT = re.compile(r":=\s*(null\b|cast\s*\(\s*null\b)", re.IGNORECASE)
_READS = re.compile(r"\b(?:from|join)\s+([a-z]\w*)|\b([a-z]\w*)\s*\(", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Definition:
    """One file: a view or macro."""

    layer: str
    name: str
    kind: Kind
    comment: str
    text: str
    reads: frozenset[str]
    """Names it may depend on: whatever stands after FROM or JOIN, or before a parenthesis."""

    @property
    def place(self) -> str:
        """The file, as a person finds it."""
        return f"warehouse/sql/{self.layer}/{self.name}.sql"

    @property
    def text_sha256(self) -> str:
        """Tells whether the file has changed since it was installed."""
        return sha256(self.text.encode()).hexdigest()


def parse_definition(layer: str, name: str, text: str) -> Definition:
    """Read what a file defines.

    Raises:
        ConfigError: the file lacks its head comment, or defines something else than its name says.
    """
    place = f"warehouse/sql/{layer}/{name}.sql"
    comment = _head_comment(text)
    if not comment:
        raise ConfigError(f"{place}:1: must open with a -- comment that says what one row is")
    bare = _COMMENT_OR_STRING.sub(" ", text)
    created = [(match[1].lower(), match[2].lower()) for match in _CREATE.finditer(bare)]
    if [found for _, found in created] != [name]:
        found = ", ".join(f"{kind} {other}" for kind, other in created) or "nothing"
        raise ConfigError(
            f"{place}: must hold one 'create or replace view {name}' or "
            f"'create or replace macro {name}(...)', found {found}"
        )
    kind: Kind = "view"
    if created[0][0] == "macro":
        kind = "macro table" if _TABLE_MACRO.search(bare) else "macro"
        if _NULL_DEFAULT.search(bare):  # DuckLake 1.0 stores the text 'NULL', then cannot read it
            raise ConfigError(f"{place}: a macro's default cannot be null; take another value")
    reads = frozenset((a or b).lower() for a, b in _READS.findall(bare)) - {name}
    return Definition(layer, name, kind, comment, text, reads)


def in_order(definitions: Iterable[Definition]) -> tuple[Definition, ...]:
    """Order by layer, then by what reads what, then by name.

    Raises:
        ConfigError: two files of one name, a file that reads a higher layer, or a circle.
    """
    by_name: dict[str, Definition] = {}
    for definition in sorted(definitions, key=lambda d: (d.layer, d.name)):
        if (other := by_name.setdefault(definition.name, definition)) is not definition:
            raise ConfigError(f"{definition.place}: {other.place} has the same name")
    _refuse_upward(by_name)
    sorter = TopologicalSorter(
        {name: sorted(d.reads & by_name.keys()) for name, d in by_name.items()}
    )
    try:
        order = tuple(by_name[name] for name in sorter.static_order())
    except CycleError as error:
        raise ConfigError(f"warehouse/sql: a circle, {' reads '.join(error.args[1])}") from None
    return tuple(sorted(order, key=lambda d: d.layer))


@cache
def load_definitions() -> tuple[Definition, ...]:
    """Read the files that come with this Busway, in the order they must be created."""
    return in_order(
        parse_definition(file.parent.name, file.stem, file.read_text("utf-8"))
        for file in ROOT.glob("*/*.sql")
    )


def _head_comment(text: str) -> str:
    lines = []
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        lines.append(line.removeprefix("--").strip())
    return "\n".join(lines).strip()


def _refuse_upward(by_name: Mapping[str, Definition]) -> None:
    for definition in by_name.values():
        for name in sorted(definition.reads & by_name.keys()):
            if by_name[name].layer > definition.layer:
                raise ConfigError(
                    f"{definition.place}: reads {name} of the higher layer {by_name[name].layer}"
                )
