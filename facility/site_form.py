"""Reading a site file's form: what is well written goes on, what is not is listed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, cast

from pydantic import ValidationError

from facility.mistakes import Mistake, Step
from facility.site_entries import SiteFile
from facility.site_schema import known_keys
from facility.validation import explain, found_text
from facility.yaml_lines import YamlEntry, YamlFile


@dataclass(frozen=True)
class Form:
    """The well-written entries of a file, and what was wrong with the others."""

    file: YamlFile
    entries: SiteFile
    mistakes: list[Mistake]
    broken: set[tuple[Step, ...]]
    """Paths left out: `("devices", 12)`, or `("kafka",)` for a section."""

    def section(self, name: str) -> Iterator[tuple[Any, YamlEntry]]:
        """Give the entries of a list section, each with its origin."""
        indices = (index for index in count() if (name, index) not in self.broken)
        for entry, index in zip(getattr(self.entries, name), indices, strict=False):
            yield entry, YamlEntry(self.file, (name, index))

    def keys(self, name: str) -> Collection[str]:
        """Names of a mapping section, well written or not."""
        written = self.written((name,))
        return written.keys() if isinstance(written, dict) else ()

    def is_unknown(self, path: tuple[Step, ...]) -> bool:
        """Whether the section that holds a path is none, so that what it names is not known."""
        return path[0] not in SiteFile.model_fields

    def written(self, path: tuple[Step, ...]) -> object:
        """What the file holds at a path, well written or not; None where it holds nothing."""
        data = self.file.data
        for step in path:
            try:
                data = data[step]
            except (KeyError, IndexError, TypeError):
                return None
        return cast("object", data)


def read_form(file: YamlFile) -> Form:
    """Validate the file's data, leaving out what is wrong; never raises."""
    data = file.data
    if not isinstance(data, dict):
        text = f"expected the sections of a site, found {found_text(data)}; start with site:"
        return Form(file, SiteFile.model_validate(_NAMELESS), [file.mistake((), text)], set())
    try:
        return Form(file, SiteFile.model_validate(data), [], set())
    except ValidationError as error:
        found = list(explain(error, data, known_keys))
    broken = {_entry_of(path, data) for path, _ in found}
    entries = SiteFile.model_validate(_NAMELESS | _without(broken, data))
    return Form(file, entries, [file.mistake(path, text) for path, text in found], broken)


_NAMELESS: dict[str, Any] = {"site": {"name": "without a name"}}
"""Stands in for a broken head, so that the rest can be checked before the file is refused."""


def _entry_of(path: tuple[Step, ...], data: dict[str, Any]) -> tuple[Step, ...]:
    section = str(path[0])
    has_entries = isinstance(data.get(section), list) or section.endswith("_credentials")
    return path[:2] if has_entries else path[:1]


def _without(broken: set[tuple[Step, ...]], data: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for section, value in data.items():
        if (section,) in broken:
            continue
        kept[section] = value
        if isinstance(value, list):
            kept[section] = [v for index, v in enumerate(value) if (section, index) not in broken]
        elif isinstance(value, dict):
            kept[section] = {key: v for key, v in value.items() if (section, key) not in broken}
    return kept
