"""Which row of a device a printed series belongs to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from collectors.profile import DcgmPoint

_LABEL_IN_BRACES = re.compile(r"\{(\w+)\}")
_PLAIN = re.compile(r"[A-Za-z0-9._:-]{1,80}")
"""What an identity may look like, so that no text of a stranger's becomes a component."""
SAME_LABEL = {"uuid": "UUID", "gpu_uuid": "UUID", "hostname": "Hostname"}
"""Labels that exporters have printed under several names, by the one used here."""


class Key(NamedTuple):
    """A row: the part of the device, and the place of the point in the profile."""

    component: str
    point: int


class Series(NamedTuple):
    """What is printed: the row it belongs to, and the name it goes by."""

    key: Key
    name: str


class Fields:
    """The profile's points by every name they have gone by.

    A point's `component` names labels in braces, as in `gpu.{UUID}/mig.{GPU_I_ID}`. Parts after a
    `/` whose label a series lacks are left out: without MIG that is `gpu.GPU-5f...`.
    """

    def __init__(self, points: Sequence[DcgmPoint]) -> None:
        self._points = {name: n for n, point in enumerate(points) for name in point.names}
        self._templates = [point.component for point in points]

    def recognise(self, name: str, labels: Mapping[str, str]) -> Series | None:
        """The row of a series; None if the profile has no such field, or it names no part of it.

        What belongs to one virtual GPU or one link is no value of the whole.
        """
        point = self._points.get(name)
        if point is None or "vgpu" in labels or "nvlink" in labels:
            return None
        known = {SAME_LABEL.get(label, label): text for label, text in labels.items()}
        component = fill(self._templates[point], known)
        return None if component is None else Series(Key(component, point), name)


def fill(template: str, labels: Mapping[str, str]) -> str | None:
    """The component a template gives with these labels; None when its first part lacks one."""
    first, *others = [_fill_part(part, labels) for part in template.split("/")]
    if first is None:
        return None
    return "/".join([first, *(part for part in others if part is not None)])


def _fill_part(part: str, labels: Mapping[str, str]) -> str | None:
    values = [labels.get(label, "") for label in _LABEL_IN_BRACES.findall(part)]
    if not all(_PLAIN.fullmatch(value) for value in values):
        return None
    return _LABEL_IN_BRACES.sub(lambda label: labels[label[1]], part)
