"""What a printed series is: a row of the device, named by the series' labels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

_LABEL_IN_BRACES = re.compile(r"\{(\w+)\}")
PLAIN = re.compile(r"[A-Za-z0-9._:-]{1,80}")
"""What an identity may look like, so that no text of a stranger's becomes a component."""


class Key(NamedTuple):
    """A row: the part of the device, and the place of the point in the profile."""

    component: str
    point: int


class Series(NamedTuple):
    """What is printed: the row it belongs to, and the name it goes by."""

    key: Key
    name: str


def fill(template: str, labels: Mapping[str, str], plain: re.Pattern[str] = PLAIN) -> str | None:
    """The component a template gives with these labels; None when its first part lacks one.

    Parts after a `/` whose label a series lacks are left out. A label that is not `plain` is as
    good as none.
    """
    first, *others = [_fill_part(part, labels, plain) for part in template.split("/")]
    if first is None:
        return None
    return "/".join([first, *(part for part in others if part is not None)])


def _fill_part(part: str, labels: Mapping[str, str], plain: re.Pattern[str]) -> str | None:
    values = [labels.get(label, "") for label in _LABEL_IN_BRACES.findall(part)]
    if not all(plain.fullmatch(value) for value in values):
        return None
    return _LABEL_IN_BRACES.sub(lambda label: labels[label[1]], part)
