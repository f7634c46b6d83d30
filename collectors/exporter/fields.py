"""Which row of a device a series belongs to, by its name and labels."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from collectors.exporter.series import Key, Series, fill
from collectors.profile import SeriesPoint

NAMED = re.compile(r"[A-Za-z0-9._:/@+-]{1,200}")
"""What a label may hold to become part of a component: names of models have slashes."""


class SeriesFields:
    """The profile's points by every name their series have gone by."""

    def __init__(self, points: Sequence[SeriesPoint]) -> None:
        self._points = points
        self._by_name: dict[str, list[int]] = defaultdict(list)
        for place, point in enumerate(points):
            for name in point.names:
                self._by_name[name].append(place)

    def recognise(self, name: str, labels: Mapping[str, str]) -> Series | None:
        """The row of a series; None where the profile has no such point, or it names no part."""
        for place in self._by_name.get(name, ()):
            point = self._points[place]
            if any(labels.get(label, "") not in wanted for label, wanted in point.labels.items()):
                continue
            component = fill(point.component, _with_plain_bound(labels), NAMED)
            return None if component is None else Series(Key(component, place), name)
        return None


def _with_plain_bound(labels: Mapping[str, str]) -> Mapping[str, str]:
    """A bucket's bound in one way of writing: `0.5`, `1`, `inf`, however the server writes it."""
    if "le" not in labels:
        return labels
    try:
        return {**labels, "le": f"{float(labels['le']):g}"}
    except ValueError:
        return {label: text for label, text in labels.items() if label != "le"}
