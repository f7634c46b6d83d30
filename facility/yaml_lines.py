"""YAML that remembers its lines, and says what is wrong in it.

Scalars follow YAML 1.2's core schema, so `on`, `no` and `007` stay the text they look like. Merge
keys and tags are not used; anchors and aliases are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from facility.mistakes import Mistake, Step

DEEPEST = 40
"""Levels of nesting; a site file needs seven."""

_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]{1,2})?")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_OPENINGS = (yaml.MappingStartEvent, yaml.SequenceStartEvent)


def path_text(path: Sequence[Step], data: Any = None) -> str:
    """`("devices", 12, "port")` as a person writes it: `devices[12].port`.

    In `data`, a number that is a key is told from an index.
    """
    text = ""
    for step in path:
        is_index = isinstance(step, int) and not isinstance(data, dict)
        text += f"[{step}]" if is_index else f".{step}" if text else str(step)
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            data = None
    return text


@dataclass(frozen=True, eq=False)
class YamlFile:
    """A parsed file: its data, and the line of every path in it."""

    name: str
    data: Any
    lines: dict[tuple[Step, ...], int] = field(repr=False)

    def line(self, path: Sequence[Step]) -> int:
        """Line of a path; of the nearest one above it where the path is not in the file."""
        steps = tuple(path)
        while steps and steps not in self.lines:
            steps = steps[:-1]
        return self.lines.get(steps, 1)

    def mistake(self, path: Sequence[Step], text: str) -> Mistake:
        """Place a mistake at a path."""
        return Mistake(self.name, self.line(path), path_text(path, self.data), text)


@dataclass(frozen=True, slots=True, eq=False)
class YamlEntry:
    """One entry of a file, as the origin of what it declares."""

    file: YamlFile
    path: tuple[Step, ...]

    def mistake(self, text: str, *field: Step) -> Mistake:
        """Place a mistake at a field of the entry."""
        return self.file.mistake((*self.path, *field), text)

    def place(self) -> str:
        """`site.yaml:41`."""
        return f"{self.file.name}:{self.file.line(self.path)}"


class YamlMistake(Exception):
    """The text cannot be read as YAML at all."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(str(mistake))
        self.mistake = mistake


def parse_yaml(text: str, name: str) -> tuple[YamlFile, list[Mistake]]:
    """Parse one document. Duplicate keys and tags are listed; the first value of a key stands.

    Raises:
        YamlMistake: the syntax is broken, so that nothing after it can be trusted.
    """
    reader = _Reader(text, name)
    try:
        data = reader.document()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise YamlMistake(Mistake(name, line, "", _syntax_text(error))) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise YamlMistake(Mistake(name, line, "", f"not YAML: {error.reason}")) from None
    return YamlFile(name, data, reader.lines), reader.mistakes


def _syntax_text(error: yaml.MarkedYAMLError) -> str:
    context = f" {error.context}" if error.context else ""
    return (
        f"not YAML: {error.problem}{context}; look for a missing colon, quote or bracket, "
        "or a wrong indent, here or just above"
    )


class _Reader:
    """Recursive descent over the parser's events, so that depth and aliases are in our hands."""

    def __init__(self, text: str, name: str) -> None:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self._events: Iterator[Any] = yaml.parse(text, Loader=loader)
        self._name = name
        self._anchors: dict[str, Any] = {}
        self.lines: dict[tuple[Step, ...], int] = {}
        self.mistakes: list[Mistake] = []

    def document(self) -> Any:
        data: Any = None
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._refuse(event, (), "a second document starts here; keep one `---`")
            elif isinstance(event, yaml.NodeEvent):
                data = self._node(event, ())
        return data

    def _node(self, event: Any, path: tuple[Step, ...]) -> Any:
        self.lines.setdefault(path, event.start_mark.line + 1)
        anchor: Any = event.anchor
        if isinstance(event, yaml.AliasEvent):
            if anchor not in self._anchors:
                self._refuse(event, path, f"*{anchor} repeats nothing that stands above it")
            return self._anchors[anchor]
        if event.tag is not None:
            self._note(event, path, f"tag {event.tag} has no meaning here; remove it")
        if isinstance(event, _OPENINGS) and len(path) >= DEEPEST:
            self._refuse(event, path, f"nested deeper than {DEEPEST} levels")
        if isinstance(event, yaml.MappingStartEvent):
            data: Any = self._mapping(path)
        elif isinstance(event, yaml.SequenceStartEvent):
            data = self._sequence(path)
        else:
            data = _scalar(event)
        if anchor is not None:
            self._anchors[anchor] = data
        return data

    def _sequence(self, path: tuple[Step, ...]) -> list[Any]:
        items: list[Any] = []
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self._node(event, (*path, len(items))))
        return items

    def _mapping(self, path: tuple[Step, ...]) -> dict[Step, Any]:
        items: dict[Step, Any] = {}
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._key(event, path)
            inner = (*path, key)
            if key in items:
                first = self.lines[inner]
                self._note(event, inner, f"stands twice, first in line {first}; keep one of them")
                self._node(next(self._events), inner)
                continue
            self.lines[inner] = event.start_mark.line + 1
            items[key] = self._node(next(self._events), inner)
        return items

    def _key(self, event: Any, path: tuple[Step, ...]) -> Step:
        if not isinstance(event, yaml.ScalarEvent):
            self._refuse(
                event, path, "a key must be plain text; put text that starts with { or [ in quotes"
            )
        key = _scalar(event)
        return key if isinstance(key, int) and not isinstance(key, bool) else event.value

    def _note(self, event: Any, path: Sequence[Step], text: str) -> None:
        line = event.start_mark.line + 1
        self.mistakes.append(Mistake(self._name, line, path_text(path), text))

    def _refuse(self, event: Any, path: Sequence[Step], text: str) -> Any:
        raise YamlMistake(Mistake(self._name, event.start_mark.line + 1, path_text(path), text))


def _scalar(event: Any) -> str | int | float | bool | None:
    text: str = event.value
    if event.style:  # quoted, or a block of text
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
