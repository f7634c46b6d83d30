"""Which row of a device a printed series belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from collectors.exporter.series import Key, Series, fill
from collectors.profile import DcgmPoint

SAME_LABEL = {"uuid": "UUID", "gpu_uuid": "UUID", "hostname": "Hostname"}
"""Labels that exporters have printed under several names, by the one used here."""


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
